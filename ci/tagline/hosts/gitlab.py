"""GitLab CI: its predefined variables read as a call."""

from collections.abc import Mapping

from tagline.errors import EventNotUsable
from tagline.hosts import Host
from tagline.hosts.call import Call, Checkout, PullRequest, Run, Trigger

VARIABLES = {
    "GITLAB_CI": "the mark of a job of GitLab CI",
    "CI_PIPELINE_SOURCE": "what happened",
    "CI_COMMIT_BRANCH": "the branch of a branch pipeline",
    "CI_COMMIT_TAG": "the tag of a tag pipeline",
    "CI_COMMIT_SHA": "the commit that is checked out",
    "CI_DEFAULT_BRANCH": "the project's default branch",
    "CI_MERGE_REQUEST_IID": "the merge request",
    "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "its source branch",
    "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "its target branch",
    "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": "its source's head; given in merged results only",
    "CI_MERGE_REQUEST_EVENT_TYPE": "detached, merged_result or merge_train: what is checked out",
    "CI_MERGE_REQUEST_PROJECT_PATH": "the project that it is to be merged into",
    "CI_MERGE_REQUEST_SOURCE_PROJECT_PATH": "the project it comes from; another one is a fork",
    "CI_PIPELINE_ID": "the run",
    "CI_PIPELINE_URL": "the run's address",
    "GITLAB_USER_LOGIN": "who caused the run",
}
_DISPATCHES = {"web", "api", "trigger", "pipeline", "chat", "webide"}


def read(environ: Mapping[str, str]) -> Call:
    """The call that these variables of GitLab CI mean; raises `EventNotUsable` for a source without meaning."""
    trigger = _trigger(environ)
    pull = _pull(environ) if trigger is Trigger.PULL_REQUEST else None
    branch = pull.source if pull else environ.get("CI_COMMIT_BRANCH", "")
    return Call(
        host=Host.GITLAB,
        trigger=trigger,
        ref=environ.get("CI_COMMIT_TAG", "") if trigger is Trigger.TAG else branch,
        commit=environ.get("CI_COMMIT_SHA", ""),
        default_branch=environ.get("CI_DEFAULT_BRANCH", ""),
        pull=pull,
        run=read_run(environ),
    )


def read_run(environ: Mapping[str, str]) -> Run:
    """The run that these variables belong to; GitLab does not say that a job is made again."""
    return Run(
        id=environ.get("CI_PIPELINE_ID", ""),
        url=environ.get("CI_PIPELINE_URL", ""),
        actor=environ.get("GITLAB_USER_LOGIN", ""),
    )


def _trigger(environ: Mapping[str, str]) -> Trigger:
    source = environ.get("CI_PIPELINE_SOURCE", "")
    if environ.get("CI_MERGE_REQUEST_IID"):  # a child pipeline of a merge request has these variables too
        return Trigger.PULL_REQUEST
    if environ.get("CI_COMMIT_TAG"):  # a schedule of a tag has both
        return Trigger.TAG
    if source == "schedule":
        return Trigger.SCHEDULE
    if source in {"push", "parent_pipeline"}:
        return Trigger.PUSH
    if source in _DISPATCHES:
        return Trigger.DISPATCH
    raise EventNotUsable(
        f"GitLab's pipeline source {source!r} has no meaning for tagline",
        where="CI_PIPELINE_SOURCE",
        fix="rules: for push, merge_request_event, schedule, web; or tagline ci --event EVENT --ref REF",
    )


def _pull(environ: Mapping[str, str]) -> PullRequest:
    merged = environ.get("CI_MERGE_REQUEST_EVENT_TYPE") in {"merged_result", "merge_train"}
    head = environ.get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", "")
    source = environ.get("CI_MERGE_REQUEST_SOURCE_PROJECT_PATH", "")
    return PullRequest(
        number=int(environ["CI_MERGE_REQUEST_IID"]),
        source=environ.get("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", ""),
        target=environ.get("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", ""),
        head=head if merged else environ.get("CI_COMMIT_SHA", ""),
        fork=not source or source != environ.get("CI_MERGE_REQUEST_PROJECT_PATH", ""),
        checkout=Checkout.MERGED if merged else Checkout.SOURCE,
    )
