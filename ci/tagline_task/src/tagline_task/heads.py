"""Words by how they begin: where in a text one of them begins, without a look at each."""

from collections.abc import Iterable
from typing import AnyStr, Generic

_HEAD = 4


class Heads(Generic[AnyStr]):
    """Words of 8 characters or more, found by their first four."""

    def __init__(self, words: Iterable[AnyStr]) -> None:
        self._words: dict[AnyStr, list[AnyStr]] = {}
        self._starts: set[AnyStr] = set()
        self._longest = 0
        for word in words:
            self._words.setdefault(word[:_HEAD], []).append(word)
            self._starts |= {word[:size] for size in range(1, _HEAD)}
            self._longest = max(self._longest, len(word))

    def begun(self, text: AnyStr) -> int:
        """Where the first word begins that the text's end cuts; the text's length if none does."""
        size = len(text)
        for at in range(max(0, size - self._longest + 1), size):
            head = text[at : at + _HEAD]
            if len(head) < _HEAD:
                if head in self._starts:
                    return at
            elif head in self._words and self._goes_on(text[at:], head):
                return at
        return size

    def _goes_on(self, rest: AnyStr, head: AnyStr) -> bool:
        return any(len(word) > len(rest) and word.startswith(rest) for word in self._words[head])

    def cut(self, text: AnyStr, end: int) -> int:
        """Where the first whole word begins that `end` cuts; `end` if none does."""
        for at in range(max(0, end - self._longest + 1), end):
            words = self._words.get(text[at : at + _HEAD], ())
            if any(at + len(word) > end and text.startswith(word, at) for word in words):
                return at
        return end
