"""What a host's answer says beside its status: its own words, a wait, where the next page is."""

from collections.abc import Mapping

import msgspec


def message_of(body: bytes) -> str:
    """The host's own words in an error: `message` or `error` of its JSON, one line, at most 300 characters."""
    try:
        said = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
    if isinstance(said, dict):
        parts = [said[key] for key in ("message", "error", "error_description", "errors") if said.get(key)]
        said = "; ".join(one if isinstance(one, str) else msgspec.json.encode(one).decode() for one in parts)
    return " ".join(str(said).split())[:300]


def wanted_wait(status: int, headers: Mapping[str, str], now: float) -> float | None:
    """The seconds that a host asks to wait, None where it does not: it did nothing then.

    `Retry-After` (429, 503, and GitHub's 403), or GitHub's `x-ratelimit-reset` (seconds since 1970) where
    nothing remains.
    """
    if status not in {403, 429, 503}:
        return None
    after = headers.get("retry-after", "")
    if after.isascii() and after.isdigit():
        return float(after)
    reset = headers.get("x-ratelimit-reset", headers.get("ratelimit-reset", ""))
    remaining = headers.get("x-ratelimit-remaining", headers.get("ratelimit-remaining", ""))
    if remaining == "0" and reset.isascii() and reset.isdigit():
        return max(0.0, float(reset) - now)
    return 60.0 if status == 429 else None


def next_page(link: str) -> str:
    """The address of the next page in a `Link` header, or ""."""
    for part in link.split(","):
        address, _, rest = part.strip().partition(">")
        if 'rel="next"' in rest and address.startswith("<"):
            return address[1:]
    return ""
