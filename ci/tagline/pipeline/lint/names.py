"""Rules for names and descriptions: what the server refuses, and what it takes for the same."""

import unicodedata
from collections.abc import Iterator, Sequence

from tagline.pipeline.lint.finding import ON_CLUSTER, Finding, Level, Rule, Spot
from tagline.pipeline.lint.view import View

LONGEST = 127


def refusal(name: str) -> str:
    """Why the server would not take a pipeline's name, or could not be asked for it; "" where it is fine.

    Seen on a real server: 128 characters answer 500, 129 answer 400, 4-byte characters 500, and a name with
    a slash is taken and then cannot be found.
    """
    if not name:
        return "the name is empty"
    if len(name) > LONGEST:
        return f"the name has {len(name)} characters, the server takes {LONGEST}"
    if any(ord(each) > 0xFFFF for each in name):
        return "the name has a character of 4 bytes, which the server's database does not take"
    return "the name has a slash: the server cannot be asked for it" if "/" in name else ""


def folded(name: str) -> str:
    """A name as the server's database compares it: case and accents do not count."""
    apart = unicodedata.normalize("NFKD", name.casefold())
    return "".join(each for each in apart if not unicodedata.combining(each))


def _refused(view: View) -> Iterator[Spot]:
    info = view.ir.get("pipelineInfo", {})
    for kind in ("name", "displayName"):
        if kind in info and (why := refusal(str(info[kind]))):
            yield Spot("the pipeline", why)
    if "name" not in info:
        yield Spot("the pipeline", "it has no name")


def _description(view: View) -> Iterator[Spot]:
    text = str(view.ir.get("pipelineInfo", {}).get("description", ""))
    if any(ord(each) > 0xFFFF for each in text):
        yield Spot("the pipeline", "the description has a character of 4 bytes (an emoji)")


def _undescribed(view: View) -> Iterator[Spot]:
    if not view.one_component and not view.ir.get("pipelineInfo", {}).get("description"):
        yield Spot("the pipeline", "nothing says what it is for")


def collisions(named: Sequence[tuple[str, str]]) -> Iterator[Finding]:
    """Pipelines, as (file, name), whose names the server takes for the same though they are not."""
    first: dict[str, tuple[str, str]] = {}
    for file, name in named:
        other_file, other = first.setdefault(folded(name), (file, name))
        if other != name:
            reason = f"{name!r} is {other!r} of {other_file} for the server: case and accents do not count"
            yield Finding(COLLISION.id, COLLISION.level, "the pipeline", reason, COLLISION.fix, file)


def _never(_: View) -> Iterator[Spot]:
    yield from ()


COLLISION = Rule(
    "names-collide",
    Level.ERROR,
    "The server compares names without case and accents: the second upload answers 409.",
    "give them names that differ otherwise",
    _never,
    ON_CLUSTER,
)
RULES = (
    Rule(
        "name-refused",
        Level.ERROR,
        "The server refuses the name, or takes it and cannot be asked for it.",
        f'@dsl.pipeline(name="…"), at most {LONGEST} characters without slashes',
        _refused,
        ON_CLUSTER,
    ),
    Rule(
        "description-refused",
        Level.ERROR,
        "The server answers 500 where a text has a character of 4 bytes, and may have begun a run by then.",
        "write it without emoji",
        _description,
        ON_CLUSTER,
    ),
    Rule(
        "description-missing",
        Level.WARNING,
        "Who finds the pipeline in the UI cannot tell what it is for.",
        '@dsl.pipeline(description="…"), or a docstring',
        _undescribed,
        ON_CLUSTER,
    ),
    COLLISION,
)
