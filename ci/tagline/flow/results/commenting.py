"""Brings a report under its pull request: from the host's variables alone, without a repository."""

from collections.abc import Mapping

from tagline.flow.report import Report, StepReport, Told, done, nothing, perform
from tagline.hosts.api import access, comments
from tagline.hosts.api.access import Absent

STEP = "comment"


def comment(environ: Mapping[str, str], told: Told, body: str, pipeline: str, *, fork: bool) -> Report:
    """Make the comment, or change the one that stands there; nothing, with the reason, where none can be.

    With `fork` the pull request is the one whose head a fork's ended run had.
    """

    def act() -> StepReport:
        found = access.fork_thread(environ) if fork else access.thread(environ)
        if isinstance(found, Absent):
            return nothing(STEP, found.why)
        made = comments.place(found.host, found.number, body, comments.marker(pipeline))
        if made == "kept":
            return nothing(STEP, f"the comment under {found.number} says this already", number=found.number)
        return done(STEP, f"{made} the comment under {found.number}", number=found.number)

    return perform(Report(STEP, ""), told, [(STEP, act)])
