"""Which names the server takes, and which two it holds for the same: case and accents do not count."""

import re
import unicodedata

from tests.fakes.kfp.answers import EXISTS, INTERNAL, INVALID, Refused

SUBDOMAIN = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
TAGS = 20
TAG_LENGTH = 63
LATIN1 = "latin1"
UTF8MB3 = "utf8mb3"


def folded(name: str) -> str:
    """What the database compares: no case, no accents, ß as ss."""
    loose = unicodedata.normalize("NFD", name.casefold())
    return "".join(char for char in loose if not unicodedata.combining(char))


def same(one: str, other: str, charset: str = UTF8MB3) -> bool:
    """In a latin1 schema trailing spaces do not count either."""
    if charset == LATIN1:
        one, other = one.rstrip(" "), other.rstrip(" ")
    return folded(one) == folded(other)


def storable(text: str, charset: str) -> bool:
    """Whether a column of this character set can hold the text."""
    if charset == LATIN1:
        try:
            text.encode("cp1252")
        except UnicodeEncodeError:
            return False
        return True
    return all(ord(char) <= 0xFFFF for char in text)


def is_subdomain(name: str) -> bool:
    return bool(re.fullmatch(SUBDOMAIN, name)) and len(name) <= 253


def must_be_subdomain(what: str, name: str) -> None:
    """The native store's names are Kubernetes names."""
    if not is_subdomain(name):
        raise Refused(
            INVALID,
            f'Invalid {what} name "{name}": a lowercase RFC 1123 subdomain must consist of lower case '
            "alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character "
            f"(e.g. 'example.com', regex used for validation is '{SUBDOMAIN}'). "
            "Use 'display_name' for human-readable labels",
        )


def check_tags(tags: dict[str, str]) -> None:
    """At most 20, keys and values of at most 63 characters, no dot in a key."""
    if len(tags) > TAGS:
        raise Refused(INVALID, f"number of tags ({len(tags)}) exceeds maximum of {TAGS} per entity")
    for key, value in sorted(tags.items()):
        if not key:
            raise Refused(INVALID, "tag key cannot be empty")
        if "." in key:
            raise Refused(INVALID, f"tag key {_quoted(key)} cannot contain '.'")
        if len(key) > TAG_LENGTH:
            raise Refused(
                INVALID, f"tag key {_quoted(key)} exceeds maximum length of {TAG_LENGTH} characters"
            )
        if len(value) > TAG_LENGTH:
            raise Refused(
                INVALID,
                f"tag value {_quoted(value)} for key {_quoted(key)} exceeds maximum length of "
                f"{TAG_LENGTH} characters",
            )


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '\\"') + '"'


def taken(what: str, name: str) -> Refused:
    """The 409 of a name in use, in that resource's words."""
    words = {
        "pipeline": f"Failed to create a new pipeline. The name {name} already exist. "
        "Please specify a new name",
        "version": f"Failed to create a new pipeline version. The name {name} already exist. "
        "Specify a new name",
        "experiment": f"Failed to create a new experiment. The name {name} already exists. "
        "Please specify a new name",
    }
    return Refused(EXISTS, words[what])


def too_long(what: str, column: str) -> Refused:
    return Refused(INTERNAL, f"{what}: Error 1406 (22001): Data too long for column '{column}' at row 1")
