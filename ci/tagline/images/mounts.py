"""The `--mount` flags of a RUN, and the flags that an instruction may have at all."""

import csv
from collections.abc import Mapping

from tagline.images.instructions import Instruction

_FILES = {"chown", "chmod", "link", "exclude"}
_FLAGS: Mapping[str, set[str]] = {
    "FROM": {"platform"},
    "COPY": {*_FILES, "from", "parents"},
    "ADD": {*_FILES, "keep-git-dir", "checksum", "unpack"},
    "RUN": {"mount", "network", "security", "device"},
    "HEALTHCHECK": {"interval", "timeout", "start-period", "start-interval", "retries"},
}
_ALONE = {"readonly", "ro", "readwrite", "rw", "required"}
_KEYS = _ALONE | {
    *("type", "from", "source", "src", "target", "dst", "destination"),
    *("id", "sharing", "size", "mode", "uid", "gid", "env"),
}
TYPES = {"bind", "cache", "tmpfs", "secret", "ssh"}


def check_flags(one: Instruction) -> None:
    """Raise `ImageRefused` for a flag that BuildKit does not know here: a later version might."""
    for flag in one.flags:
        name = flag.partition("=")[0]
        if name.removeprefix("--") not in _FLAGS.get(one.word, set()):
            raise one.refused(f"no flag is called {name}", "BuildKit knows its flags in small letters only")


def mounts(one: Instruction) -> list[dict[str, str]]:
    """The `--mount` flags of a RUN, as their keys in small letters and values.

    Raises `ImageRefused` for what is no CSV, and for a key that BuildKit does not know.
    """
    return [_mount(one, flag) for flag in one.flag("mount")] if one.word == "RUN" else []


def _mount(one: Instruction, flag: str) -> dict[str, str]:
    try:
        (fields,) = csv.reader([flag], strict=True)
    except (csv.Error, ValueError):
        raise one.refused(f"--mount={flag} is no CSV", "write key=value,key=value") from None
    found: dict[str, str] = {}
    for field in fields:
        key, given, value = field.partition("=")
        key = key.lower()
        if key not in _KEYS or not (given or key in _ALONE):
            raise one.refused(f"--mount has no {field}", "write key=value, with the keys that BuildKit knows")
        found[key] = value
    return found
