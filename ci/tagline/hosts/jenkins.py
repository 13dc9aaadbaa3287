"""Jenkins: the variables of its branch projects and of its git plugin read as a call."""

from collections.abc import Mapping

from tagline.hosts import Host
from tagline.hosts.call import Call, Checkout, PullRequest, Run, Trigger

CAUSES = "TAGLINE_BUILD_CAUSES"
VARIABLES = {
    "JENKINS_URL": "the mark of Jenkins; unset where nobody set Jenkins' own address",
    "BUILD_TAG": "the mark of a build, which is always set: jenkins-JOB-NUMBER",
    "BRANCH_NAME": "the branch, tag or change of a build in a branch project",
    "BRANCH_IS_PRIMARY": "true: the branch is the default one",
    "TAG_NAME": "the tag",
    "CHANGE_ID": "the pull request",
    "CHANGE_BRANCH": "its source branch",
    "CHANGE_TARGET": "its target branch",
    "CHANGE_FORK": "the fork it comes from; unset where it is the same repository",
    "CHANGE_AUTHOR": "who opened it",
    "GIT_BRANCH": "the branch of a job outside branch projects",
    "GIT_COMMIT": "the commit that was checked out, where the git plugin exports it",
    "BUILD_URL": "the run's address",
    "BUILD_USER_ID": "who started the build, where the plugin build-user-vars is installed",
    CAUSES: "the class names of currentBuild.getBuildCauses(), by commas; exported by the shared library alone",
}
_TIMERS = {"hudson.triggers.TimerTrigger$TimerTriggerCause"}
_DISPATCHES = {
    "hudson.model.Cause$UserIdCause",
    "hudson.model.Cause$RemoteCause",
    "hudson.model.Cause$UpstreamCause",
    "org.jenkinsci.plugins.workflow.support.steps.build.BuildUpstreamCause",
}
_AGAIN = {
    "org.jenkinsci.plugins.workflow.cps.replay.ReplayCause",
    "org.jenkinsci.plugins.pipeline.modeldefinition.causes.RestartDeclarativePipelineCause",
    "com.sonyericsson.rebuild.RebuildCause",
}


def read(environ: Mapping[str, str]) -> Call:
    """The call that these variables of Jenkins mean; its `ref` is "" where Jenkins does not say."""
    branch, tag = _ref(environ)
    pull = _pull(environ)
    primary = environ.get("BRANCH_IS_PRIMARY") == "true"
    return Call(
        host=Host.JENKINS,
        trigger=_trigger(_causes(environ), tag, pull),
        ref=pull.source if pull else tag or branch,
        commit=environ.get("GIT_COMMIT", ""),
        default_branch=branch if primary else "",
        pull=pull,
        run=read_run(environ),
    )


def read_run(environ: Mapping[str, str]) -> Run:
    """The build that these variables belong to."""
    return Run(
        id=environ.get("BUILD_TAG", ""),
        url=environ.get("BUILD_URL", ""),
        actor=environ.get("BUILD_USER_ID") or environ.get("CHANGE_AUTHOR", ""),
        rerun=bool(_causes(environ) & _AGAIN),
    )


def _causes(environ: Mapping[str, str]) -> set[str]:
    return {cause.strip() for cause in environ.get(CAUSES, "").split(",")}


def _ref(environ: Mapping[str, str]) -> tuple[str, str]:
    """The branch and the tag; a branch project's own words before those of the git plugin."""
    if environ.get("BRANCH_NAME"):
        return environ["BRANCH_NAME"], environ.get("TAG_NAME", "")
    name = environ.get("GIT_BRANCH", "").removeprefix("refs/remotes/").removeprefix("origin/")
    if name.startswith(("refs/tags/", "tags/")):
        return "", name.removeprefix("refs/").removeprefix("tags/")
    return "" if name == "detached" else name.removeprefix("refs/heads/"), ""


def _trigger(causes: set[str], tag: str, pull: PullRequest | None) -> Trigger:
    if pull:
        return Trigger.PULL_REQUEST
    if tag:
        return Trigger.TAG
    if causes - _TIMERS - _DISPATCHES - _AGAIN - {""}:  # a push among them: what it brought must be released
        return Trigger.PUSH
    if causes & _TIMERS:
        return Trigger.SCHEDULE
    if causes & _DISPATCHES and not causes & _AGAIN:
        return Trigger.DISPATCH
    return Trigger.PUSH


def _pull(environ: Mapping[str, str]) -> PullRequest | None:
    number = environ.get("CHANGE_ID", "")
    if not number:
        return None
    return PullRequest(
        number=int(number) if number.isdecimal() else 0,
        source=environ.get("CHANGE_BRANCH") or environ.get("BRANCH_NAME", ""),
        target=environ.get("CHANGE_TARGET", ""),
        fork=bool(environ.get("CHANGE_FORK")),
        checkout=_checkout(environ.get("BRANCH_NAME", "")),
    )


def _checkout(name: str) -> Checkout:
    """Where a project builds both, the names of its builds end in what is checked out; else git knows."""
    if name.endswith("-merge"):
        return Checkout.MERGED
    return Checkout.SOURCE if name.endswith("-head") else Checkout.UNSAID
