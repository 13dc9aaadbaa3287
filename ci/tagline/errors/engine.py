"""90–99: images, registries and container engines."""

from tagline.errors.base import TaglineError


class EngineError(TaglineError):
    """A container engine did not do what it was asked."""

    exit_code = 90


class EngineMissing(EngineError):
    """No container engine answers where one is needed."""

    exit_code = 91


class BuildFailed(EngineError):
    """The image could not be built: the end of the engine's log is shown."""

    exit_code = 92


class BaseNotPinned(EngineError):
    """The Dockerfile names an image by a tag only, which may be another image tomorrow."""

    exit_code = 93


class ImageRefused(EngineError):
    """The Dockerfile or the image does what a release's image must not."""

    exit_code = 94


class RegistryUnavailable(EngineError):
    """The registry did not answer, or could not do its work."""

    exit_code = 95


class RegistryRefused(EngineError):
    """The registry does not let us in, or does not accept what was sent."""

    exit_code = 96


class DeviceMissing(EngineError):
    """A task asks for devices that its container would not see."""

    exit_code = 97


class ImageMissing(EngineError):
    """An image that was built once is no longer there; it is never built again."""

    exit_code = 98
