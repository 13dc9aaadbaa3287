"""Every way tagline can end, as one tree: a class for each, with its own exit code and the way out.

    TaglineError
    ├── RepositoryError    10–19   git, its remote, its work tree
    ├── ConfigError        20–29   tagline.yaml, names, what is asked for
    ├── PipelineError      30–39   compiling, checking, running tasks
    ├── VersionError       40–49   releases, model versions, promotion tags
    ├── LedgerError        50–59   the chain of decisions
    ├── GateError          60–69   the gate's answers and its failures
    ├── RolloutError       70–79   the canary's answers and its failures
    ├── PlatformError      80–89   what an environment runs on
    └── EngineError        90–99   images, registries, container engines

0 is success, 2 a wrong command line, 3 a bug of ours, 130 an interrupt.
"""

from tagline.errors.base import INTERNAL, INTERRUPTED, TaglineError
from tagline.errors.config import (
    BadWord,
    ConfigError,
    LockMissing,
    MissingKeys,
    MissingTool,
    NotYetSupported,
    TargetExists,
    UnknownName,
)
from tagline.errors.engine import (
    BaseNotPinned,
    BuildFailed,
    DeviceMissing,
    EngineError,
    EngineMissing,
    ImageMissing,
    ImageRefused,
    RegistryRefused,
    RegistryUnavailable,
)
from tagline.errors.gate import (
    GateDataChanged,
    GateError,
    GateInconclusive,
    GateRefused,
    ScorerMismatch,
)
from tagline.errors.ledger import (
    LedgerError,
    LedgerMissing,
    OtherMachine,
)
from tagline.errors.pipeline import (
    CheckFailed,
    EnvironmentConflict,
    InstallFailed,
    PipelineError,
    PipelineNotCurrent,
    SecretMissing,
    TaskContractBroken,
    TaskFailed,
    TaskTimedOut,
    TestsFailed,
)
from tagline.errors.platform import (
    ModelDoesNotLoad,
    PlatformError,
    PlatformUnavailable,
    PortTaken,
    StateBroken,
)
from tagline.errors.repository import (
    AmbiguousHead,
    DirtyTree,
    LostRace,
    NoAtomicPush,
    NoRemote,
    NoRepository,
    PushRefused,
    RemoteUnavailable,
    RepositoryError,
    ShallowClone,
)
from tagline.errors.rollout import (
    Blocked,
    Locked,
    NothingToRollBackTo,
    RolloutError,
    RolloutInconclusive,
    Superseded,
    TakenBack,
)
from tagline.errors.version import (
    ContentDiffers,
    NoModel,
    NotDescendant,
    NotOnALine,
    NotReleased,
    NotTrained,
    StillTraining,
    TagMoved,
    VersionError,
    VersionTwice,
)

__all__ = [
    "INTERNAL",
    "INTERRUPTED",
    "AmbiguousHead",
    "BadWord",
    "BaseNotPinned",
    "Blocked",
    "BuildFailed",
    "CheckFailed",
    "ConfigError",
    "ContentDiffers",
    "DeviceMissing",
    "DirtyTree",
    "EngineError",
    "EngineMissing",
    "EnvironmentConflict",
    "GateDataChanged",
    "GateError",
    "GateInconclusive",
    "GateRefused",
    "ImageMissing",
    "ImageRefused",
    "InstallFailed",
    "LedgerError",
    "LedgerMissing",
    "LockMissing",
    "Locked",
    "LostRace",
    "MissingKeys",
    "MissingTool",
    "ModelDoesNotLoad",
    "NoAtomicPush",
    "NoModel",
    "NoRemote",
    "NoRepository",
    "NotDescendant",
    "NotOnALine",
    "NotReleased",
    "NotTrained",
    "NotYetSupported",
    "NothingToRollBackTo",
    "OtherMachine",
    "PipelineError",
    "PipelineNotCurrent",
    "PlatformError",
    "PlatformUnavailable",
    "PortTaken",
    "PushRefused",
    "RegistryRefused",
    "RegistryUnavailable",
    "RemoteUnavailable",
    "RepositoryError",
    "RolloutError",
    "RolloutInconclusive",
    "ScorerMismatch",
    "SecretMissing",
    "ShallowClone",
    "StateBroken",
    "StillTraining",
    "Superseded",
    "TagMoved",
    "TaglineError",
    "TakenBack",
    "TargetExists",
    "TaskContractBroken",
    "TaskFailed",
    "TaskTimedOut",
    "TestsFailed",
    "UnknownName",
    "VersionError",
    "VersionTwice",
]
