"""A Dockerfile as far as a digest needs it: its instructions, the images it starts from, the files it copies."""

import json
import re
import shlex
from collections.abc import Iterator, Mapping

import msgspec

_HEREDOC = re.compile(r"<<-?\s*[\"']?([A-Za-z_][A-Za-z0-9_]*)[\"']?")
_VARIABLE = re.compile(r"\$(?:\{(\w+)(?::?([-+])([^}]*))?\}|(\w+))")
_SYNTAX = re.compile(r"#\s*syntax\s*=\s*(\S+)", re.IGNORECASE)
_TAKES_FILES = {"RUN", "COPY", "ADD"}
SCRATCH = "scratch"


class Instruction(msgspec.Struct, frozen=True):
    """One instruction: its word in capitals, the rest of its lines joined, and the line where it begins (from 1)."""

    word: str
    rest: str
    line: int

    def words(self) -> list[str]:
        """The rest as words, flags first; JSON form and shell form alike. Heredocs count as one word each."""
        flags, rest = _flags(self.rest)
        if rest.startswith("["):
            try:
                return [*flags, *(str(word) for word in json.loads(rest))]
            except ValueError:
                pass  # Docker reads it as the shell form too
        try:
            return [*flags, *shlex.split(rest)]
        except ValueError:
            return [*flags, *rest.split()]


class Base(msgspec.Struct, frozen=True):
    """An image that the build takes from a registry, and the line that names it."""

    reference: str
    line: int

    @property
    def pinned(self) -> bool:
        return "@sha256:" in self.reference


def instructions(text: str) -> list[Instruction]:
    """The instructions in order, continued lines joined, comments and heredocs' contents left out."""
    return list(_instructions(text.splitlines()))


def _instructions(lines: list[str]) -> Iterator[Instruction]:
    held: list[str] = []
    start, ends = 0, list[str]()
    for number, raw in enumerate(lines, 1):
        if ends:
            ends = ends[1:] if raw.strip() == ends[0] else ends
            continue
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        start = start if held else number
        held.append(line.removesuffix("\\").strip())
        if line.endswith("\\"):
            continue
        word, _, rest = " ".join(held).partition(" ")
        held = []
        ends = _HEREDOC.findall(rest) if word.upper() in _TAKES_FILES else []
        yield Instruction(word.upper(), rest.strip(), start)
    if held:
        word, _, rest = " ".join(held).partition(" ")
        yield Instruction(word.upper(), rest.strip(), start)


def _flags(rest: str) -> tuple[list[str], str]:
    flags = []
    while match := re.match(r"(--\S+)\s+", rest + " "):
        flags.append(match[1])
        rest = rest[match.end() :].strip()
    return flags, rest


def expand(text: str, values: Mapping[str, str]) -> str:
    """Put build arguments in the place of `$NAME`, `${NAME}`, `${NAME:-default}`; unknown ones stay as written."""

    def value(match: re.Match[str]) -> str:
        name = match[1] or match[4]
        if match[2] == "+":
            return match[3] if values.get(name) else ""
        if not values.get(name) and match[2] == "-":
            return match[3]
        return values.get(name, match[0])

    return _VARIABLE.sub(value, text)


def scoped(text: str, args: Mapping[str, str]) -> Iterator[tuple[Instruction, dict[str, str]]]:
    """Each instruction with the build arguments that hold there (ENV counts as one)."""
    outer: dict[str, str] = {}
    inner: dict[str, str] | None = None
    for one in instructions(text):
        if one.word == "FROM":
            inner = {}
            yield one, outer
            continue
        scope = outer if inner is None else inner
        if one.word == "ARG":
            for word in one.words():
                name, given, default = word.partition("=")
                known = args.get(name) or (expand(default, scope) if given else outer.get(name))
                scope |= {} if known is None else {name: known}
        elif one.word == "ENV" and inner is not None:
            pairs = [word.partition("=") for word in one.words() if "=" in word]
            scope |= {name: expand(value, scope) for name, _, value in pairs}
        yield one, scope


def bases(text: str, args: Mapping[str, str]) -> list[Base]:
    """Every image that the build takes from a registry: FROM, COPY --from, mounts, and the `# syntax` line."""
    found, stages = list(_frontend(text)), set[str]()
    for one, values in scoped(text, args):
        names = [expand(name, values) for name in _named_images(one)]
        if one.word == "FROM":
            words = [word for word in one.words() if not word.startswith("--")]
            found += [Base(name, one.line) for name in names if name.lower() not in stages | {SCRATCH}]
            stages |= {word.lower() for word in words[2:]}
            continue
        found += [Base(name, one.line) for name in names if name.lower() not in stages and not name.isdigit()]
    return list(dict.fromkeys(found))


def _frontend(text: str) -> Iterator[Base]:
    for number, line in enumerate(text.splitlines(), 1):
        if not line.startswith("#"):
            return
        if match := _SYNTAX.match(line):
            yield Base(match[1], number)


def _named_images(one: Instruction) -> list[str]:
    words = one.words()
    if one.word == "FROM":
        return [word for word in words if not word.startswith("--")][:1]
    found = [word.partition("=")[2] for word in words if word.startswith("--from=")]
    return found + [mount["from"] for mount in mounts(one) if "from" in mount]


def mounts(one: Instruction) -> list[dict[str, str]]:
    """The `--mount` flags of a RUN, as their keys and values."""
    flags = [word.removeprefix("--mount=") for word in one.words() if word.startswith("--mount=")]
    return [dict(part.partition("=")[::2] for part in flag.split(",")) for flag in flags]


def copied(text: str, args: Mapping[str, str]) -> list[str]:
    """The patterns of the context's files that may go in: sources of COPY, ADD and bind mounts.

    `.` stands for all of it, also where a source's variable is not known.
    """
    found: list[str] = []
    for one, values in scoped(text, args):
        if one.word in {"COPY", "ADD"}:
            found += [expand(source, values) for source in _sources(one)]
        for mount in mounts(one) if one.word == "RUN" else []:
            if mount.get("type", "bind") == "bind" and "from" not in mount:
                found.append(expand(mount.get("source", mount.get("src", ".")), values))
    return list(dict.fromkeys("." if "$" in source else source for source in found))


def _sources(one: Instruction) -> list[str]:
    words = one.words()
    if any(word.startswith("--from=") for word in words):
        return []
    plain = [word for word in words if not word.startswith("--")]
    return [word for word in plain[:-1] if not word.startswith("<<")]


def pin(text: str, base: Base, pinned: str, args: Mapping[str, str]) -> str:
    """The Dockerfile with one base held to its digest, where it is written: at its line, or at its ARG."""
    lines = text.splitlines(keepends=True)
    at = base.line - 1
    if base.reference not in lines[at]:
        names = {match[1] or match[4] for match in _VARIABLE.finditer(lines[at])}
        at = next(
            (one.line - 1 for one in instructions(text) if one.word == "ARG" and names & _declared(one)), at
        )
    lines[at] = re.sub(rf"{re.escape(base.reference)}(?![\w./:@-])", pinned, lines[at])
    return "".join(lines)


def _declared(one: Instruction) -> set[str]:
    return {word.partition("=")[0] for word in one.words()}
