"""A Dockerfile as far as a digest needs it: the images it starts from, the files it copies."""

import re
import shlex
from collections.abc import Iterator, Mapping

import msgspec

from tagline.images import directives, heredocs
from tagline.images.instructions import Instruction, instructions
from tagline.images.mounts import TYPES, check_flags, mounts

_VARIABLE = re.compile(r"\$(?:\{(\w+)(?:(:?)([-+])([^}]*))?\}|(\w+))")
_PINNED = re.compile(r"[\w./:-]+@sha256:[0-9a-f]{64}", re.ASCII)
_NUMBER = re.compile(r"[0-9]+")
_IN_DOUBT = re.compile(r"[\"'\\`$]")
_BUILDER_S = ("TARGET", "BUILD")
_REMOTE = re.compile(r"://|\A[^/]+@[^/]+:|\Agit@")
_CHECKSUM = re.compile(r"(sha256:)?[0-9a-f]{40,64}")
SCRATCH = "scratch"


class Base(msgspec.Struct, frozen=True):
    """An image that the build takes from a registry, and the line that names it."""

    reference: str
    line: int

    @property
    def pinned(self) -> bool:
        return bool(_PINNED.fullmatch(self.reference))


def expand(text: str, values: Mapping[str, str], *, complete: bool = False) -> str:
    """Put build arguments in the place of `$NAME`, `${NAME}`, `${NAME:-default}`; unknown ones stay as written.

    With `complete` the values are all that there are, but for the platform's own: a default then counts.
    """

    def value(match: re.Match[str]) -> str:
        name, colon, sign, word = match[1] or match[5], match[2], match[3], match[4]
        if name not in values and (not complete or not sign or name.startswith(_BUILDER_S)):
            return match[0]
        given = bool(values.get(name)) if colon else name in values
        match sign:
            case "+":
                return word if given else ""
            case "-" if not given:
                return word
            case _:
                return values[name]

    return _VARIABLE.sub(value, text)


def scoped(text: str, args: Mapping[str, str]) -> Iterator[tuple[Instruction, dict[str, str]]]:
    """Each instruction with the build arguments that hold there (ENV counts as one).

    What ONBUILD holds back sets none here.
    """
    outer: dict[str, str] = {}
    inner: dict[str, str] | None = None
    for one in instructions(text):
        check_flags(one)
        if one.word == "FROM":
            inner = {}
            yield one, outer
            continue
        scope = outer if inner is None else inner
        if one.word == "ARG" and not one.later:
            for word in _shell_words(one):
                name, given, default = word.partition("=")
                default = expand(default, scope, complete=inner is None)
                known = args.get(name, default if given else outer.get(name))
                scope |= {} if known is None else {name: known}
        elif one.word == "ENV" and not one.later and inner is not None:
            scope |= {name: expand(value, scope) for name, value in _pairs(one)}
        yield one, scope


def _pairs(one: Instruction) -> list[tuple[str, str]]:
    """What an ENV sets; what its quotes and escapes may mean otherwise has a value that stays unknown."""
    words = one.words()
    if words and "=" not in words[0]:
        return [(words[0], one.rest[len(words[0]) :].strip())]
    pairs = [word.partition("=")[::2] for word in _shell_words(one) if "=" in word]
    if re.search(r"[\\`]", one.rest) or ("'" in one.rest and "$" in one.rest):
        names = {*re.findall(r"(\w+)=", one.rest), *(name for name, _ in pairs)}
        return [(name, f"${name}") for name in sorted(names)]
    return pairs


def _shell_words(one: Instruction) -> list[str]:
    try:
        return shlex.split(one.rest)
    except ValueError:
        return one.rest.split()


def bases(text: str, args: Mapping[str, str]) -> list[Base]:
    """Every image that the build takes from a registry: FROM, COPY --from, mounts, and the `# syntax` line."""
    named = directives.frontend(text)
    found, stages = [Base(*named)] if named else [], set[str]()
    for one, values in scoped(text, args):
        names = [expand(name, values, complete=one.word == "FROM") for name in _named_images(one)]
        if one.word == "FROM":
            words = one.words()
            found += [Base(name, one.line) for name in names if name.lower() not in stages | {SCRATCH}]
            stages |= {word.lower() for word in words[2:]}
            continue
        numbers = one.word == "COPY"
        found += [
            Base(name, one.line)
            for name in names
            if name.lower() not in stages and not (numbers and _NUMBER.fullmatch(name))
        ]
    return list(dict.fromkeys(found))


def _named_images(one: Instruction) -> list[str]:
    if one.word == "FROM":
        return one.words()[:1]
    return one.flag("from") + [mount["from"] for mount in mounts(one) if "from" in mount]


def copied(text: str, args: Mapping[str, str]) -> list[str]:
    """The patterns of the context's files that may go in: sources of COPY, ADD and bind mounts.

    `.` stands for all of it, also where a source's variable is not known, where a source is quoted or escaped,
    and where ONBUILD holds an instruction back.
    """
    found = ["."] if directives.frontend(text) else []
    for one, values in scoped(text, args):
        if one.word in {"COPY", "ADD"}:
            found += [expand(source, values) for source in _sources(one)]
        for mount in mounts(one):
            kind = expand(mount.get("type", "bind"), values).lower()
            if "$" not in kind and kind not in TYPES:
                raise one.refused(f"no mount has the type {kind}", f"one of {', '.join(sorted(TYPES))}")
            if kind not in TYPES - {"bind"} and "from" not in mount:
                found.append(expand(mount.get("source", mount.get("src", ".")), values))
        found += ["."] if one.later else []
    return list(dict.fromkeys("." if _IN_DOUBT.search(source) else source for source in found))


def downloads(text: str, args: Mapping[str, str]) -> Iterator[tuple[Instruction, str]]:
    """Each ADD without a checksum whose source lies in the network or is not known, with that source."""
    for one, values in scoped(text, args):
        sums = [expand(each, values) for each in one.flag("checksum")]
        if one.word != "ADD" or any(_CHECKSUM.fullmatch(each) for each in sums):
            continue
        sources = [expand(source, values) for source in _sources(one)]
        yield from ((one, source) for source in sources if "$" in source or is_remote(source))


def is_remote(source: str) -> bool:
    """Whether ADD takes a source from the network: an address or a git repository."""
    return bool(_REMOTE.search(source.strip("\"'")))


def _sources(one: Instruction) -> list[str]:
    if one.flag("from"):
        return []
    return [word for word in one.words()[:-1] if not heredocs.opens(word)]


def pin(text: str, base: Base, pinned: str, args: Mapping[str, str]) -> str:
    """The Dockerfile with one base held to its digest, where it is written: at its line, or at its ARG."""
    lines = text.split("\n")
    at = base.line - 1
    if base.reference not in lines[at]:
        names = {match[1] or match[5] for match in _VARIABLE.finditer(lines[at])}
        at = next(
            (one.line - 1 for one in instructions(text) if one.word == "ARG" and names & _declared(one)), at
        )
    lines[at] = re.sub(rf"{re.escape(base.reference)}(?![\w./:@-])", pinned, lines[at])
    return "\n".join(lines)


def _declared(one: Instruction) -> set[str]:
    return {word.partition("=")[0] for word in _shell_words(one)}
