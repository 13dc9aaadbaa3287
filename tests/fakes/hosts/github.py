"""GitHub's REST API in miniature, written from its documentation (version 2022-11-28), never held beside the real one.

docs.github.com/rest: issues/comments, actions/workflows, repos/rules, pulls/pulls, repos/repos, users/users and
using-the-rest-api (rate limits, pagination), looked up on 2026-11-25. A key that an endpoint does not take: 422.
"""

from dataclasses import dataclass, field
from typing import Any

from tests.fakes.hosts.server import Asked, FakeHost, Route, Said, paged

APP = "github-actions[bot]"
OWNER = r"/repos/([^/]+/[^/]+)"


@dataclass
class Grant:
    """What a token may: GitHub's words for permissions, and whose it is; an app cannot ask who it is."""

    login: str
    app: bool = False
    may: set[str] = field(
        default_factory=lambda: {
            "metadata:read",
            "pull-requests:write",
            "actions:write",
            "administration:read",
        }
    )


class FakeGitHub(FakeHost):
    """One repository `team/fraud` with one pull request, number 7, and a workflow `ci.yml`."""

    prefix = "/api/v3"

    def __init__(self) -> None:
        super().__init__()
        self.repository, self.default_branch = "team/fraud", "main"
        self.tokens: dict[str, Grant] = {
            "ghs_app": Grant(APP, app=True),
            "ghp_ada": Grant("ada"),
            "ghs_reader": Grant(APP, app=True, may={"metadata:read"}),
        }
        self.comments: dict[int, list[dict[str, Any]]] = {7: []}
        self.workflows = {"ci.yml": True, "other.yml": False}
        self.woken: list[str] = []
        self.rulesets: list[dict[str, Any]] = []
        self.pulls: list[dict[str, Any]] = []
        self._number = 100

    @property
    def api(self) -> str:
        return self.url + self.prefix

    def comment(self, login: str, body: str, number: int = 7) -> dict[str, Any]:
        """A comment by somebody."""
        self._number += 1
        kind = "Bot" if login.endswith("[bot]") else "User"
        made = {"id": self._number, "body": body, "user": {"login": login, "type": kind, "id": 1}}
        self.comments[number].append(made)
        return made

    def pull(self, number: int, head: str, branch: str, commit: str, state: str = "open") -> None:
        """A pull request from a repository's branch."""
        owner = head.partition("/")[0]
        side = {"label": f"{owner}:{branch}", "ref": branch, "sha": commit, "repo": {"full_name": head}}
        self.pulls.append({"number": number, "state": state, "head": side})
        self.comments.setdefault(number, [])

    def routes(self) -> list[Route]:
        return [
            ("GET", "/user", self._user),
            ("GET", OWNER, self._repository),
            ("GET", OWNER + r"/issues/(\d+)/comments", self._comments),
            ("POST", OWNER + r"/issues/(\d+)/comments", self._create),
            ("PATCH", OWNER + r"/issues/comments/(\d+)", self._update),
            ("DELETE", OWNER + r"/issues/comments/(\d+)", self._delete),
            ("POST", OWNER + r"/actions/workflows/([^/]+)/dispatches", self._dispatch),
            ("GET", OWNER + "/rulesets", self._rulesets),
            ("GET", OWNER + r"/rulesets/(\d+)", self._ruleset),
            ("GET", OWNER + "/pulls", self._pulls),
        ]

    def before(self, asked: Asked) -> Said | None:
        kind, _, token = asked.headers.get("authorization", "").partition(" ")
        if kind != "Bearer" or token not in self.tokens:
            return _refusal(401, "Bad credentials")
        if asked.headers.get("x-github-api-version") != "2022-11-28":
            return _refusal(400, "an API version is needed here")
        return None

    def unknown(self, asked: Asked, methods: list[str]) -> Said:
        return _refusal(404, "Not Found")

    def _grant(self, asked: Asked) -> Grant:
        return self.tokens[asked.headers["authorization"].partition(" ")[2]]

    def _closed(self, asked: Asked, repository: str, right: str) -> Said | None:
        if repository != self.repository:
            return _refusal(404, "Not Found")
        if right not in self._grant(asked).may:
            return _refusal(403, "Resource not accessible by integration")
        return None

    def _user(self, asked: Asked) -> Said:
        grant = self._grant(asked)
        if grant.app:
            return _refusal(403, "Resource not accessible by integration")
        return Said(200, {"login": grant.login, "id": 1, "type": "User"})

    def _repository(self, asked: Asked, repository: str) -> Said:
        closed = self._closed(asked, repository, "metadata:read")
        return closed or Said(200, {"full_name": repository, "default_branch": self.default_branch})

    def _comments(self, asked: Asked, repository: str, number: str) -> Said:
        closed = self._closed(asked, repository, "metadata:read")
        if closed or int(number) not in self.comments:
            return closed or _refusal(404, "Not Found")
        return paged(asked, self.url, self.comments[int(number)])

    def _body(self, asked: Asked) -> Said | str:
        given = asked.json()
        for key in given:
            if key != "body":
                return _refusal(422, f'Invalid request.\n\n"{key}" is not a permitted key.')
        if not given.get("body"):
            return _refusal(422, 'Invalid request.\n\n"body" wasn\'t supplied.')
        if len(given["body"]) > 65_536:
            return _refusal(422, "Validation Failed: body is too long (maximum is 65536 characters)")
        return str(given["body"])

    def _create(self, asked: Asked, repository: str, number: str) -> Said:
        closed, body = self._closed(asked, repository, "pull-requests:write"), self._body(asked)
        if closed or isinstance(body, Said):
            return closed or body  # type: ignore[return-value]
        if int(number) not in self.comments:
            return _refusal(404, "Not Found")
        return Said(201, self.comment(self._grant(asked).login, body, int(number)))

    def _find(self, comment: str) -> tuple[list[dict[str, Any]], dict[str, Any]] | None:
        for listed in self.comments.values():
            for one in listed:
                if one["id"] == int(comment):
                    return listed, one
        return None

    def _update(self, asked: Asked, repository: str, comment: str) -> Said:
        closed, body = self._closed(asked, repository, "pull-requests:write"), self._body(asked)
        if closed or isinstance(body, Said):
            return closed or body  # type: ignore[return-value]
        found = self._find(comment)
        if found is None:
            return _refusal(404, "Not Found")
        found[1]["body"] = body
        return Said(200, found[1])

    def _delete(self, asked: Asked, repository: str, comment: str) -> Said:
        closed, found = self._closed(asked, repository, "pull-requests:write"), self._find(comment)
        if closed or found is None:
            return closed or _refusal(404, "Not Found")
        found[0].remove(found[1])
        return Said(204)

    def _dispatch(self, asked: Asked, repository: str, workflow: str) -> Said:
        closed, given = self._closed(asked, repository, "actions:write"), asked.json()
        if closed or workflow not in self.workflows:
            return closed or _refusal(404, "Not Found")
        if set(given) - {"ref", "inputs"}:
            return _refusal(422, f'Invalid request.\n\n"{min(set(given) - {"ref"})}" is not a permitted key.')
        if not self.workflows[workflow]:
            return _refusal(422, "Workflow does not have 'workflow_dispatch' trigger")
        if given.get("ref") != self.default_branch:
            return _refusal(422, f"No ref found for: {given.get('ref')}")
        self.woken.append(workflow)
        return Said(204)

    def _rulesets(self, asked: Asked, repository: str) -> Said:
        closed = self._closed(asked, repository, "metadata:read")
        kinds = asked.query.get("targets", "branch,tag").split(",")
        fields = ("id", "name", "target", "source_type", "source", "enforcement")
        listed = [
            {key: one[key] for key in fields if key in one} for one in self.rulesets if one["target"] in kinds
        ]
        return closed or paged(asked, self.url, listed)

    def _ruleset(self, asked: Asked, repository: str, number: str) -> Said:
        closed = self._closed(asked, repository, "metadata:read")
        found = next((one for one in self.rulesets if one["id"] == int(number)), None)
        if closed or found is None:
            return closed or _refusal(404, "Not Found")
        above = "administration:read" in self._grant(asked).may
        return Said(200, {key: value for key, value in found.items() if above or key != "bypass_actors"})

    def _pulls(self, asked: Asked, repository: str) -> Said:
        closed = self._closed(asked, repository, "metadata:read")
        state, head = asked.query.get("state", "open"), asked.query.get("head", "")
        fit = [
            one for one in self.pulls if state in {one["state"], "all"} and head in {"", one["head"]["label"]}
        ]
        return closed or paged(asked, self.url, fit)


def _refusal(status: int, message: str) -> Said:
    return Said(
        status,
        {"message": message, "documentation_url": "https://docs.github.com/rest", "status": str(status)},
    )
