"""The results without the values that this process must not show: what is written to files passes no stream."""

from enum import Enum
from typing import Any

import msgspec
from tagline_task.masking import HIDDEN, Hidden

from tagline.flow.results.results import Results


def masked(results: Results, hidden: Hidden = HIDDEN) -> Results:
    """The same results, each text in them cleaned."""
    made = _clean(results, hidden)
    assert isinstance(made, Results)
    return made


def _clean(value: Any, hidden: Hidden) -> Any:
    match value:
        case Enum():
            return value
        case str():
            return hidden.clean(value)
        case msgspec.Struct():
            fields = {name: _clean(getattr(value, name), hidden) for name in value.__struct_fields__}
            return msgspec.structs.replace(value, **fields)
        case dict():
            return {_clean(key, hidden): _clean(one, hidden) for key, one in value.items()}
        case list() | tuple():
            return [_clean(one, hidden) for one in value]
        case _:
            return value
