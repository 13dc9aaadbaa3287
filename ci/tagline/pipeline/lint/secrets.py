"""Rules for secrets that stand in a file as what they are."""

import ast
import re
from collections.abc import Iterable, Iterator

from tagline.pipeline.lint.finding import Level, Rule, Spot
from tagline.pipeline.lint.source import Source
from tagline.pipeline.lint.view import View, literal

# documented prefixes: AWS, GitHub, GitLab, Slack, Google, OpenAI, Hugging Face, PEM, Vault
_KNOWN = re.compile(
    r"\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{36}|\bglpat-[A-Za-z0-9_-]{20}|\bxox[abprs]-[A-Za-z0-9-]{10}"
    r"|\bAIza[A-Za-z0-9_-]{35}\b|\bsk-[A-Za-z0-9]{32}|\bhf_[A-Za-z0-9]{30}|-----BEGIN [A-Z ]*PRIVATE KEY-----"
    r"|\bhvs\.[A-Za-z0-9_-]{24}"
)
_IN_URL = re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s:/@{}$]+:[^\s:/@{}$<>*]{3,}@")
_LAST = {"password", "passwd", "passphrase", "pwd", "apikey"}
_LAST_TWO = {("api", "key"), ("secret", "key"), ("private", "key"), ("access", "token")}
_LAST_TWO |= {("auth", "token"), ("api", "token"), ("client", "secret"), ("hf", "token")}
_WITH_ACCESS_KEY = {"secret", "storage", "account", "azure"}  # elsewhere an access key is a user's name
_STAND_INS = re.compile(
    r"(?:|none|null|true|false|dummy|fake|test|changeme|x+|\*+|\.+|<.*>|\$.*|your[-_ ].*|.*[_ -]here"
    r"|(?:dummy|fake)[-_].*|(?:.*[-_])?(?:dummy|unused|not[-_]used|placeholder))",
    re.IGNORECASE,
)
# the name of a variable, a path or address, the name of a Secret or of a key in it (`hf-token`)
_NAMES_IT = re.compile(
    r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|(?:/|\./|https?://|gs://|s3://|projects/).*"
    r"|[a-z0-9.]+(?:[-_][a-z0-9.]+)*[-_](?:token|key|secret|secrets|password|credentials|creds)"
)


def _words_of(name: str) -> list[str]:
    split = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name)
    return [each for each in re.split(r"[^A-Za-z0-9]+", split.lower()) if each]


def named_as_secret(name: str) -> bool:
    """Whether a parameter's or variable's name says that its value is a secret."""
    found = _words_of(name)
    if found[-2:] == ["access", "key"]:
        return bool(_WITH_ACCESS_KEY & set(found))
    return bool(found) and (found[-1] in _LAST or tuple(found[-2:]) in _LAST_TWO)


def secret(name: str, value: object) -> str:
    """Why a value is taken for a secret; "" where it is none."""
    if not isinstance(value, str) or not literal(value):
        return ""
    if _KNOWN.search(value):
        return "it has the form of a key"
    if _IN_URL.search(value):
        return "the address has a password in it"
    named = named_as_secret(name) and not _STAND_INS.fullmatch(value) and not _NAMES_IT.fullmatch(value)
    return "its name says that it is a secret" if named and " " not in value else ""


def masked(name: str, value: object) -> bool:
    """Whether a value is not to be shown: a secret, or the id of an access key, which is half of one."""
    half = [each for each in _words_of(name) if each != "id"][-2:] == ["access", "key"]
    return bool(secret(name, value)) or (half and literal(value))


def _by_value(view: View) -> Iterator[Spot]:
    for place, name, value in view.values():
        if why := secret(name, value):
            yield Spot(place, f"{why}, and its value stands in the file")
    for task, nodes in view.nodes.items():
        for name, _, why in _assigned(nodes):
            yield Spot(task, f"{name}: {why}, and its value stands in the source")


def _in_source(source: Source) -> Iterator[Spot]:
    for name, line, why in _assigned(ast.walk(source.tree)):
        yield Spot(name, f"{why}, and its value stands in the source", line)


def _assigned(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, int, str]]:
    """(name, line, why) of each literal that is given to a name, a keyword or a default, and is a secret."""
    every = list(nodes)
    handed = {name for each in every if (name := _names_secret(each))}
    for node in every:
        for name, value in _given(node):
            if name not in handed and isinstance(value, ast.Constant) and (why := secret(name, value.value)):
                yield name, value.lineno, why


def _names_secret(node: ast.AST) -> str:
    """The variable that is handed over as a Kubernetes Secret's name, as in `use_secret_as_env`."""
    match node:
        case ast.keyword(arg="secret_name", value=ast.Name(id=name)):
            return name
    return ""


def _given(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    match node:
        case ast.Assign(targets=targets, value=value):
            yield from ((_target(each), value) for each in targets)
        case ast.AnnAssign(target=target, value=ast.expr() as value):
            yield _target(target), value
        case ast.keyword(arg=str() as name, value=value):
            yield name, value
        case ast.FunctionDef(args=args):
            named = [*args.posonlyargs, *args.args]
            yield from (
                (each.arg, value) for each, value in zip(named[::-1], args.defaults[::-1], strict=False)
            )
            pairs = zip(args.kwonlyargs, args.kw_defaults, strict=True)
            yield from ((each.arg, value) for each, value in pairs if value is not None)


def _target(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Subscript(slice=ast.Constant(value=str() as name)):
            return name
    return ""


_FIX = "a Kubernetes Secret (kubernetes.use_secret_as_env) or Vault (`secrets:` in tagline.yaml); change the value"
RULES = (
    Rule(
        "secret-by-value",
        Level.ERROR,
        "A compiled pipeline is kept by the server and shown in its UI to all who may see the pipeline.",
        _FIX,
        _by_value,
    ),
)
SOURCE_RULES = (
    Rule(
        "secret-in-source",
        Level.ERROR,
        "What stands in git is known to all who have ever cloned it.",
        _FIX,
        _in_source,
    ),
)
