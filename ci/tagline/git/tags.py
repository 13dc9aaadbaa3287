"""Promotions as tags: read from ours and GTO's, their trailers, the next number, the message of a new one."""

import re
from collections.abc import Mapping
from difflib import get_close_matches

import msgspec

from tagline.errors import BadWord, RepositoryError, TagMoved, VersionTwice
from tagline.git.facts import Facts, Tag
from tagline.git.objects import NewTag
from tagline.git.repo import Repo
from tagline.git.state import State
from tagline.words import PROMOTION_PREFIX, ModelVersion, Promotion, check_name

MODEL_VERSION = "Model-Version"
REASON = "Reason"
ROLLBACK_OF = "Rollback-of"
OVERRIDE = "Override"
ACCEPT_BLIND = "Accept-Blind"
KEYS = (MODEL_VERSION, REASON, ROLLBACK_OF, OVERRIDE, ACCEPT_BLIND)
_BY_LOWER = {key.lower(): key for key in KEYS}
_TRAILER = re.compile(r"([A-Za-z][A-Za-z-]*)[ \t]*:(?:[ \t]+|$)(.*)")
_GTO_LIKE = re.compile(r"[a-z][-a-z0-9/]*#[a-z][-a-z0-9]*!?(#.*)?")
_GTO = re.compile(r"([^#@/]+)#([^#@/]+)#([1-9][0-9]*)")
_SIGNATURE = re.compile(r"^-----BEGIN (PGP|SSH|SIGNED) [A-Z ]+-----$", re.MULTILINE)


class Request(msgspec.Struct, frozen=True):
    """A promotion tag of the remote: what it asks for, and the tag itself."""

    promotion: Promotion
    tag: Tag


class Details(msgspec.Struct, frozen=True):
    """What a promotion tag's trailers say; `tagger` is "" for a lightweight tag, which has no message."""

    model_version: ModelVersion | None = None
    reason: str = ""
    rollback_of: Promotion | None = None
    override: str = ""
    accept_blind: str = ""
    tagger: str = ""


class Open(msgspec.Struct, frozen=True):
    """Promotions of one (environment, model) without an end: the newest of all, and older ones that give way.

    `newest` is None where the newest promotion has ended and only older ones were left open; `number` is its
    number in any case.
    """

    number: int
    newest: Request | None
    older: tuple[Request, ...] = ()


def is_request(name: str) -> bool:
    """Whether a tag's name claims to be a promotion, ours or GTO's, well-formed or not."""
    return name.startswith(PROMOTION_PREFIX) or bool(_GTO_LIKE.fullmatch(name))


def parse(name: str) -> Promotion:
    """Read a tag's name, ours or GTO's `<model>#<env>#<n>`.

    Raises `BadWord` that names our command for GTO's forms without a number and for its unassign.
    """
    if name.startswith(PROMOTION_PREFIX):
        return Promotion.parse(name)
    match = _GTO.fullmatch(name)
    if match and not match[2].endswith("!"):
        return Promotion(check_name(match[2], "environment"), check_name(match[1], "model"), int(match[3]))
    model, _, rest = name.partition("#")
    env = rest.partition("#")[0]
    if "!" in rest:
        raise BadWord(
            f"the tag {name!r} unassigns a stage, which tagline does by going back",
            where=name,
            fix=f"tagline rollback {model} --env {env.rstrip('!')}, and: git push --delete origin {name!r}",
        )
    raise BadWord(
        f"the tag {name!r} has no number, so promotions cannot be put in order",
        where=name,
        fix=f"tagline promote {model} --to {env}, and: git push --delete origin {name!r}",
    )


def read(name: str) -> Promotion | None:
    """The promotion that a tag's name asks for, ours or GTO's; None for any other name, malformed ones too."""
    try:
        return parse(name) if is_request(name) else None
    except BadWord:
        return None


def malformed(facts: Facts, state: State) -> list[str]:
    """The tags that claim to be promotions and cannot be read, by name; nobody acts on them."""
    claims = (name for name in facts.tags if is_request(name) and name not in state.ignored)
    return sorted(name for name in claims if read(name) is None)


def requests(facts: Facts, state: State) -> list[Request]:
    """All promotion tags, in order of (environment, model, number).

    Raises `BadWord` for a malformed one, and what `readable` raises.
    """
    for name in malformed(facts, state):
        parse(name)
    return readable(facts, state)


def requests_of(facts: Facts, state: State, env: str, model: str) -> list[Request]:
    """The promotion tags of one environment and model by number; what is wrong elsewhere is no matter here.

    Raises what `readable` raises.
    """
    return readable(facts, state, (env, model))


def readable(facts: Facts, state: State, place: tuple[str, str] | None = None) -> list[Request]:
    """The well-formed promotion tags, of one (environment, model), of all models ("") of one, or of all.

    Raises `VersionTwice` for a number used twice, unless a person has settled it by adopting; `TagMoved` where
    a tag is no longer the one that the ledger says was asked.
    """
    found: dict[Promotion, Request] = {}
    for name in sorted(facts.tags):
        promotion = read(name)
        if promotion is None or name in state.ignored:
            continue
        if place and place not in ((promotion.env, promotion.model), (promotion.env, "")):
            continue
        settled = promotion.n <= state.place(promotion.env, promotion.model).adopted
        if promotion in found and not settled:
            raise VersionTwice(
                f"number {promotion.n} of {promotion.env}/{promotion.model} is used by two tags: "
                f"{found[promotion].tag.name} and {name}",
                where=name,
                fix=f"keep one, and: git push --delete origin {name!r}",
            )
        found[promotion] = Request(promotion, facts.tags[name])
    for request in found.values():
        _require_unmoved(request, state)
    return [found[promotion] for promotion in sorted(found)]


def _require_unmoved(request: Request, state: State) -> None:
    known = state.promotions.get(request.promotion)
    if known and known.asked and known.asked.tag != request.tag.object:
        raise TagMoved(
            f"{request.tag.name} is {request.tag.object[:10]} now, but {known.asked.tag[:10]} was asked",
            where=request.tag.name,
            fix=f"git push --force origin {known.asked.tag}:refs/tags/{request.tag.name}",
        )


def open_requests(facts: Facts, state: State, env: str = "") -> list[Open]:
    """For each (environment, model) with a promotion that has no end: what to act on, and what gives way.

    With `env` only there: what is wrong elsewhere is no matter.
    """
    groups: dict[tuple[str, str], list[Request]] = {}
    for request in readable(facts, state, (env, "")) if env else readable(facts, state):
        groups.setdefault((request.promotion.env, request.promotion.model), []).append(request)
    opened = (_open(state, group) for group in groups.values())
    return [one for one in opened if one.newest or one.older]


def _open(state: State, group: list[Request]) -> Open:
    last = group[-1].promotion
    number = max(last.n, state.last_number(last.env, last.model))
    waiting = [request for request in group if not state.ended(request.promotion)]
    newest = waiting[-1] if waiting and waiting[-1].promotion.n == number else None
    older = tuple(request for request in waiting if request is not newest)
    return Open(number, newest, older)


def next_number(facts: Facts, state: State, env: str, model: str) -> int:
    """The number of the next promotion: one more than any tag or the ledger ever used."""
    used = [one.promotion.n for one in requests_of(facts, state, env, model)]
    return max([state.last_number(env, model), *used]) + 1


def trailers(message: str) -> dict[str, str]:
    """Our trailers in a tag's message, wherever they stand at the start of a line; keys match in any case.

    Raises `BadWord` for a key given twice with different values, and for one of the last paragraph's that is
    nearly ours: a misspelt `Model-Version` must not be passed over.
    """
    message = _SIGNATURE.split(message.replace("\r\n", "\n"))[0]
    found: dict[str, str] = {}
    key = ""
    for line in message.splitlines():
        match = _TRAILER.match(line)
        if match:
            key = _BY_LOWER.get(match[1].lower(), "")
            if key and found.get(key, match[2].strip()) != match[2].strip():
                raise BadWord(f"the trailer {key}: is given twice", where=line, fix=f"give one {key}:")
            if key:
                found[key] = match[2].strip()
        elif key and line[:1] in (" ", "\t") and line.strip():
            found[key] = f"{found[key]} {line.strip()}".strip()
        else:
            key = ""
    _refuse_misspelt(message)
    return found


def _refuse_misspelt(message: str) -> None:
    last = message.strip().split("\n\n")[-1]
    for line in last.splitlines():
        match = _TRAILER.match(line)
        if not match or match[1].lower() in _BY_LOWER:
            continue
        near = get_close_matches(match[1].lower(), _BY_LOWER, n=1, cutoff=0.8)
        if near:
            raise BadWord(f"unknown trailer {match[1]!r}", where=line, fix=f"write {_BY_LOWER[near[0]]}:")


def details(repo: Repo, request: Request) -> Details:
    """What the tag's own message says (a lightweight tag: nothing); raises `BadWord` for a broken trailer."""
    if not request.tag.annotated:
        return Details()
    text = repo.git("cat-file", "tag", request.tag.object).decode("utf-8", "replace")
    header, _, message = text.partition("\n\n")
    said = trailers(message)
    wanted, undone = said.get(MODEL_VERSION, ""), said.get(ROLLBACK_OF, "")
    return Details(
        model_version=ModelVersion.parse(wanted) if wanted else None,
        reason=said.get(REASON, ""),
        rollback_of=parse(undone) if undone else None,
        override=said.get(OVERRIDE, ""),
        accept_blind=said.get(ACCEPT_BLIND, ""),
        tagger=next(
            (line[7:].rpartition(" <")[0] for line in header.splitlines() if line.startswith("tagger ")), ""
        ),
    )


def message(subject: str, values: Mapping[str, str]) -> str:
    """A tag's message: the subject and the trailers that have a value, each on one line."""
    lines = [f"{key}: {' '.join(value.split())}" for key, value in values.items() if value.strip()]
    unknown = set(values) - set(KEYS)
    if unknown:
        raise RepositoryError(f"no trailers of a promotion: {', '.join(sorted(unknown))}")
    return f"{' '.join(subject.split())}\n\n" + "".join(f"{line}\n" for line in lines)


def promotion_tag(promotion: Promotion, commit: str, wanted: Details) -> NewTag:
    """The annotated tag that asks for a promotion."""
    values = {
        MODEL_VERSION: str(wanted.model_version or ""),
        REASON: wanted.reason,
        ROLLBACK_OF: str(wanted.rollback_of or ""),
        OVERRIDE: wanted.override,
        ACCEPT_BLIND: wanted.accept_blind,
    }
    verb = "Roll back" if wanted.rollback_of else "Promote"
    what = f" to {wanted.model_version}" if wanted.model_version else ""
    return NewTag(
        str(promotion), commit, message(f"{verb} {promotion.model} in {promotion.env}{what}", values)
    )
