"""Tells a chat what happened to models: promoted, taken back, or in need of a person; it never fails a call."""

from collections.abc import Iterable, Mapping

from tagline_task import masking

from tagline.config import Config
from tagline.errors import CallError, TaglineError
from tagline.flow.report import Said, Told
from tagline.flow.world import World
from tagline.git import events as ev
from tagline.hosts.api.http import Api, Patience, Request
from tagline.hosts.api.token import Token

PATIENCE = Patience(piece=5.0, whole=10.0, waits=(1.0, 2.0), longest=10.0)
_BROKEN = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "@\N{WORD JOINER}"})


def announce(world: World, patience: Patience = PATIENCE) -> None:
    """Send what this call wrote into the ledger to the policy's webhook, if there is one and anything to tell.

    That the ledger cannot be read, or the webhook does not take it, is said, and nothing else comes of it.
    """
    if not world.policy.webhook:
        return
    try:
        lines = news(event for event in world.ledger().events if event.run == world.author.run)
    except TaglineError as error:
        world.told(Said(f"the webhook was not told: {error.what}"))
        return
    if lines:
        send(world.policy, world.environ, world.told, lines, patience)


def news(events: Iterable[ev.AnyEvent]) -> list[str]:
    """One line for each event that people want to hear of: what happened, in the ledger's words."""
    return [f"{word}: {event.sentence()}" for event in events if (word := _word(event))]


def _word(event: ev.AnyEvent) -> str:
    match event:
        case ev.Promoted():
            return "promoted"
        case ev.RolledBack():
            return "taken back"
        case ev.Inconclusive() | ev.Failed():
            return "needs you"
        case ev.Gated() if event.verdict in {ev.Verdict.REFUSED, ev.Verdict.INCONCLUSIVE}:
            return "needs you"
        case _:
            return ""


def message(pipeline: str, lines: list[str]) -> dict[str, str]:
    """Slack's JSON (Mattermost and others take it too): nothing in a line calls anybody or makes a link."""
    return {"text": "\n".join(f"{pipeline}: {line}".translate(_BROKEN) for line in lines)}


def send(
    policy: Config, environ: Mapping[str, str], told: Told, lines: list[str], patience: Patience = PATIENCE
) -> None:
    """Post the lines to the address that the variable named by `webhook:` holds; a failure is only told."""
    url = environ.get(policy.webhook, "")
    masking.HIDDEN.add([url] if url else [])
    if not url.startswith(("https://", "http://")):
        told(Said(f"the webhook was not told: {policy.webhook} holds no address"))
        return
    api = Api("the webhook", url, Token(url), {}, patience)
    request = Request(
        "POST", "", "to take a message", "its address", json=message(policy.title, lines), again=True
    )
    try:
        api.ask(request)
    except CallError as error:  # its `where` is the address, which is a secret
        told(Said(f"the webhook was not told: {error.what}"))
