"""oauth2-proxy and Dex before a server: an unknown session is led through their pages, a known one passes."""

import urllib.error
import urllib.request
from urllib.parse import urlencode

from tests.fakes.oidc.http import Asked, Fake, Said

COOKIE = "oauth2_proxy_kubeflow"


class FakeGateway(Fake):
    """Lets `user` with `password` in as the user `email` of the server at `behind`.

    `connectors` are Dex's; with two it asks which. With `button` oauth2-proxy shows its page (403) first, with
    `approval` Dex asks whether access is granted. `wrong` is the status of Dex's form after a wrong password.
    """

    def __init__(self, behind: str, email: str = "alice@example.com") -> None:
        super().__init__()
        self.behind, self.email = behind, email
        self.user, self.password = email, "12341234-of-alice"
        self.connectors, self.button, self.approval, self.wrong = ["local", "ldap"], False, True, 200
        self._sessions: set[str] = set()
        self._logged_in: set[str] = set()
        self._count = 0

    def end_sessions(self) -> None:
        """Every cookie is one of a session that has ended."""
        self._sessions.clear()

    def answer(self, asked: Asked) -> Said:
        steps = {
            "/oauth2/start": self._start,
            "/dex/auth": self._which,
            "/dex/approval": self._approve,
            "/oauth2/callback": self._callback,
        }
        if asked.path in steps:
            return steps[asked.path](asked)
        if asked.path.startswith("/dex/auth/"):
            return self._dex(asked, asked.path.removeprefix("/dex/auth/"))
        if asked.cookies.get(COOKIE) in self._sessions:
            return self._pass(asked)
        return self._button() if self.button else self._start(asked)

    def _button(self) -> Said:
        form = '<form method="GET" action="/oauth2/start"><button>Sign in with OpenID Connect</button></form>'
        return Said(403, f"<!DOCTYPE html><html><title>Sign In</title>{form}</html>".encode())

    def _start(self, asked: Asked) -> Said:
        self._count += 1
        query = urlencode({"client_id": "kubeflow-oidc", "state": f"state-{self._count}"})
        return _to(302, f"/dex/auth?{query}", f"{COOKIE}_csrf=csrf-{self._count}; Path=/; HttpOnly")

    def _which(self, asked: Asked) -> Said:
        query = urlencode(asked.query)
        if len(self.connectors) == 1:
            return _to(302, f"/dex/auth/{self.connectors[0]}?{query}")
        links = "".join(f'<a href="/dex/auth/{one}?{query}">{one}</a>' for one in self.connectors)
        return Said(200, f"<!DOCTYPE html><html><title>dex</title>{links}</html>".encode())

    def _dex(self, asked: Asked, rest: str) -> Said:
        connector, _, page = rest.partition("/")
        if connector not in self.connectors:
            return Said(400, b"<!DOCTYPE html><html>Requested resource does not exist.</html>")
        if not page:
            query = urlencode({"back": "", "state": f"request-of-{asked.query.get('state')}"})
            return _to(302, f"/dex/auth/{connector}/login?{query}")
        if asked.method == "GET":
            return Said(200, _form(asked.whole, wrong=False))
        if (asked.form.get("login"), asked.form.get("password")) != (self.user, self.password):
            return Said(self.wrong, _form(asked.whole, wrong=True))
        request = asked.query["state"]
        self._logged_in.add(request)
        return _to(303, f"/dex/approval?{urlencode({'req': request})}")

    def _approve(self, asked: Asked) -> Said:
        request = asked.query.get("req", "")
        if request not in self._logged_in:
            return Said(500, b"<!DOCTYPE html><html>Login process not yet finalized.</html>")
        if self.approval and asked.method == "GET":
            hidden = f'<input type="hidden" name="req" value="{request}"/>'
            no = '<form method="post"><input type="hidden" name="approval" value="rejected"></form>'
            yes = f'<form method="post">{hidden}<input type="hidden" name="approval" value="approve"></form>'
            return Said(200, f"<!DOCTYPE html><html>Grant Access{yes}{no}</html>".encode())
        if self.approval and (asked.form.get("approval"), asked.form.get("req")) != ("approve", request):
            return Said(500, b"<!DOCTYPE html><html>Approval rejected.</html>")
        self._logged_in.discard(request)
        return _to(303, f"/oauth2/callback?{urlencode({'code': 'a-code', 'state': request})}")

    def _callback(self, asked: Asked) -> Said:
        if f"{COOKIE}_csrf" not in asked.cookies:
            return Said(403, b"<!DOCTYPE html><html>Unable to find a valid CSRF token.</html>")
        session = f"session-number-{self._count}"
        self._sessions.add(session)
        return _to(302, "/", f"{COOKIE}={session}; Path=/; HttpOnly; Max-Age=604800")

    def _pass(self, asked: Asked) -> Said:
        """The server's own answer, asked as the user of the session."""
        if asked.path == "/":
            return Said(200, b"<!doctype html><html><title>Kubeflow Central Dashboard</title></html>")
        headers = {"kubeflow-userid": self.email}
        headers |= {"Content-Type": asked.headers["content-type"]} if "content-type" in asked.headers else {}
        body = asked.body if asked.method != "GET" else None
        request = urllib.request.Request(self.behind + asked.whole, body, headers, method=asked.method)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return Said(answer.status, answer.read(), answer.headers["Content-Type"])
        except urllib.error.HTTPError as error:
            with error:
                return Said(error.code, error.read(), error.headers["Content-Type"])


def _form(url: str, *, wrong: bool) -> bytes:
    error = '<div id="login-error">Invalid Email Address and password.</div>' if wrong else ""
    fields = '<input name="login" type="text"/><input name="password" type="password"/>'
    page = f'<html><title>dex</title><form method="post" action="{url}">{fields}{error}</form></html>'
    return f"<!DOCTYPE html>{page}".encode()


def _to(status: int, url: str, cookie: str = "") -> Said:
    headers = (("Location", url), *([("Set-Cookie", cookie)] if cookie else []))
    return Said(status, b"", headers=tuple(headers))
