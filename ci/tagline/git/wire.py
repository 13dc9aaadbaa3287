"""Events as the ledger holds them: a commit message of one JSON line, and a line that asks CI to skip it."""

import msgspec

from tagline.errors import LedgerError
from tagline.git.events import AnyEvent

SKIP_CI = "[skip ci]"
SIZE_LIMIT = 64 * 1024
_DECODER: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)


def decode(message: str) -> AnyEvent:
    """Read a commit message back; raises `ValueError` that says what is wrong with it."""
    line, _, rest = message.partition("\n")
    if rest.strip("\n") != SKIP_CI:
        raise ValueError(f"the message is not one line of JSON and then {SKIP_CI}")
    try:
        return _DECODER.decode(line)
    except msgspec.DecodeError as error:
        raise ValueError(str(error)) from error


def encode(event: AnyEvent) -> str:
    """The commit message of an event.

    Raises `LedgerError` for what could not be read back (a wrong name, version or hash, a number that is not
    finite) and above 64 KiB: nothing large goes in.
    """
    line = msgspec.json.encode(event).decode()
    if len(line) > SIZE_LIMIT:
        raise LedgerError(f"an event of {len(line)} bytes is too large for the ledger", fix="record digests")
    message = f"{line}\n\n{SKIP_CI}\n"
    try:
        same = decode(message) == event
    except ValueError as error:
        raise LedgerError(f"this is no event that the ledger can hold: {error}", where=line) from error
    if not same:
        raise LedgerError("this event reads back as another one", where=line)
    return message
