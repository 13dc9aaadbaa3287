"""Puts every form of the results into a folder, and reads them back where another job goes on."""

import os
from collections.abc import Callable
from pathlib import Path

import msgspec

from tagline import foreign
from tagline.errors import ConfigError
from tagline.flow.results.results import Results
from tagline.render.json import dumps
from tagline.render.results.annotations import code_quality
from tagline.render.results.junit import junit
from tagline.render.results.markdown import comment
from tagline.render.results.page import page

REPORT = "report.json"
READ_LIMIT = 8 * 2**20
FORMS: dict[str, Callable[[Results], str]] = {
    REPORT: lambda results: dumps(results) + "\n",
    "junit.xml": junit,
    "report.html": page,
    "comment.md": comment,
    "gl-code-quality.json": lambda results: msgspec.json.encode(code_quality(results)).decode() + "\n",
}


def make_folder(folder: Path) -> None:
    """Make the folder before anything is done; raises `ConfigError` where that cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(folder, error) from error


def write(results: Results, folder: Path) -> None:
    """Write all forms, each whole or not at all; raises `ConfigError` where the folder takes no file."""
    for name, form in FORMS.items():
        new = folder / f".{name}.new"
        try:
            new.write_text(form(results), encoding="utf-8")
            os.replace(new, folder / name)
        except OSError as error:
            raise _unwritable(folder / name, error) from error


def read(folder: Path) -> Results:
    """The results in a folder, parsed strictly: they may come from a stranger's run.

    Raises `ConfigError` where there are none, where they are larger than 8 MiB, or of another version.
    """
    file = folder / REPORT
    fix = "tagline ci --report DIR writes it; then hand DIR on to this job"
    try:
        content = foreign.read(file, READ_LIMIT)
    except OSError as error:
        raise ConfigError(f"no report can be read: {error.strerror}", where=str(file), fix=fix) from error
    except ValueError as error:
        raise ConfigError(f"no report can be read: {error}", where=str(file), fix=fix) from error
    try:
        return msgspec.json.decode(content, type=Results)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        fix = "write and read it with the same version of tagline"
        raise ConfigError(f"this is no report of ours: {error}", where=str(file), fix=fix) from error


def _unwritable(path: Path, error: OSError) -> ConfigError:
    return ConfigError(
        f"the report cannot be written: {error.strerror}", where=str(path), fix="give a folder that can be"
    )
