"""Values that must not be seen, and text without them: one mechanism for logs, tracebacks, outputs and reports."""

import os
import sys
import threading
from collections.abc import Iterable
from typing import Any, AnyStr, Generic, TextIO

from tagline_task import wrapped
from tagline_task.forms import encodes, forms
from tagline_task.heads import Heads

MASK = "***"
SHORTEST = 8
_BROKEN, _LEAST = 4, 1024  # a word broken over lines is held up to so many times its length, and so much more


class Secret:
    """A value that hides itself; `open` gives it, in the one line that sends it."""

    __slots__ = ("_value",)

    def __init__(self, value: str = "") -> None:
        self._value = value

    def open(self) -> str:
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __repr__(self) -> str:
        return MASK if self._value else "(none)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> str:
        raise TypeError("a secret is not written anywhere")


def words(values: Iterable[str]) -> list[str]:
    """What must not be seen of the values, longest first.

    Each value, and each line of one, of 8 characters or more: as it is, escaped as JSON, `repr` and HTML write
    it, URL-encoded, hex, and base64 wherever in the encoded bytes it begins.
    """
    plain: set[str] = set()
    for value in values:
        plain |= {value, value.strip(), *(line.strip() for line in value.splitlines())}
    found = {form for each in plain if len(each) >= SHORTEST for form in forms(each)}
    return sorted((form for form in found if len(form) >= SHORTEST), key=lambda form: (-len(form), form))


def in_bytes(found: list[str]) -> list[bytes]:
    """The words as bytes of a log."""
    return [os.fsencode(word) for word in found if encodes(word)]


def replace(text: AnyStr, found: list[AnyStr], mask: AnyStr) -> AnyStr:
    """`text` with each of the words (longest first) replaced, also where base64 is broken over lines."""
    text = wrapped.replace(text, found, mask)
    for word in found:
        text = text.replace(word, mask)
    return text


class Cutter(Generic[AnyStr]):
    """Masks a text that comes in pieces: what may be the beginning of a word is held until more has come."""

    def __init__(self, found: list[AnyStr], mask: AnyStr) -> None:
        self._mask: AnyStr = mask
        self._held: AnyStr = mask[:0]
        self._words: list[AnyStr] = []
        self.know(found)

    def know(self, found: list[AnyStr]) -> None:
        """From now on these are the words, longest first."""
        if found is not self._words:
            self._words = found
            self._heads: Heads[AnyStr] = Heads(found)
            self._wrapping: list[AnyStr] = wrapped.wraps(found)
            self._wrapped_heads: Heads[AnyStr] = Heads(self._wrapping)

    def feed(self, part: AnyStr) -> AnyStr:
        """What of the text so far can be shown."""
        text = self._held + part
        end = self._settled(text)
        self._held = text[end:]
        return replace(text[:end], self._words, self._mask)

    def end(self) -> AnyStr:
        """The rest, after which nothing follows."""
        text, self._held = self._held, self._mask[:0]
        return replace(text, self._words, self._mask)

    def _settled(self, text: AnyStr) -> int:
        """Where to cut the text so that no word is cut, whatever follows."""
        before = max(0, len(text) - _BROKEN * max(map(len, self._words[:1]), default=0) - _LEAST)
        window = text[before:]
        broken: list[tuple[int, int]] = [
            (before + begin, before + stop) for begin, stop in wrapped.spans(window, self._wrapping)
        ]
        last: int = -1
        end: int = min(self._heads.begun(text), before + self._begun_broken(window))
        while end != last:
            last = end
            end = min([self._heads.cut(text, end), *(begin for begin, stop in broken if begin < end < stop)])
        return end

    def _begun_broken(self, text: AnyStr) -> int:
        """Where the first word begins that is broken over lines and that the text's end cuts, or that end."""
        end = len(text)
        escape: Any = "\\" if isinstance(text, str) else b"\\"
        for known in {text, text.removesuffix(escape)}:  # a backslash may be half of a line break
            lines = wrapped.Joined(known)
            if lines.breaks or known != text:
                at = self._wrapped_heads.begun(lines.text)
                end = min(end, lines.place(at) if at < len(lines.text) else end)
        return end


class Hidden:
    """The values that this process must not show; it only grows."""

    def __init__(self) -> None:
        self._values: frozenset[str] = frozenset()
        self.words: list[str] = []
        self.bytes: list[bytes] = []

    def add(self, values: Iterable[str]) -> None:
        more = frozenset(values)
        if not more <= self._values:
            self._values |= more
            self.words = words(self._values)
            self.bytes = in_bytes(self.words)

    def clean(self, text: str) -> str:
        """The text without the values."""
        return replace(text, self.words, MASK)

    def clean_all(self, value: Any) -> Any:
        """JSON-like data with each string, and each key, cleaned."""
        if isinstance(value, str):
            return self.clean(value)
        if isinstance(value, dict):
            return {self.clean_all(key): self.clean_all(item) for key, item in value.items()}
        return [self.clean_all(item) for item in value] if isinstance(value, list | tuple) else value


HIDDEN = Hidden()


class MaskedStream(Generic[AnyStr]):
    """A stream in the place of `stream` through which none of the hidden values passes."""

    def __init__(self, stream: Any, hidden: Hidden, kind: type[AnyStr]) -> None:
        self._stream, self._hidden = stream, hidden
        self._kind: type[AnyStr] = kind
        mask: Any = MASK if kind is str else MASK.encode()
        self._cutter: Cutter[AnyStr] = Cutter([], mask)
        self._lock = threading.RLock()
        self._binary: MaskedStream[bytes] | None = None

    def write(self, text: AnyStr) -> int:
        with self._lock:
            now: Any = self._hidden.words if self._kind is str else self._hidden.bytes
            if now and isinstance(text, self._kind):
                self._cutter.know(now)
                self._stream.write(self._cutter.feed(text))
            else:
                self._stream.write(text)
        return len(text)

    def writelines(self, lines: Iterable[AnyStr]) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        with self._lock:
            if rest := self._cutter.end():
                self._stream.write(rest)
            if self._binary:
                self._binary.flush()
            self._stream.flush()

    @property
    def buffer(self) -> "MaskedStream[bytes]":
        """The bytes below the text, masked too."""
        with self._lock:
            self.flush()
            if self._binary is None:
                self._binary = MaskedStream(self._stream.buffer, self._hidden, bytes)
            return self._binary

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def install(hidden: Hidden = HIDDEN) -> None:
    """Put a masked stream in the place of stdout and stderr, for `print`, tracebacks and logging; once.

    What another program, or code below Python, writes into the same terminal does not pass here.
    """
    for name in ("stdout", "stderr"):
        stream: TextIO | None = getattr(sys, name)
        if stream is None or isinstance(stream, MaskedStream):
            continue
        masked: Any = MaskedStream(stream, hidden, str)
        setattr(sys, name, masked)
        _redirect_logging(stream, masked)


def _redirect_logging(old: TextIO, new: Any) -> None:
    """Let handlers that took the stream before write to the masked one."""
    logging = sys.modules.get("logging")
    if logging is None:
        return
    named = [each for each in logging.root.manager.loggerDict.values() if hasattr(each, "handlers")]
    for logger in [logging.root, *named]:
        for handler in logger.handlers:
            if getattr(handler, "stream", None) is old:
                handler.setStream(new)


def hide(values: Iterable[str]) -> None:
    """From now on this process shows none of the values (of 8 characters or more)."""
    HIDDEN.add(values)
    install()
