"""80–89: what an environment runs on."""

from tagline.errors.base import TaglineError


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


class NameTaken(PlatformError):
    """Another repository's pipeline has this name on this platform."""

    exit_code = 85


class PutDown(PlatformUnavailable):
    """Somebody took the local platform down while this command needed it."""

    exit_code = 86
