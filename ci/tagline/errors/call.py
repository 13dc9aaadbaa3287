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
