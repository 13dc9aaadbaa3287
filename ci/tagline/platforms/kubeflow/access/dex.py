"""A log-in through oauth2-proxy and Dex by their own pages, as Kubeflow's documentation scripts it."""

import html
import re
from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit, urlunsplit

from tagline_task.masking import Secret

from tagline.errors import KfpNotLetIn
from tagline.kubeflow_keys import Dex
from tagline.kubeflow_rules import is_local
from tagline.platforms.kubeflow.access import Header, Identity
from tagline.platforms.kubeflow.access.browser import Browser
from tagline.platforms.kubeflow.access.given import secret, word
from tagline.platforms.kubeflow.wire import Reply, Wire, place

START = "/oauth2/start"
_CONNECTOR = re.compile(r"""/auth/([A-Za-z0-9._-]+)[?"']""")
_HIDDEN = re.compile(r"<input\b[^>]*type=[\"']hidden[\"'][^>]*>", re.I)
_ATTRIBUTE = re.compile(r"""\b(name|value)=["']([^"']*)["']""", re.I)


def identity(said: Dex, environ: Mapping[str, str], wire: Wire, url: str) -> Identity:
    """The user whose name and password the environment holds; `fetch` logs in at the server's address `url`."""

    def fetch() -> Header:
        user = word(said.user, environ, "the user's name")
        password = secret(said.password, said.password_file, environ, "the user's password")
        return log_in(Browser(wire), url, said, {"login": user, "password": password.open()})

    return Identity(f"the user of {said.user} (by Dex, {said.connector})", fetch)


def log_in(browser: Browser, url: str, said: Dex, form: Mapping[str, str]) -> Header:
    """The session's cookie after a log-in; raises `KfpNotLetIn` that says at which page it ended."""
    form_page = _form_page(browser, url, said.connector)
    if urlsplit(form_page.url).scheme != "https" and not is_local(form_page.url):
        what = "the log-in page takes the password without encryption: not sent"
        raise KfpNotLetIn(what, where=place(form_page.url), fix="endpoints with https://")
    answer = browser.post(form_page.url, form)
    if not 300 <= answer.status < 400:
        fix = f"look at {said.user} and {said.password_file or said.password}"
        raise KfpNotLetIn("Dex does not know this user with this password", where=place(answer.url), fix=fix)
    page = browser.follow(answer)
    if urlsplit(page.url).path.endswith("/approval"):
        page = browser.follow(browser.post(page.url, {**_hidden(page), "approval": "approve"}))
    cookies = browser.cookies(url)
    if page.status in (401, 403) or page.status >= 500 or not cookies:
        what = f"Dex let us in, and the gateway did not (status {page.status})"
        raise KfpNotLetIn(what, where=place(page.url), fix="look at oauth2-proxy's log")
    return Header("Cookie", Secret(cookies), browser.until())


def _form_page(browser: Browser, url: str, connector: str) -> Reply:
    """The page with the form for name and password of one connector."""
    page = browser.get(url + "/")
    if page.status in (401, 403):  # oauth2-proxy's own page with its button
        start = f"{START}?{urlencode({'rd': urlsplit(url).path or '/'})}"
        page = browser.get("{0.scheme}://{0.netloc}".format(urlsplit(url)) + start)
    if page.status == 200 and _path(page.url) == _path(url):
        raise KfpNotLetIn(
            "the server asks nobody to log in",
            where=place(url),
            fix="take access.dex out of the platform file",
        )
    parts = urlsplit(page.url)
    if parts.path.endswith("/auth"):  # Dex asks which way to log in
        choices = sorted(set(_CONNECTOR.findall(page.text)))
        if choices and connector not in choices:
            what = f"Dex has no connector {connector!r}; it has {', '.join(choices)}"
            raise KfpNotLetIn(
                what, where=place(page.url), fix=f"access: {{dex: {{connector: {choices[0]}}}}}"
            )
        page = browser.get(urlunsplit(parts._replace(path=f"{parts.path}/{connector}")))
    if page.status != 200 or not re.search(r"/auth/[^/]+/login$", urlsplit(page.url).path):
        what = f"this is not Dex's form for name and password (status {page.status})"
        raise KfpNotLetIn(what, where=place(page.url), fix="access: {dex: {connector: local}}")
    return page


def _path(url: str) -> str:
    return place(url).rstrip("/")


def _hidden(page: Reply) -> dict[str, str]:
    """The hidden fields of a page's first form."""
    first = page.text.partition("</form>")[0]
    fields = [dict(_ATTRIBUTE.findall(one)) for one in _HIDDEN.findall(first)]
    return {
        html.unescape(one["name"]): html.unescape(one.get("value", "")) for one in fields if "name" in one
    }
