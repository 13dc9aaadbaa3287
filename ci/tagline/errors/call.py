"""110–119: the one call of CI: its event, plan files, agents that hand over, the version that runs, its host."""

from tagline.errors.base import TaglineError


class CallError(TaglineError):
    """What CI handed to tagline is no plan file, or the call cannot be made as it was asked for."""

    exit_code = 110


class NeedsAgent(CallError):
    """This agent did what it can; what is left needs an agent that has more."""

    exit_code = 111


class PlanDiffers(CallError):
    """The plan file is not what this agent's own facts give: something has changed since it was made."""

    exit_code = 112


class StateTampered(CallError):
    """A result in the state directory is not what an earlier agent wrote for this plan."""

    exit_code = 113


class WrongVersion(CallError):
    """The policy asks for another version of tagline than the one that runs."""

    exit_code = 114


class EventNotUsable(CallError):
    """The CI host tells of an event that tagline has no meaning for."""

    exit_code = 115


class StateNotSealed(CallError):
    """A result in the state directory was not written by a tagline that has the same TAGLINE_STATE_KEY."""

    exit_code = 116


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
