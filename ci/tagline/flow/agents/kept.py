"""The state directory: one file for each finished step, all that travels from one agent to the next."""

import hashlib
import os
from pathlib import Path

import msgspec

from tagline.errors import StateTampered
from tagline.flow.releasing.release import Built
from tagline.flow.report import StepReport

SUFFIX = ".json"


class Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A finished step: of which plan (its digest), which step, what it reported, and what it built.

    `sha256` is over all the rest.
    """

    plan: str
    step: str
    report: StepReport
    built: Built | None = None
    sha256: str = ""

    def digest(self) -> str:
        """SHA-256 (hex) of everything but `sha256` itself."""
        bare = msgspec.structs.replace(self, sha256="")
        return hashlib.sha256(msgspec.json.encode(bare, order="sorted")).hexdigest()


class StateFolder:
    """Results in `folder` of the plan with the digest `plan`; without a folder they last as long as this."""

    def __init__(self, folder: Path | None, plan: str) -> None:
        self._folder, self._plan = folder, plan
        self._kept = {one.step: one for one in self._read()}

    @property
    def done(self) -> frozenset[str]:
        """The keys of the finished steps."""
        return frozenset(self._kept)

    @property
    def reports(self) -> dict[str, StepReport]:
        """What the finished steps reported, by their keys."""
        return {step: one.report for step, one in self._kept.items()}

    @property
    def built(self) -> dict[str, Built]:
        """What the finished smoke trainings hand to the release, by pipeline."""
        return {one.built.pipeline: one.built for one in self._kept.values() if one.built}

    def keep(self, step: str, report: StepReport, built: Built | None = None) -> None:
        """Write a finished step's file: whole, or not at all."""
        bare = Kept(self._plan, step, report, built)
        kept = msgspec.structs.replace(bare, sha256=bare.digest())
        self._kept[step] = kept
        if self._folder is None:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        file = self._folder / _name(step)
        draft = file.with_name(f".{file.name}.{os.getpid()}")
        with draft.open("wb") as out:
            out.write(msgspec.json.format(msgspec.json.encode(kept, order="sorted"), indent=2) + b"\n")
            out.flush()
            os.fsync(out.fileno())
        os.replace(draft, file)

    def _read(self) -> list[Kept]:
        if self._folder is None or not self._folder.exists():
            return []
        files = sorted(one for one in self._folder.iterdir() if one.suffix == SUFFIX)
        return [_checked(file, self._plan) for file in files if not file.name.startswith(".")]


def _name(step: str) -> str:
    """A file name for a step's key; `_` stands in no name of a model or environment."""
    return step.replace("/", "_").replace(" ", "__") + SUFFIX


def _checked(file: Path, plan: str) -> Kept:
    """A result as it was written for this plan; raises `StateTampered` for anything else."""
    try:
        kept = msgspec.json.decode(file.read_bytes(), type=Kept)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _tampered(file, f"cannot be read: {error}") from error
    if kept.sha256 != kept.digest():
        raise _tampered(file, "is not what was written: its digest differs")
    if kept.plan != plan:
        raise _tampered(file, "belongs to another plan")
    if file.name != _name(kept.step):
        raise _tampered(file, f"holds the result of {kept.step!r}")
    return kept


def _tampered(file: Path, why: str) -> StateTampered:
    return StateTampered(
        f"the result {file.name} {why}", where=str(file), fix="begin again with an empty state directory"
    )
