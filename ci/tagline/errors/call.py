"""110–119: the CI call, its host, and what passes between its agents."""

from tagline.errors.base import TaglineError


class CallError(TaglineError):
    """The CI call cannot be made as it was asked for, and no class below names why."""

    exit_code = 110


class EventNotUsable(CallError):
    """The CI host tells of an event that tagline has no meaning for."""

    exit_code = 115
