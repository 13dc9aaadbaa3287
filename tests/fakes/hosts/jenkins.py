"""Jenkins' remote access API in miniature, written from its documentation, never held beside the real one.

wiki.jenkins.io Remote access API, docs.cloudbees.com "CSRF protection explained", looked up on 2026-11-25: a crumb
belongs to its session. A real Jenkins asks none of those who come with an API token; here each POST needs it.
"""

import base64

from tests.fakes.hosts.server import Asked, FakeHost, Route, Said

CRUMB, SESSION = "c0ffee", "JSESSIONID.1=abc"


class FakeJenkins(FakeHost):
    """One job `fraud/main` in a folder; the user `tagline` may build it, the user `reader` only see it."""

    def __init__(self, *, crumbs: bool = True) -> None:
        super().__init__()
        self.crumbs = crumbs
        self.users = {"tagline": "11aa", "reader": "22bb", "stranger": "33cc"}
        self.disabled = False
        self.built: list[str] = []

    def routes(self) -> list[Route]:
        return [
            ("GET", "/crumbIssuer/api/json", self._crumb),
            ("POST", "/job/fraud/job/main/build", self._build),
        ]

    def before(self, asked: Asked) -> Said | None:
        user, password = self._who(asked)
        if self.users.get(user) != password:
            return Said(
                401, "<html>Invalid password/token</html>", {"WWW-Authenticate": 'Basic realm="Jenkins"'}
            )
        held = asked.headers.get("jenkins-crumb") == CRUMB and SESSION in asked.headers.get("cookie", "")
        if asked.method == "POST" and self.crumbs and not held:
            return Said(403, "<html>No valid crumb was included in the request</html>")
        return None

    def _who(self, asked: Asked) -> tuple[str, str]:
        kind, _, value = asked.headers.get("authorization", "").partition(" ")
        user, _, password = base64.b64decode(value if kind == "Basic" else b"").decode().partition(":")
        return user, password

    def unknown(self, asked: Asked, methods: list[str]) -> Said:
        if "POST" in methods:
            return Said(405, "<html>Form post required</html>", {"Allow": "POST"})
        return Said(404, "<html>Not Found</html>")

    def _crumb(self, asked: Asked) -> Said:
        if not self.crumbs:
            return Said(404, "<html>Not Found</html>")
        issuer = {"_class": "hudson.security.csrf.DefaultCrumbIssuer"}
        said = {**issuer, "crumb": CRUMB, "crumbRequestField": "Jenkins-Crumb"}
        return Said(200, said, {"Set-Cookie": f"{SESSION}; Path=/; HttpOnly"})

    def _build(self, asked: Asked) -> Said:
        user, _ = self._who(asked)
        if user == "stranger":
            return Said(404, "<html>Not Found</html>")
        if user != "tagline":
            return Said(403, "<html>reader is missing the Job/Build permission</html>")
        if self.disabled:
            return Said(409, "<html>fraud/main is not buildable</html>")
        self.built.append("fraud/main")
        return Said(201, None, {"Location": f"{self.url}/queue/item/{len(self.built)}/"})
