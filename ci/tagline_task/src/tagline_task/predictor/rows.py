"""Instances as rows of a table: by name or by position, with a missing field left missing."""

import glob
import os
from collections.abc import Sequence
from typing import Any

from tagline_task.errors import BadInput, ModelDoesNotLoad
from tagline_task.values import shown

MISSING = float("nan")


def rows(instances: list[Any], columns: Sequence[str] | None) -> list[list[Any]]:
    """A list of values for each instance, in the order of `columns`.

    A mapping is read by name: a field that is missing or null becomes NaN, one that the model does not know
    is left out. A list is read by position and must be as long as `columns`. Raises `BadInput`: an instance
    with none of the columns, a list of another length, a value that is no number, text or bool, or a mapping
    where the model has no names.
    """
    return [_row(index, each, columns) for index, each in enumerate(instances)]


def frame(instances: list[Any], columns: Sequence[str] | None) -> Any:
    """A pandas frame where the model knows its columns' names, else a NumPy array."""
    table = rows(instances, columns)
    if columns is not None:
        import pandas

        return pandas.DataFrame(table, columns=list(columns))
    import numpy

    try:
        return numpy.array(table, dtype=float)
    except (ValueError, TypeError):
        return numpy.array(table, dtype=object)


def model_file(path: str, endings: Sequence[str]) -> str:
    """The file of a model: `path` itself, or the one file in that folder with one of the `endings`."""
    if not os.path.isdir(path):
        return path
    found = sorted(
        name for ending in endings for name in glob.glob(os.path.join(glob.escape(path), "*" + ending))
    )
    if len(found) != 1:
        named = ", ".join(map(os.path.basename, found)) or "none"
        raise ModelDoesNotLoad(f"{path} must hold exactly one model ({', '.join(endings)}), it holds {named}")
    return found[0]


def _row(index: int, instance: Any, columns: Sequence[str] | None) -> list[Any]:
    if isinstance(instance, dict):
        if columns is None:
            raise BadInput(
                f"instance {index} has names, but the model was trained without: send a list of values"
            )
        if not any(name in instance for name in columns):
            wanted = ", ".join(columns)
            raise BadInput(f"instance {index} has none of the model's columns ({wanted}): {shown(instance)}")
        return [_cell(index, instance.get(name)) for name in columns]
    if not isinstance(instance, list):
        raise BadInput(f"instance {index} wants a mapping or a list, got {shown(instance)}")
    if columns is not None and len(instance) != len(columns):
        raise BadInput(
            f"instance {index} wants {len(columns)} values ({', '.join(columns)}), got {len(instance)}"
        )
    return [_cell(index, value) for value in instance]


def _cell(index: int, value: Any) -> Any:
    if value is None:
        return MISSING
    if isinstance(value, str | int | float):
        return value
    raise BadInput(f"instance {index} has a value that is no number, text or bool: {shown(value)}")
