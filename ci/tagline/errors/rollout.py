"""70–79: the canary's answers and its failures."""

from tagline.errors.base import TaglineError


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


class DidNotAnswer(RolloutError):
    """Traffic was switched to a version by a rollback, and no answer of it was seen since."""

    exit_code = 77


class Superseded(RolloutError):
    """A newer promotion took this one's place."""

    exit_code = 76
