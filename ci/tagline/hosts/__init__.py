"""The CI hosts that call tagline: which one this is, what its variables say, what its API can be asked."""

from collections.abc import Mapping
from enum import StrEnum


class Host(StrEnum):
    """Who calls: a CI host by its name, or `GIT` where only git itself can say what happened."""

    GIT = "git"
    JENKINS = "jenkins"
    GITLAB = "gitlab"
    GITHUB = "github"


# the variable that each host documents as the mark of its own jobs
_MARKS = {Host.GITHUB: "GITHUB_ACTIONS", Host.GITLAB: "GITLAB_CI", Host.JENKINS: "JENKINS_URL"}


def detect(environ: Mapping[str, str]) -> Host:
    """The host whose mark is set and not empty; `Host.GIT` where none is.

    Jenkins sets its mark only where its own address is configured; each build has its tag besides.
    """
    if environ.get("BUILD_TAG", "").startswith("jenkins-") and not environ.get("GITHUB_ACTIONS"):
        return Host.GITLAB if environ.get("GITLAB_CI") else Host.JENKINS
    return next((host for host, mark in _MARKS.items() if environ.get(mark)), Host.GIT)
