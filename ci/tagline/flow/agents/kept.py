"""The state directory: one file for each finished step, all that travels from one agent to the next."""

import hashlib
import os
from pathlib import Path

import msgspec

from tagline.errors import StateNotSealed, StateTampered
from tagline.flow.agents.seal import NO_SEAL, Seal
from tagline.flow.releasing.release import Built
from tagline.flow.report import StepReport

SUFFIX = ".json"


class Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A finished step: of which plan (its digest), which step, what it reported, and what it built.

    `sha256` is over all the rest, and so is `hmac`, which only an agent with the host's key can make.
    """

    plan: str
    step: str
    report: StepReport
    built: Built | None = None
    sha256: str = ""
    hmac: str = ""

    def content(self) -> bytes:
        """Everything but `sha256` and `hmac`, as JSON."""
        return msgspec.json.encode(msgspec.structs.replace(self, sha256="", hmac=""), order="sorted")

    def digest(self) -> str:
        """SHA-256 (hex) of the content: it tells of accidents, for anybody can make it."""
        return hashlib.sha256(self.content()).hexdigest()


class StateFolder:
    """Results in `folder` of the plan with the digest `plan`; without a folder they last as long as this.

    Raises `StateTampered` for a result that is not as it was written, `StateNotSealed` where the seal has a key
    and the result not its HMAC, or the other way round.
    """

    def __init__(self, folder: Path | None, plan: str, seal: Seal = NO_SEAL) -> None:
        self._folder, self._plan, self._seal = folder, plan, seal
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
        kept = msgspec.structs.replace(bare, sha256=bare.digest(), hmac=self._seal.hmac(bare.content()))
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
        return [_checked(file, self._plan, self._seal) for file in files if not file.name.startswith(".")]


def _name(step: str) -> str:
    """A file name for a step's key; `_` stands in no name of a model or environment."""
    return step.replace("/", "_").replace(" ", "__") + SUFFIX


def _checked(file: Path, plan: str, seal: Seal) -> Kept:
    """A result as it was written for this plan, by who has the key; raises for anything else."""
    try:
        kept = msgspec.json.decode(file.read_bytes(), type=Kept)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _tampered(file, f"cannot be read: {error}") from error
    if kept.sha256 != kept.digest():
        raise _tampered(file, "is not what was written: its digest differs")
    if wrong := seal.broken(kept.content(), kept.hmac):
        raise StateNotSealed(
            f"the result {file.name} {wrong}",
            where=str(file),
            fix="give every job of this pipeline that runs tagline the same key, or none; then begin again "
            "with an empty state directory",
        )
    if kept.plan != plan:
        raise _tampered(file, "belongs to another plan")
    if file.name != _name(kept.step):
        raise _tampered(file, f"holds the result of {kept.step!r}")
    return kept


def _tampered(file: Path, why: str) -> StateTampered:
    return StateTampered(
        f"the result {file.name} {why}", where=str(file), fix="begin again with an empty state directory"
    )
