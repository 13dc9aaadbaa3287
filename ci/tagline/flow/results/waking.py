"""The tag's own job: is the tag one to act on, then wake a run of the default branch, which alone may act."""

from collections.abc import Mapping

from tagline.flow.promoting import resolve
from tagline.flow.promoting.promotion import read_request
from tagline.flow.report import Report, StepReport, Told, done, nothing, perform
from tagline.flow.world import World
from tagline.hosts.api import access
from tagline.hosts.api.access import Absent
from tagline.words import Promotion

STEP = "wake"
INTERVAL = "TAGLINE_SCHEDULE"


def check_tag(world: World, promotion: Promotion) -> StepReport:
    """Everything that can be said of a promotion tag without asking the platform.

    Raises `UnknownName`, `MissingKeys`, `NotOnALine`, `VersionError`, `BadWord` for its trailers.
    """
    resolve.check_asked(world.policy, promotion)
    _, said = read_request(world, promotion)
    wanted = said.model_version or "the newest model of its commit's release"
    return done("tag", f"{promotion} asks for {wanted}", promotion=str(promotion))


def wake(environ: Mapping[str, str]) -> StepReport:
    """Wake a run of the default branch; where nobody may, the schedule acts, and the step says so.

    Raises `HostRefused` with the right that is missing, `HostUnavailable`.
    """
    host = access.waking(environ)
    if isinstance(host, Absent):
        within = f"within {environ[INTERVAL]}" if environ.get(INTERVAL) else "when it next runs"
        return nothing(STEP, f"{host.why}: the schedule acts on it {within}")
    woken = host.wake()
    where = f": {woken.url}" if woken.url else ""
    return done(STEP, f"woke a run of the default branch{where}", url=woken.url)


def wake_command(environ: Mapping[str, str], told: Told) -> Report:
    """`tagline wake`."""
    return perform(Report(STEP, ""), told, [(STEP, lambda: wake(environ))])
