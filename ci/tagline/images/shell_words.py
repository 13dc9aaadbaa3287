"""A Dockerfile's line as shell words, as BuildKit's lexer splits it when it looks for heredocs."""

from collections.abc import Callable

import msgspec

SPACES = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
_ESCAPE = "\\"
_SPECIAL = "@*#?-$!0"
_END = ""


class LexError(Exception):
    """The line is no shell words: a quote or a substitution is not closed, or not known."""


class Dialect(msgspec.Struct, frozen=True):
    """What differs between versions of BuildKit: `first` are those of 2022 and 2023; others know all substitutions.

    With `spaced`, `<< NAME` is one word, else two.
    """

    first: bool = False
    spaced: bool = False


DIALECTS = (Dialect(first=True), Dialect(), Dialect(spaced=True))


def words(text: str, dialect: Dialect, *, quotes: bool, escapes: bool) -> list[str]:
    """The words of `text`, variables as written; `quotes` and `escapes` say whether these characters stay.

    Raises `LexError`.
    """
    return _Lexer(text.removeprefix("\ufeff"), dialect, quotes, escapes).until(_END, escapes)[1]


class _Lexer:
    """BuildKit's `shellWord` with an empty environment; its one buffer is shared by nested substitutions."""

    def __init__(self, text: str, dialect: Dialect, quotes: bool, escapes: bool) -> None:
        self._text, self._at = text, 0
        self._dialect, self._quotes, self._escapes = dialect, quotes, escapes
        self._word = ""

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _next(self) -> str:
        char = self._peek()
        self._at += len(char)
        return char

    def until(self, stop: str, escapes: bool) -> tuple[str, list[str]]:
        """What lies before the character `stop`, whole and as words; `_END` is the end of the text."""
        outer, before = self._word if self._dialect.first else "", self._escapes
        self._word, self._escapes = "", escapes
        special: dict[str, Callable[[], str]] = {
            "$": self._dollar,
            "<": self._less,
            "'": self._single,
            '"': self._double,
        }
        whole, found = "", list[str]()
        while char := self._peek():
            if char == stop:
                self._next()
                self._ended(found)
                self._word, self._escapes = outer, before
                return whole, found
            if read := special.get(char):
                taken = read()
                whole += taken
                if char == "$":
                    self._add(taken, found)
                else:
                    self._word += taken
                continue
            whole += self._plain(found)
        if stop != _END:
            raise LexError(f"no {stop}")
        self._escapes = before
        return whole, self._ended(found)

    def _plain(self, found: list[str]) -> str:
        char = self._next()
        if char != _ESCAPE:
            self._add(char, found)
            return char
        taken = (char if self._escapes else "") + self._next()
        self._word += taken
        return taken

    def _add(self, text: str, found: list[str]) -> None:
        for char in text:
            if char not in SPACES:
                self._word += char
            elif self._word:
                self._ended(found)

    def _ended(self, found: list[str]) -> list[str]:
        found += [self._word] if self._word else []
        self._word = ""
        return found

    def _single(self) -> str:
        inside, quote = "", self._next()
        while (char := self._next()) != quote:
            if not char:
                raise LexError("no single quote")
            inside += char
        return quote + inside + quote if self._quotes else inside

    def _double(self) -> str:
        inside, quote = "", self._next()
        while (char := self._peek()) != quote:
            if not char:
                raise LexError("no double quote")
            inside += self._dollar() if char == "$" else self._quoted()
        self._next()
        return quote + inside + quote if self._quotes else inside

    def _quoted(self) -> str:
        char = self._next()
        if char != _ESCAPE:
            return char
        kept = char if self._escapes else ""
        following = self._peek()
        if not following:
            return kept
        return kept + (self._next() if following in {'"', "$", _ESCAPE} else char)

    def _less(self) -> str:
        self._next()
        if self._peek() != "<":
            return "<"
        self._next()
        taken = "<<"
        while self._dialect.spaced and self._peek() and self._peek() in "\t\r ":
            taken += self._next()
        return taken

    def _dollar(self) -> str:
        self._next()
        if self._peek() != "{":
            return "$" + self._name()
        self._next()
        if self._peek() in {"", "{", "}", ":"}:
            raise LexError("bad substitution")
        name, sign = self._name(), self._next()
        if sign == "}":
            return f"${{{name}}}"
        colon = sign == ":"
        sign = self._next() if colon else sign
        if not sign or sign not in ("+-?" if colon else "?" if self._dialect.first else "+-?#%/"):
            raise LexError("unknown modifier")
        if sign == "/":
            return self._replaced(name)
        word, _ = self.until("}", sign in "#%")
        if self._dialect.first and sign in "+-":
            return word if sign == "-" else ""
        return f"${{{name}{':' if colon else ''}{sign}{word}}}"

    def _replaced(self, name: str) -> str:
        if self._peek() == "/":
            self._next()
        pattern, _ = self.until("/", True)
        replacement, _ = self.until("}", True)
        return f"${{{name}/{pattern}/{replacement}}}"

    def _name(self) -> str:
        first = self._peek()
        if first.isdecimal():
            return self._while(str.isdecimal)
        if first and first in _SPECIAL:
            return self._next()
        return self._while(lambda char: char.isalpha() or char.isdecimal() or char == "_")

    def _while(self, fits: Callable[[str], bool]) -> str:
        taken = ""
        while (char := self._peek()) and fits(char):
            taken += self._next()
        return taken
