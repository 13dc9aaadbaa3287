"""Jenkins' remote access API, as far as tagline asks it: the build of one fixed job."""

import base64
from urllib.parse import quote

import msgspec

from tagline.errors import HostRefused
from tagline.hosts.api import Woken
from tagline.hosts.api.http import Api, Patience, Request
from tagline.hosts.api.token import Token


class Crumb(msgspec.Struct, frozen=True):
    """What Jenkins wants back with each POST."""

    crumb: str
    crumb_request_field: str = msgspec.field(name="crumbRequestField")


class Jenkins:
    """One job (`folder/job`) of a Jenkins, built with a user's API token."""

    def __init__(
        self, base: str, job: str, user: str, token: Token, patience: Patience | None = None
    ) -> None:
        basic = base64.b64encode(f"{user}:{token.reveal()}".encode()).decode()
        self.api = Api("Jenkins", base, token, {"Authorization": f"Basic {basic}"}, patience)
        self._job = "".join(f"/job/{quote(part, safe='')}" for part in job.strip("/").split("/"))
        self._right = f"the permissions Job/Read and Job/Build on {job} for the user {user}"

    def wake(self) -> Woken:
        """A build of the job, which is fixed to the default branch and has no parameters."""
        request = Request(
            "POST",
            f"{self._job}/build",
            "to wake the default branch",
            self._right,
            headers=self._crumb(),
            again=True,
        )
        return Woken(self.api.ask(request).headers.get("location", ""))

    def _crumb(self) -> dict[str, str]:
        """The crumb and the session it belongs to; nothing where Jenkins issues none."""
        request = Request("GET", "/crumbIssuer/api/json", "for a crumb", self._right)
        try:
            answer = self.api.ask(request)
        except HostRefused as error:
            if error.status == 404:
                return {}
            raise
        crumb = self.api.read(answer, Crumb)
        session = answer.headers.get("set-cookie", "").partition(";")[0]
        return {crumb.crumb_request_field: crumb.crumb, **({"Cookie": session} if session else {})}
