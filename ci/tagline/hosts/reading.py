"""One reader for each CI host: from its variables to the call it makes."""

from collections.abc import Callable, Mapping

from tagline.hosts import Host, detect, github, gitlab, jenkins
from tagline.hosts.call import Call, Run

READERS: dict[Host, Callable[[Mapping[str, str]], Call]] = {
    Host.GITHUB: github.read,
    Host.GITLAB: gitlab.read,
    Host.JENKINS: jenkins.read,
}
RUNS: dict[Host, Callable[[Mapping[str, str]], Run]] = {
    Host.GITHUB: github.read_run,
    Host.GITLAB: gitlab.read_run,
    Host.JENKINS: jenkins.read_run,
}
VARIABLES: dict[Host, Mapping[str, str]] = {
    Host.GITHUB: github.VARIABLES,
    Host.GITLAB: gitlab.VARIABLES,
    Host.JENKINS: jenkins.VARIABLES,
}


def read_call(environ: Mapping[str, str]) -> Call | None:
    """The call that the host of this environment makes; None where only git can say what happened.

    Raises `EventNotUsable` for an event that tagline has no meaning for.
    """
    host = detect(environ)
    return None if host is Host.GIT else READERS[host](environ)


def read_run(environ: Mapping[str, str]) -> Run:
    """The host's run, whatever it is about; an empty one outside every host."""
    host = detect(environ)
    return Run() if host is Host.GIT else RUNS[host](environ)


def without_host(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables without those of any host: for work on a repository that the host's run is not about."""
    ours = {name for variables in VARIABLES.values() for name in variables}
    return {name: value for name, value in environ.items() if name not in ours}
