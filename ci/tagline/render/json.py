"""Results as JSON: the same structs, words as they are printed."""

from typing import Any

import msgspec

from tagline.words import ModelVersion, Promotion, Release


def _word(value: Any) -> str:
    return str(value)


def dumps(result: Any) -> str:
    """Indented JSON of any result; model versions, releases and promotions as they are written."""
    plain = _plain(result)
    return msgspec.json.format(msgspec.json.encode(plain, enc_hook=_word), indent=2).decode()


def _plain(value: Any) -> Any:
    if isinstance(value, ModelVersion | Promotion | Release):
        return str(value)
    if isinstance(value, msgspec.Struct):
        tag = type(value).__struct_config__.tag
        head = {"type": str(tag)} if tag else {}
        return head | {name: _plain(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(one) for one in value]
    return value
