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
    ├── EngineError        90–99   images, registries, container engines
    ├── SecretsError     100–109   secrets, and the store they lie in
    └── CallError          110–119 the one call of CI: its event, plan files, agents, versions, its host

0 is success, 2 a wrong command line, 3 a bug of ours, 130 an interrupt (SIGINT), 143 a termination (SIGTERM).
"""

from tagline.errors.base import INTERNAL, INTERRUPTED, TERMINATED, TaglineError
from tagline.errors.call import (
    CallError,
    EventNotUsable,
    HostRefused,
    HostUnavailable,
    NeedsAgent,
    PlanDiffers,
    StateTampered,
    WrongVersion,
)
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
    NameTaken,
    PlatformError,
    PlatformUnavailable,
    PortTaken,
    PutDown,
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
from tagline.errors.secrets import (
    CredentialsMissing,
    SecretExposed,
    SecretNotThere,
    SecretsError,
    SecretsIncomplete,
    StoreRefused,
    StoreUnavailable,
    WriteLost,
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
    "TERMINATED",
    "AmbiguousHead",
    "BadWord",
    "BaseNotPinned",
    "Blocked",
    "BuildFailed",
    "CallError",
    "CheckFailed",
    "ConfigError",
    "ContentDiffers",
    "CredentialsMissing",
    "DeviceMissing",
    "DirtyTree",
    "EngineError",
    "EngineMissing",
    "EnvironmentConflict",
    "EventNotUsable",
    "GateDataChanged",
    "GateError",
    "GateInconclusive",
    "GateRefused",
    "HostRefused",
    "HostUnavailable",
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
    "NameTaken",
    "NeedsAgent",
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
    "PlanDiffers",
    "PlatformError",
    "PlatformUnavailable",
    "PortTaken",
    "PushRefused",
    "PutDown",
    "RegistryRefused",
    "RegistryUnavailable",
    "RemoteUnavailable",
    "RepositoryError",
    "RolloutError",
    "RolloutInconclusive",
    "ScorerMismatch",
    "SecretExposed",
    "SecretMissing",
    "SecretNotThere",
    "SecretsError",
    "SecretsIncomplete",
    "ShallowClone",
    "StateBroken",
    "StateTampered",
    "StillTraining",
    "StoreRefused",
    "StoreUnavailable",
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
    "WriteLost",
    "WrongVersion",
]
