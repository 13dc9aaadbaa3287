"""Secrets as environment variables: which names they get, decided before any is set."""

import json
import re
from collections.abc import Mapping
from typing import Any

from tagline_task.errors import SecretNotThere, VariableTaken

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def named(values: Mapping[str, Any], prefix: str, mapping: Mapping[str, str] | None) -> dict[str, str]:
    """The variables for a secret's values.

    Without `mapping` each key gives its own name behind `prefix`; with it only its keys are taken, by the
    names it gives. Raises `SecretNotThere` for a key that is missing, `VariableTaken` for one that can name
    no variable, and for two that would name the same.
    """
    pairs = list(mapping.items()) if mapping is not None else [(key, prefix + key) for key in values]
    found: dict[str, str] = {}
    for key, name in pairs:
        if key not in values:
            raise SecretNotThere(
                f"the secret has no key {key!r}; it has {', '.join(sorted(values)) or 'none'}"
            )
        if not _NAME.fullmatch(name):
            proposed = re.sub(r"\W", "_", key, flags=re.ASCII).upper()
            raise VariableTaken(
                f"{name!r} cannot name a variable: mapping={{{key!r}: '{proposed}'}} gives it one"
            )
        if name in found:
            raise VariableTaken(f"two keys of the secret would set {name}: give mapping=")
        found[name] = text(values[key], key)
    return found


def text(value: Any, key: str) -> str:
    """A value as a variable holds it: text as it is, anything else as JSON."""
    found = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if "\0" in found:
        raise VariableTaken(f"the value of {key!r} holds a NUL, which no variable can: use get_secrets")
    return found


def refuse_taken(found: Mapping[str, str], environ: Mapping[str, str]) -> None:
    """Raise `VariableTaken` where a variable is set already and to something else."""
    taken = sorted(name for name, value in found.items() if environ.get(name, value) != value)
    if taken:
        raise VariableTaken(
            f"{', '.join(taken)} is set already and differs: overwrite=True replaces it, prefix= or mapping= avoids it"
        )
