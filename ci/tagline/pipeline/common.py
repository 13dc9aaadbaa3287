"""The common components that `tagline_task` brings: their names in a pipeline, their files, what they need."""

import re
from dataclasses import dataclass
from pathlib import Path

import tagline_task

from tagline.words import one_of

_NAME = re.compile(r"tagline-([a-z]+(?:-[a-z]+)*)-(v[1-9][0-9]*)")
_FOLDER = Path(tagline_task.__file__).parent / "components"
_TABLES, _STORE = ("pyarrow",), ("pyarrow", "fsspec", "s3fs")
# the packages that each imports when it runs
NEEDS: dict[str, tuple[str, ...]] = {
    "batch-predict": _TABLES,
    "evaluate-classification": _TABLES,
    "evaluate-regression": _TABLES,
    "read-parquet": _STORE,
    "register": (),
    "read-sql": ("pyarrow", "sqlalchemy"),
    "split": _TABLES,
    "write-parquet": _STORE,
}
# what they read or write outside may have changed since an earlier run
_FRESH = {"read-parquet", "read-sql", "write-parquet"}


@dataclass(frozen=True)
class Common:
    """A common component of a version; `fresh` is never answered from the cache."""

    name: str
    version: str

    @property
    def function(self) -> str:
        return self.name.replace("-", "_")

    @property
    def module(self) -> str:
        """What `python -m` runs in the task's image."""
        return f"tagline_task.components.{self.version}.{self.function}"

    @property
    def path(self) -> Path:
        return _FOLDER / self.version / f"{self.function}.py"

    @property
    def needs(self) -> tuple[str, ...]:
        return NEEDS[self.name]

    @property
    def fresh(self) -> bool:
        return self.name in _FRESH

    def __str__(self) -> str:
        return f"tagline-{self.name}-{self.version}"


def find(name: str) -> Common | None:
    """The common component that a name in a pipeline means, such as `tagline-split-v1`; None for a task of its own.

    Raises `UnknownName` for a name of that form that none has.
    """
    match = _NAME.fullmatch(name)
    return Common(match[1], match[2]) if match and one_of(name, names(), "common component") else None


def every(version: str) -> list[Common]:
    """The components of a version, by name."""
    names = [path.stem.replace("_", "-") for path in (_FOLDER / version).glob("[a-z]*.py")]
    return [Common(name, version) for name in sorted(names)]


def names() -> list[str]:
    """The names of all common components."""
    versions = sorted(path.name for path in _FOLDER.glob("v[1-9]*"))
    return [str(each) for version in versions for each in every(version)]
