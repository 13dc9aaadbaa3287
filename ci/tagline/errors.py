"""Every way tagline can end, as one tree: a class for each, with its own exit code and the way out.

    TaglineError
    ├── RepositoryError    10–19   git, its remote, its work tree
    ├── ConfigError        20–29   tagline.yaml, names, what is asked for
    ├── PipelineError      30–39   compiling, checking, running tasks
    ├── VersionError       40–49   releases, model versions, promotion tags
    ├── LedgerError        50–59   the chain of decisions
    ├── GateError          60–69   the gate's answers and its failures
    ├── RolloutError       70–79   the canary's answers and its failures
    └── PlatformError      80–89   what an environment runs on

0 is success, 2 a wrong command line, 3 a bug of ours, 130 an interrupt.
"""

from typing import ClassVar

INTERNAL = 3
INTERRUPTED = 130


class TaglineError(Exception):
    """What happened, where, and what to do next; `exit_code` is the process's answer.

    `what` is one sentence; `where` a place (file:line, ref, URL); `fix` a command or an instruction.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, what: str, *, where: str = "", fix: str = "") -> None:
        super().__init__(what)
        self.what, self.where, self.fix = what, where, fix

    def __str__(self) -> str:
        place = f"\n  where: {self.where}" if self.where else ""
        way_out = f"\n  fix:   {self.fix}" if self.fix else ""
        return f"{self.what}{place}{way_out}"


class RepositoryError(TaglineError):
    """git answered with an error that no class below names."""

    exit_code = 10


class NoRepository(RepositoryError):
    """The folder is in no git repository."""

    exit_code = 11


class NoRemote(RepositoryError):
    """The repository has no remote: tags and the ledger have no home."""

    exit_code = 12


class DirtyTree(RepositoryError):
    """The work tree differs from HEAD, so a release would not be what git says."""

    exit_code = 13


class AmbiguousHead(RepositoryError):
    """HEAD is detached and nothing says which branch or tag is meant."""

    exit_code = 14


class ShallowClone(RepositoryError):
    """History is cut off, so versions cannot be computed."""

    exit_code = 15


class RemoteUnavailable(RepositoryError):
    """The remote did not answer, or not in time."""

    exit_code = 16


class PushRefused(RepositoryError):
    """The remote refused the push: rights, a protected ref, a hook."""

    exit_code = 17


class LostRace(RepositoryError):
    """Somebody else kept winning the push; nothing of ours was left behind."""

    exit_code = 18


class NoAtomicPush(RepositoryError):
    """The remote cannot push several refs as one, which a claim needs."""

    exit_code = 19


class ConfigError(TaglineError):
    """tagline.yaml is not valid YAML, has an unknown key or a wrong value."""

    exit_code = 20


class UnknownName(ConfigError):
    """An environment, model or pipeline that nobody declared."""

    exit_code = 21


class NotYetSupported(ConfigError):
    """The policy or pipeline asks for what this version of tagline does not bring."""

    exit_code = 22


class MissingKeys(ConfigError):
    """tagline.yaml lacks keys that this command needs."""

    exit_code = 23


class BadWord(ConfigError):
    """A name, version or tag that does not follow its grammar."""

    exit_code = 24


class LockMissing(ConfigError):
    """src/requirements.txt has a line without a pinned version and hash."""

    exit_code = 25


class MissingTool(ConfigError):
    """A program or package that this command needs is not installed."""

    exit_code = 26


class TargetExists(ConfigError):
    """`tagline init` would write over files that are there."""

    exit_code = 27


class PipelineError(TaglineError):
    """pipeline.py raised, defined no pipeline, or compiled to something unusable."""

    exit_code = 30


class PipelineNotCurrent(PipelineError):
    """The committed pipeline.yaml is not what pipeline.py compiles to."""

    exit_code = 31


class TestsFailed(PipelineError):
    """The project's own tests failed."""

    exit_code = 32


class CheckFailed(PipelineError):
    """A rule of `tagline check` found an error in the compiled pipeline."""

    exit_code = 33


class TaskFailed(PipelineError):
    """A task of a run ended with a non-zero exit code."""

    exit_code = 34


class TaskTimedOut(PipelineError):
    """A task ran past its limit and was stopped."""

    exit_code = 35


class TaskContractBroken(PipelineError):
    """A task did not write a declared output, or wrote one that cannot be read."""

    exit_code = 36


class EnvironmentConflict(PipelineError):
    """The project's requirements cannot stand beside what serving needs."""

    exit_code = 37


class InstallFailed(PipelineError):
    """The project's environment could not be made."""

    exit_code = 38


class SecretMissing(PipelineError):
    """A task asks for a secret that the environment does not hold."""

    exit_code = 39


class VersionError(TaglineError):
    """Releases or model versions that cannot be told apart."""

    exit_code = 40


class NotDescendant(VersionError):
    """HEAD does not descend from the newest release of its line."""

    exit_code = 41


class VersionTwice(VersionError):
    """One version stands on two commits, or a counter is used twice."""

    exit_code = 42


class NotReleased(VersionError):
    """The commit has no release, or commits since it affect the pipeline."""

    exit_code = 43


class NotTrained(VersionError):
    """The release has no registered model."""

    exit_code = 44


class StillTraining(VersionError):
    """The release's training has not finished."""

    exit_code = 45


class NotOnALine(VersionError):
    """The commit is not reachable from the default branch or a release branch."""

    exit_code = 46


class TagMoved(VersionError):
    """A tag no longer points where the ledger says it did."""

    exit_code = 47


class NoModel(VersionError):
    """A run finished, but it is not clear which output is the model."""

    exit_code = 48


class ContentDiffers(VersionError):
    """This version was uploaded before with other content."""

    exit_code = 49


class LedgerError(TaglineError):
    """The ledger's chain is broken; the first bad event is named."""

    exit_code = 50


class LedgerMissing(LedgerError):
    """Promotion tags exist, but no ledger: a person must adopt or rebuild."""

    exit_code = 51


class OtherMachine(LedgerError):
    """The promotions were made by another machine's local platform."""

    exit_code = 52


class GateError(TaglineError):
    """The gate could not be asked: scorer, data or predictor failed."""

    exit_code = 60


class GateRefused(GateError):
    """The gate says that the candidate is worse."""

    exit_code = 61


class GateInconclusive(GateError):
    """The gate has not enough rows to say."""

    exit_code = 62


class GateDataChanged(GateError):
    """The frozen data differs from its pinned digest."""

    exit_code = 63


class ScorerMismatch(GateError):
    """The served release's scorer no longer fits the pinned data."""

    exit_code = 64


class RolloutError(TaglineError):
    """The rollout could not go on."""

    exit_code = 70


class TakenBack(RolloutError):
    """The canary did worse than the stable model and was taken back."""

    exit_code = 71


class RolloutInconclusive(RolloutError):
    """Not enough evidence within max_duration: weight 0, nothing blocked."""

    exit_code = 72


class Blocked(RolloutError):
    """This version was taken back here and is blocked until somebody lifts it."""

    exit_code = 73


class NothingToRollBackTo(RolloutError):
    """No earlier good version is known in this environment."""

    exit_code = 74


class Locked(RolloutError):
    """Another tagline holds this environment and model."""

    exit_code = 75


class Superseded(RolloutError):
    """A newer promotion took this one's place."""

    exit_code = 76


class PlatformError(TaglineError):
    """The platform did not do what it was asked."""

    exit_code = 80


class PortTaken(PlatformError):
    """Another program listens on the port that tagline needs."""

    exit_code = 81


class ModelDoesNotLoad(PlatformError):
    """The model server did not become ready."""

    exit_code = 82


class PlatformUnavailable(PlatformError):
    """The platform did not answer in time."""

    exit_code = 83


class StateBroken(PlatformError):
    """A state file of the platform cannot be read."""

    exit_code = 84
