"""GitLab's REST API, as far as tagline asks it."""

from urllib.parse import quote

import msgspec

from tagline.hosts.api import Comment, TagRule, Woken
from tagline.hosts.api.http import Api, Patience, Request
from tagline.hosts.api.token import Token

TRIGGER = "glptt-"  # what a pipeline trigger token begins with
_COMMENT = "a project access token with scope api and role Reporter or more"
_PAGE = {"per_page": "100"}


class User(msgspec.Struct, frozen=True):
    """Whose token this is, or who wrote a note."""

    id: int


class Note(msgspec.Struct, frozen=True):
    """A comment as GitLab lists it."""

    id: int
    body: str
    author: User
    system: bool = False


class Pipeline(msgspec.Struct, frozen=True):
    """A pipeline that was made."""

    id: int
    web_url: str = ""


class Level(msgspec.Struct, frozen=True):
    """Who may create a protected tag."""

    access_level_description: str = ""


class ProtectedTag(msgspec.Struct, frozen=True):
    """A protected tag, or a wildcard."""

    name: str
    create_access_levels: list[Level] = []


class MergeRequest(msgspec.Struct, frozen=True):
    """A merge request that a commit belongs to."""

    iid: int
    sha: str
    state: str
    source_project_id: int | None = None


class GitLab:
    """One project (its number or path) at GitLab; `branch` is the default one, for a wake."""

    def __init__(
        self, base: str, project: str, token: Token, branch: str = "", patience: Patience | None = None
    ) -> None:
        trigger = token.reveal().startswith(TRIGGER)
        headers = {} if trigger else {"PRIVATE-TOKEN": token.reveal()}
        self.api = Api("GitLab", base, token, headers, patience)
        self._project = f"/projects/{quote(project, safe='')}"
        self._branch, self._trigger = branch, trigger

    def _notes(self, number: int) -> str:
        return f"{self._project}/merge_requests/{number}/notes"

    def ours(self, number: int, marker: str) -> list[Comment]:
        """Our comments that end in the marker, oldest first."""
        query = {**_PAGE, "sort": "asc", "order_by": "created_at"}
        request = Request("GET", self._notes(number), "for the comments", _COMMENT, query=query)
        listed = self.api.pages(request, list[Note])
        marked = [one for one in listed if not one.system and one.body.rstrip().endswith(marker)]
        if not marked:
            return []
        answer = self.api.ask(Request("GET", "/user", "whose token this is", _COMMENT))
        me = self.api.read(answer, User).id
        return [Comment(one.id, one.body) for one in marked if one.author.id == me]

    def create(self, number: int, body: str) -> None:
        """A new comment."""
        self.api.ask(Request("POST", self._notes(number), "to comment", _COMMENT, json={"body": body}))

    def update(self, number: int, comment: Comment, body: str) -> None:
        """Another text for a comment."""
        path = f"{self._notes(number)}/{comment.id}"
        self.api.ask(Request("PUT", path, "to change a comment", _COMMENT, json={"body": body}))

    def delete(self, number: int, comment: Comment) -> None:
        """Take a comment away."""
        path = f"{self._notes(number)}/{comment.id}"
        self.api.ask(Request("DELETE", path, "to delete a comment", _COMMENT))

    def wake(self) -> Woken:
        """A pipeline of the default branch: by a trigger token (`glptt-…`), or by an access token.

        No variable goes with it: a project may refuse those.
        """
        if self._trigger:
            form = {"token": self.api.token.reveal(), "ref": self._branch}
            right = (
                "a pipeline trigger token of this project whose owner may run pipelines on the default branch"
            )
            path, body = f"{self._project}/trigger/pipeline", {"form": form}
        else:
            right = "a token with scope api whose role may run pipelines on the default branch"
            path, body = f"{self._project}/pipeline", {"json": {"ref": self._branch}}
        request = Request("POST", path, "to wake the default branch", right, again=True, **body)
        return Woken(self.api.read(self.api.ask(request), Pipeline).web_url)

    def tag_rules(self) -> list[TagRule]:
        """Every protected tag or wildcard; GitLab lets nobody move one, and Maintainers delete one."""
        right = "a token with scope api and role Maintainer"
        request = Request(
            "GET", f"{self._project}/protected_tags", "for the protected tags", right, query=_PAGE
        )
        listed = self.api.pages(request, list[ProtectedTag])
        return [
            TagRule(
                one.name, [level.access_level_description for level in one.create_access_levels], True, True
            )
            for one in listed
        ]

    def pull_request(self, head: str, branch: str, commit: str) -> int | None:
        """The open merge request whose head is this commit of the project with the number `head`."""
        path = f"{self._project}/repository/commits/{quote(commit, safe='')}/merge_requests"
        request = Request("GET", path, "for the merge request", "a token with scope read_api", query=_PAGE)
        for one in self.api.pages(request, list[MergeRequest]):
            if one.state == "opened" and one.sha == commit and str(one.source_project_id) == head:
                return one.iid
        return None
