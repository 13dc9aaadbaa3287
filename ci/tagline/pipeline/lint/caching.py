"""Rules for cached tasks that read what changes: the clock, chance, the network."""

import ast
from collections.abc import Iterator, Mapping

from tagline.pipeline.lint.finding import ON_CLUSTER, Level, Rule, Spot
from tagline.pipeline.lint.source import dotted
from tagline.pipeline.lint.view import View

_CLOCK = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.strftime", "time.ctime"}
_CHANCE = {"uuid.uuid4", "uuid.uuid1", "secrets.token_hex", "secrets.token_urlsafe", "os.urandom"}
_CHANCE |= {
    f"random.{each}" for each in ("random", "randint", "choice", "shuffle", "sample", "uniform", "randrange")
}
_CHANCE |= {f"random.{each}" for each in ("rand", "randn", "normal", "permutation")}
_NETWORK = {"requests.get", "requests.post", "request.urlopen", "request.urlretrieve", "httpx.get", "urlopen"}
_SEEDS = {"random.seed", "seed"}


def _tail(name: str) -> str:
    return ".".join(name.split(".")[-2:])


def _aliases(nodes: list[ast.AST]) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {each.asname: each.name for each in node.names if each.asname}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {each.asname or each.name: f"{node.module}.{each.name}" for each in node.names}
    return found


def _calls(nodes: list[ast.AST]) -> set[str]:
    """What the program calls, by the last two parts of its full name."""
    aliases = _aliases(nodes)
    found = set()
    for node in nodes:
        if isinstance(node, ast.Call) and (name := dotted(node.func)):
            head, dot, rest = name.partition(".")
            found.add(_tail(aliases.get(head, head) + dot + rest))
    return found


def _cached_programs(view: View) -> Iterator[tuple[str, set[str]]]:
    cached = {task.label for task in view.tasks if task.cached}
    for name, nodes in view.nodes.items():
        if name in cached:
            yield name, _calls(nodes)


def _clock(view: View) -> Iterator[Spot]:
    for name, calls in _cached_programs(view):
        if found := sorted(calls & _CLOCK):
            yield Spot(name, f"it is cached and reads the clock ({', '.join(found)})")


def _chance(view: View) -> Iterator[Spot]:
    for name, calls in _cached_programs(view):
        if (found := sorted(calls & _CHANCE)) and not calls & _SEEDS:
            yield Spot(name, f"it is cached and draws at random ({', '.join(found)})")


def _network(view: View) -> Iterator[Spot]:
    for name, calls in _cached_programs(view):
        if found := sorted(calls & _NETWORK):
            yield Spot(name, f"it is cached and reads the network ({', '.join(found)})")


_FIX = "task.set_caching_options(False), or hand over as an input what changes"
RULES = (
    Rule(
        "cached-clock",
        Level.WARNING,
        "A cached task gives the time of its first run for ever.",
        _FIX,
        _clock,
        ON_CLUSTER,
    ),
    Rule(
        "cached-chance",
        Level.WARNING,
        "A cached task draws once: every later run gets the same draw.",
        _FIX,
        _chance,
        ON_CLUSTER,
    ),
    Rule(
        "cached-network",
        Level.WARNING,
        "A cached task does not see that what it downloads has changed, and sends nothing a second time.",
        _FIX,
        _network,
        ON_CLUSTER,
    ),
)
