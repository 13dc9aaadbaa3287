"""A token that shows itself to nobody but the line that sends it."""

from typing import NoReturn

HIDDEN = "***"


class Token:
    """A secret text: printed, formatted, compared or pickled it gives nothing away."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The secret itself: only for the header or the form that is sent."""
        return self._value

    def hide(self, text: str) -> str:
        """The text without the secret, should somebody have echoed it."""
        return text.replace(self._value, HIDDEN) if self._value else text

    def __repr__(self) -> str:
        return HIDDEN

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return HIDDEN

    def __reduce__(self) -> NoReturn:
        raise TypeError("a token is not written down")
