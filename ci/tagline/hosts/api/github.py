"""GitHub's REST API, as far as tagline asks it."""

from urllib.parse import quote

import msgspec

from tagline.errors import HostRefused
from tagline.hosts.api import Comment, TagRule, Woken
from tagline.hosts.api.http import Api, Patience, Request
from tagline.hosts.api.token import Token

VERSION = "2022-11-28"
_COMMENT = "the right to comment: permissions: pull-requests: write"
_PAGE = {"per_page": "100"}


class User(msgspec.Struct, frozen=True):
    """Who wrote a comment; `type` is `Bot` for an app."""

    login: str
    type: str = "User"


class IssueComment(msgspec.Struct, frozen=True):
    """A comment as GitHub lists it; `user` is None where the account is gone."""

    id: int
    body: str | None = None
    user: User | None = None


class PullRepo(msgspec.Struct, frozen=True):
    """The repository that a pull request comes from."""

    full_name: str


class PullHead(msgspec.Struct, frozen=True):
    """Where a pull request comes from; `repo` is None where the fork is gone."""

    sha: str
    repo: PullRepo | None = None


class Pull(msgspec.Struct, frozen=True):
    """A pull request as GitHub lists it."""

    number: int
    head: PullHead


class Repository(msgspec.Struct, frozen=True):
    """A repository."""

    default_branch: str


class RefName(msgspec.Struct, frozen=True):
    """Patterns of refs that a ruleset is for."""

    include: list[str] = []
    exclude: list[str] = []


class Conditions(msgspec.Struct, frozen=True):
    """What a ruleset is for."""

    ref_name: RefName = RefName()


class Rule(msgspec.Struct, frozen=True):
    """One rule of a ruleset, such as `creation`."""

    type: str


class Bypass(msgspec.Struct, frozen=True):
    """Who is above a ruleset; GitHub shows it only to those who may change it."""

    actor_type: str
    actor_id: int | None = None
    bypass_mode: str = "always"


class Ruleset(msgspec.Struct, frozen=True):
    """A ruleset; the list shows neither rules nor conditions."""

    id: int
    name: str
    target: str = "branch"
    enforcement: str = "active"
    conditions: Conditions | None = None
    rules: list[Rule] = []
    bypass_actors: list[Bypass] | None = None


class GitHub:
    """One repository (`owner/name`) at GitHub; `workflow` is the file that a wake runs."""

    def __init__(
        self, base: str, repository: str, token: Token, workflow: str = "", patience: Patience | None = None
    ) -> None:
        headers = {
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": VERSION,
            "Authorization": f"Bearer {token.reveal()}",
        }
        self.api = Api("GitHub", base, token, headers, patience)
        self._repo = f"/repos/{quote(repository)}"
        self._workflow = workflow

    def ours(self, number: int, marker: str) -> list[Comment]:
        """Our comments that end in the marker, oldest first."""
        request = Request(
            "GET", f"{self._repo}/issues/{number}/comments", "for the comments", _COMMENT, query=_PAGE
        )
        listed = self.api.pages(request, list[IssueComment])
        marked = [one for one in listed if (one.body or "").rstrip().endswith(marker)]
        if not marked:
            return []
        me = self._login()
        return [Comment(one.id, one.body or "") for one in marked if one.user and _is(one.user, me)]

    def create(self, number: int, body: str) -> None:
        """A new comment."""
        path = f"{self._repo}/issues/{number}/comments"
        self.api.ask(Request("POST", path, "to comment", _COMMENT, json={"body": body}))

    def update(self, number: int, comment: Comment, body: str) -> None:
        """Another text for a comment."""
        path = f"{self._repo}/issues/comments/{comment.id}"
        self.api.ask(Request("PATCH", path, "to change a comment", _COMMENT, json={"body": body}))

    def delete(self, number: int, comment: Comment) -> None:
        """Take a comment away."""
        path = f"{self._repo}/issues/comments/{comment.id}"
        self.api.ask(Request("DELETE", path, "to delete a comment", _COMMENT))

    def _login(self) -> str:
        """Whose token this is; "" for an app's, which GitHub does not tell its name."""
        try:
            answer = self.api.ask(Request("GET", "/user", "whose token this is", "a token"))
        except HostRefused as error:
            if error.status == 403:
                return ""
            raise
        return self.api.read(answer, User).login

    def wake(self) -> Woken:
        """A run of the workflow on the default branch, by `workflow_dispatch`."""
        right = f"permissions: actions: write, and on: workflow_dispatch in {self._workflow} on the default branch"
        path = f"{self._repo}/actions/workflows/{quote(self._workflow, safe='')}/dispatches"
        body = {"ref": self._default_branch()}
        self.api.ask(Request("POST", path, "to wake the default branch", right, json=body, again=True))
        return Woken()

    def _default_branch(self) -> str:
        request = Request("GET", self._repo, "for the default branch", "permissions: contents: read")
        return self.api.read(self.api.ask(request), Repository).default_branch

    def tag_rules(self) -> list[TagRule]:
        """Every active ruleset for tags; who is above it is told only to those who may change it."""
        right = "a token that may read the repository's rules (administration: read)"
        asked = ("for the rules over tags", right)
        query = {**_PAGE, "targets": "tag", "includes_parents": "true"}
        listed = self.api.pages(Request("GET", f"{self._repo}/rulesets", *asked, query=query), list[Ruleset])
        found = []
        for one in listed:
            if one.target == "tag" and one.enforcement == "active":
                answer = self.api.ask(Request("GET", f"{self._repo}/rulesets/{one.id}", *asked))
                found += _rules(self.api.read(answer, Ruleset))
        return found

    def pull_request(self, head: str, branch: str, commit: str) -> int | None:
        """The open pull request whose head is this commit of this repository's branch; None where none is."""
        owner = head.partition("/")[0]
        query = {**_PAGE, "state": "open", "head": f"{owner}:{branch}"}
        request = Request(
            "GET",
            f"{self._repo}/pulls",
            "for the pull request",
            "permissions: pull-requests: read",
            query=query,
        )
        for pull in self.api.pages(request, list[Pull]):
            repo = pull.head.repo.full_name if pull.head.repo else ""
            if pull.head.sha == commit and repo.lower() == head.lower():
                return pull.number
        return None


def _is(user: User, me: str) -> bool:
    return user.login == me if me else user.type == "Bot"


def _rules(ruleset: Ruleset) -> list[TagRule]:
    kinds = {rule.type for rule in ruleset.rules}
    creators = None
    if "creation" in kinds:
        above = ruleset.bypass_actors
        creators = ["not shown to this token"] if above is None else [_actor(one) for one in above]
    names = (ruleset.conditions or Conditions()).ref_name.include
    return [TagRule(name, creators, {"update", "deletion"} <= kinds) for name in names]


def _actor(actor: Bypass) -> str:
    roles = {1: "read", 2: "maintain", 4: "write", 5: "admin"}
    if actor.actor_type == "RepositoryRole" and actor.actor_id in roles:
        return f"role {roles[actor.actor_id]}"
    return actor.actor_type if actor.actor_id is None else f"{actor.actor_type} {actor.actor_id}"
