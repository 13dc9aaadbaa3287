"""110–119: the CI call, its host, and what passes between its agents."""

from tagline.errors.base import TaglineError


class CallError(TaglineError):
    """The CI call cannot be made as it was asked for, and no class below names why."""

    exit_code = 110


class EventNotUsable(CallError):
    """The CI host tells of an event that tagline has no meaning for."""

    exit_code = 115


class HostUnavailable(CallError):
    """The host's API did not answer, or not in time, or asks to wait longer than a job should.

    `maybe_done` is True where the request may have been carried out all the same.
    """

    exit_code = 118

    def __init__(self, what: str, *, where: str = "", fix: str = "", maybe_done: bool = False) -> None:
        super().__init__(what, where=where, fix=fix)
        self.maybe_done = maybe_done


class HostRefused(CallError):
    """The host's API refused: a right is missing, or what was asked for is not there; `status` is HTTP's."""

    exit_code = 119

    def __init__(self, what: str, *, where: str = "", fix: str = "", status: int = 0) -> None:
        super().__init__(what, where=where, fix=fix)
        self.status = status
