"""GitLab's REST API in miniature, written from its documentation (version 4), never held beside the real one.

docs.gitlab.com/api: notes, pipelines, pipeline_triggers, protected_tags, commits, users and rest (authentication,
pagination, status codes), looked up on 2026-11-25. GitLab overlooks a key that it does not know; here it is
answered 400, so that none is sent for nothing.
"""

from typing import Any

from tests.fakes.hosts.server import Asked, FakeHost, Route, Said, paged

PROJECT = r"/projects/([^/]+)"


class FakeGitLab(FakeHost):
    """One project `team/fraud`, number 42, with one merge request, number 7."""

    prefix = "/api/v4"

    def __init__(self) -> None:
        super().__init__()
        self.names, self.branches = {"42", "team/fraud"}, {"main"}
        # token -> (user, role): 20 Reporter, 30 Developer, 40 Maintainer
        self.tokens = {"glpat-bot": (500, 40), "glpat-dev": (501, 30), "glpat-reporter": (502, 20)}
        self.triggers = {"glptt-ours"}
        self.notes: dict[int, list[dict[str, Any]]] = {7: []}
        self.pipelines: list[str] = []
        self.protected: list[dict[str, Any]] = []
        self.requests: list[dict[str, Any]] = []
        self._number = 100

    @property
    def api(self) -> str:
        return self.url + self.prefix

    def note(self, user: int, body: str, number: int = 7, *, system: bool = False) -> dict[str, Any]:
        """A note by somebody."""
        self._number += 1
        made = {
            "id": self._number,
            "body": body,
            "author": {"id": user, "username": f"u{user}"},
            "system": system,
        }
        self.notes[number].append(made)
        return made

    def routes(self) -> list[Route]:
        notes = PROJECT + r"/merge_requests/(\d+)/notes"
        return [
            ("GET", "/user", self._user),
            ("GET", notes, self._notes),
            ("POST", notes, self._create),
            ("PUT", notes + r"/(\d+)", self._update),
            ("DELETE", notes + r"/(\d+)", self._delete),
            ("POST", PROJECT + "/pipeline", self._pipeline),
            ("POST", PROJECT + "/trigger/pipeline", self._trigger),
            ("GET", PROJECT + "/protected_tags", self._protected),
            ("GET", PROJECT + r"/repository/commits/([0-9a-f]+)/merge_requests", self._requests),
        ]

    def before(self, asked: Asked) -> Said | None:
        if asked.path.endswith("/trigger/pipeline"):
            return None
        known = asked.headers.get("private-token") in self.tokens
        return None if known else Said(401, {"message": "401 Unauthorized"})

    def unknown(self, asked: Asked, methods: list[str]) -> Said:
        if methods:
            return Said(405, {"error": "405 Not Allowed"}, {"Allow": ", ".join(methods)})
        return Said(404, {"error": "404 Not Found"})

    def _who(self, asked: Asked) -> tuple[int, int]:
        return self.tokens[asked.headers["private-token"]]

    def _closed(self, asked: Asked, project: str, role: int) -> Said | None:
        if project not in self.names:
            return Said(404, {"message": "404 Project Not Found"})
        return None if self._who(asked)[1] >= role else Said(403, {"message": "403 Forbidden"})

    def _user(self, asked: Asked) -> Said:
        user = self._who(asked)[0]
        return Said(200, {"id": user, "username": f"u{user}", "bot": True})

    def _notes(self, asked: Asked, project: str, number: str) -> Said:
        closed = self._closed(asked, project, 20)
        if closed or int(number) not in self.notes:
            return closed or Said(404, {"message": "404 Not found"})
        return paged(asked, self.url, self.notes[int(number)])

    def _body(self, asked: Asked) -> Said | str:
        given = asked.json()
        if set(given) - {"body"}:
            return Said(400, {"error": f"{min(set(given) - {'body'})} is no parameter"})
        if not given.get("body"):
            return Said(400, {"error": "body is missing"})
        return str(given["body"])

    def _create(self, asked: Asked, project: str, number: str) -> Said:
        closed, body = self._closed(asked, project, 20), self._body(asked)
        if closed or isinstance(body, Said):
            return closed or body  # type: ignore[return-value]
        if int(number) not in self.notes:
            return Said(404, {"message": "404 Not found"})
        return Said(201, self.note(self._who(asked)[0], body, int(number)))

    def _mine(self, asked: Asked, number: str, note: str) -> dict[str, Any] | Said:
        found = next((one for one in self.notes.get(int(number), []) if one["id"] == int(note)), None)
        if found is None:
            return Said(404, {"message": "404 Note Not Found"})
        user, role = self._who(asked)
        return (
            found if found["author"]["id"] == user or role >= 40 else Said(403, {"message": "403 Forbidden"})
        )

    def _update(self, asked: Asked, project: str, number: str, note: str) -> Said:
        closed, body = self._closed(asked, project, 20), self._body(asked)
        if closed or isinstance(body, Said):
            return closed or body  # type: ignore[return-value]
        found = self._mine(asked, number, note)
        if isinstance(found, Said):
            return found
        found["body"] = body
        return Said(200, found)

    def _delete(self, asked: Asked, project: str, number: str, note: str) -> Said:
        closed, found = self._closed(asked, project, 20), self._mine(asked, number, note)
        if closed or isinstance(found, Said):
            return closed or found  # type: ignore[return-value]
        self.notes[int(number)].remove(found)
        return Said(204)

    def _make(self, ref: str) -> Said:
        if ref not in self.branches:
            return Said(400, {"message": {"base": ["Reference not found"]}})
        self.pipelines.append(ref)
        number = len(self.pipelines)
        return Said(201, {"id": number, "ref": ref, "web_url": f"{self.url}/team/fraud/-/pipelines/{number}"})

    def _pipeline(self, asked: Asked, project: str) -> Said:
        closed, given = self._closed(asked, project, 30), asked.json()
        if closed or set(given) - {"ref"}:
            return closed or Said(400, {"error": "only ref is a parameter here"})
        return self._make(given.get("ref", ""))

    def _trigger(self, asked: Asked, project: str) -> Said:
        given = asked.form()
        if project not in self.names or given.get("token") not in self.triggers:
            return Said(404, {"message": "404 Not Found"})
        if set(given) - {"token", "ref"}:
            return Said(400, {"error": "only token and ref are parameters here"})
        return self._make(given.get("ref", ""))

    def _protected(self, asked: Asked, project: str) -> Said:
        return self._closed(asked, project, 40) or paged(asked, self.url, self.protected)

    def _requests(self, asked: Asked, project: str, commit: str) -> Said:
        fit = [one for one in self.requests if one["sha"] == commit]
        return self._closed(asked, project, 20) or paged(asked, self.url, fit)
