"""An answer of the server as one of our errors, in words: both shapes of its errors, log-in pages, wrong addresses."""

import json
import re
import shlex
from typing import Any
from urllib.parse import urlsplit

import msgspec
from tagline_task.masking import HIDDEN

from tagline import errors
from tagline.platforms.kubeflow.wire import Reply, place

API = "/apis/v2beta1"
LONGEST = 500
_USER = re.compile(r"User '(?P<user>[^']*)' is not authorized")
_RIGHT = re.compile(r"Namespace:(?P<namespace>[^,]*),Verb:(?P<verb>[^,]*),.*?Resource:(?P<resource>[^,]*),")
_WHY = re.compile(r"Error \[?(?P<why>.*?)\]?: Failed to authenticate")
_LOGIN = re.compile(
    r"/dex/|/oauth2/|oauth2.proxy|/openid-connect/|name=.?password|<title>\s*(sign|log)[\s-]?(in|on)", re.I
)
_UI = re.compile(r"KFP_FLAGS|<title>\s*Kubeflow (Pipelines|Central Dashboard)", re.I)
_VEILED = re.compile(r"Failed to create a pipeline( version)?")
_NEWER = re.compile(r"unknown template format|only supports schema version")
_NEWER_FIX = "compile it with a kfp of this server's version: it does not know what a later one writes"
_ACCESS = "look at access: in the platform file, and at what it names"
Trouble = errors.KfpError


class Said(msgspec.Struct, frozen=True):
    """An error as the server says it: `message` is the whole chain, `root` its last cause, if it tells one."""

    message: str
    root: str = ""

    @property
    def text(self) -> str:
        """For a person: of a chain that is too long, its end, which is its cause."""
        text = self.root or self.message
        return text if len(text) <= LONGEST else f"…{text[-LONGEST:]}"


def trouble(reply: Reply, who: str) -> Trouble | None:
    """What is wrong with an answer; None where it is a JSON object with a status below 300. `who` is us, in words."""
    if reply.status < 300 and _is_object(reply):
        return None
    if 300 <= reply.status < 400:
        return _sent_away(reply, who)
    if reply.is_html:
        return _page(reply, who)
    if reply.status < 300:
        return _not_a_server(reply, "what it says is no JSON object")
    return _by_status(reply, who)


def is_json(reply: Reply) -> bool:
    """Whether a body is JSON, whatever its header says."""
    try:
        json.loads(reply.body)
    except ValueError:
        return False
    return True


def _is_object(reply: Reply) -> bool:
    """Whether a body is a JSON object, as every good answer of the server is."""
    return is_json(reply) and isinstance(json.loads(reply.body), dict)


def said(reply: Reply) -> Said:
    """What the server says of an error, without stack traces and without secrets of ours."""
    try:
        body: Any = json.loads(reply.body)
    except ValueError:
        body = reply.text
    if not isinstance(body, dict):
        return Said(_clean(str(body)) or reply.reason)
    if "error_message" in body:
        return Said(_clean(str(body["error_message"])))
    details = body.get("details")
    first = details[0] if isinstance(details, list) and details else {}
    root = first.get("message", "") if isinstance(first, dict) else ""
    root = "" if root == "Internal Server Error" else str(root)
    return Said(_clean(str(body.get("message", ""))) or reply.reason, _clean(root))


def _clean(text: str) -> str:
    return HIDDEN.clean(text.strip().split("\n", 1)[0].strip())


def is_veiled(reply: Reply) -> bool:
    """Whether this is how an upload refuses: 400 in plain text, whose words hide a 401, a 403 or a 404."""
    plain = reply.headers.get("content-type", "").startswith("text/plain")
    return reply.status == 400 and plain and bool(_VEILED.fullmatch(said(reply).message))


def _by_status(reply: Reply, who: str) -> Trouble:
    words, where = said(reply), place(reply.url)
    match reply.status:
        case 401:
            return not_let_in(words.message, who, where)
        case 403:
            return _forbidden(words.message, who, where)
        case 404:
            return _missing(reply, words, where)
        case 429 | 502 | 503 | 504:
            what = f"the server answered {reply.status}: {words.text}"
            return errors.KfpUnavailable(
                what, where=where, fix="run it again", maybe_done=reply.status != 429
            )
        case status if status >= 500 and status != 501 and "exceeded quota" not in words.message:
            what = f"the server failed ({status}): {words.text}"
            fix = "look at the log of its pod: kubectl -n kubeflow logs deploy/ml-pipeline"
            return errors.KfpUnavailable(what, where=where, fix=fix, maybe_done=True)
        case status:
            what = f"the server refused it ({status}): {words.text}"
            fix = _NEWER_FIX if _NEWER.search(words.message) else ""
            return errors.KfpRefused(what, where=where, status=status, fix=fix)


def not_let_in(message: str, who: str, where: str) -> errors.KfpNotLetIn:
    """What a 401 means; its reason stands only in its text."""
    why = _WHY.search(message)
    reason, fix = why["why"] if why else "", _ACCESS
    if "expired" in message:
        fix = "make a new token: kubectl create token NAME -n NAMESPACE --audience pipelines.kubeflow.org"
    elif "audience" in message:
        fix = "kubectl create token NAME -n NAMESPACE --audience pipelines.kubeflow.org"
    elif "no user identity header" in message and not why:
        reason = (
            "it was told no identity" if "incorrectly formatted" not in message else "it reads only Bearer"
        )
    what = f"the server does not know {who}"
    return errors.KfpNotLetIn(f"{what}: {reason}" if reason else what, where=where, fix=fix)


def _forbidden(message: str, who: str, where: str) -> errors.KfpForbidden:
    user, right = _USER.search(message), _RIGHT.search(message)
    if not right:
        return errors.KfpForbidden(f"{who} may not: {message[-LONGEST:]}", where=where, fix=_ACCESS)
    name = user["user"] if user else who
    namespace = right["namespace"]
    what = f"{name} may not {right['verb']} {right['resource']} in {namespace or 'what is shared by all'}"
    return errors.KfpForbidden(what, where=where, fix=grant(name, namespace) if namespace else _ACCESS)


def grant(user: str, namespace: str) -> str:
    """The command with which an administrator lets a user act in a namespace."""
    account = user.removeprefix("system:serviceaccount:")
    subject = f"--user={user}" if account == user else f"--serviceaccount={account}"
    words = (
        "kubectl",
        "create",
        "rolebinding",
        "tagline",
        "-n",
        namespace,
        "--clusterrole=kubeflow-edit",
        subject,
    )
    return shlex.join(words)


def _missing(reply: Reply, words: Said, where: str) -> Trouble:
    if words.message in ("Not Found", "404 page not found") or not is_json(reply):
        return _not_a_server(reply, "it has nothing there")
    return errors.KfpNotThere(words.text, where=where)


def _not_a_server(reply: Reply, why: str) -> errors.KfpNotAServer:
    base = place(reply.url).partition(API)[0]
    other = base.removesuffix("/pipeline") if base.endswith("/pipeline") else f"{base}/pipeline"
    what = f"no Kubeflow Pipelines API answers at {base}: {why} (status {reply.status})"
    return errors.KfpNotAServer(what, where=place(reply.url), fix=f"endpoints: {{pipelines: {other}}}")


def _sent_away(reply: Reply, who: str) -> Trouble:
    to = _address(reply.headers.get("location", ""))
    if _LOGIN.search(to) or urlsplit(to).path.endswith(("/login", "/auth", "/sign_in")):
        return _log_in(reply, who, f"it sends us to {place(to)}")
    base = place(to).partition(API)[0] if to else "…"
    what = f"the server sends us elsewhere: {place(to) if to else 'to no address'}"
    return errors.KfpNotAServer(what, where=place(reply.url), fix=f"endpoints: {{pipelines: {base}}}")


def _address(text: str) -> str:
    """An address that can be read, or none."""
    try:
        urlsplit(text)
    except ValueError:
        return ""
    return text


def _page(reply: Reply, who: str) -> Trouble:
    text = reply.text[:65536]
    if _UI.search(text):
        return _not_a_server(reply, "this is a page of Kubeflow's dashboard")
    if _LOGIN.search(text) or reply.status in (401, 403):
        return _log_in(reply, who, "it answers with a page to log in")
    if reply.status >= 500:
        what = f"a proxy before the server answered {reply.status} with a page"
        return errors.KfpUnavailable(what, where=place(reply.url), fix="run it again", maybe_done=True)
    return _not_a_server(reply, "this is a page for a browser")


def _log_in(reply: Reply, who: str, how: str) -> errors.KfpNotLetIn:
    what = f"the gateway before the server does not let {who} in: {how}"
    return errors.KfpNotLetIn(what, where=place(reply.url), fix=_ACCESS)


def is_stranger(reply: Reply) -> bool:
    """Whether an answer says that it does not know us, so that another identity may help."""
    return reply.status == 401 or isinstance(trouble(reply, ""), errors.KfpNotLetIn)
