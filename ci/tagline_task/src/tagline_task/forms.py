"""How a value is written by the encoders in common use: the forms in which it must not be seen."""

import base64
import html
import json
import os
import re
from collections.abc import Iterator
from itertools import product
from urllib.parse import quote

_SAFE = (
    "",  # quote(safe=""), quote_plus
    "/",  # quote
    "!~*'()",  # encodeURIComponent
    ";/?:@&=+$,#!~*'()",  # encodeURI
    "!#$%&'()*+,/:;=?@[]~",  # requests
    "*",  # form data of a browser, URLEncoder of Java
)
_JSON_ESCAPED = ("", "<>&", "<>&'", "<>&'=")  # json, Go and Rails, Jinja, Gson
_QUOTES = (  # how ' and " are written in HTML and XML
    ("'", '"'),
    ("'", "&quot;"),
    ("&#x27;", "&quot;"),
    ("&#39;", "&quot;"),
    ("&#039;", "&quot;"),
    ("&apos;", "&quot;"),
    ("&#39;", "&#34;"),
)


def forms(value: str) -> Iterator[str]:
    """The value as it is, and as JSON, `repr`, URL encoders, HTML, base64 and hex write it."""
    data = to_bytes(value)
    yield value
    yield from _json(value)
    yield from _repr(value, data)
    yield from _url(data)
    yield from _html(value)
    for form in _base64(data):
        yield form
        yield form.translate(str.maketrans("+/", "-_"))
    yield data.hex()
    yield data.hex().upper()


def to_bytes(value: str) -> bytes:
    """The value as bytes of a log: what the environment held, or UTF-8."""
    return os.fsencode(value) if encodes(value) else value.encode("utf-8", "surrogatepass")


def encodes(value: str) -> bool:
    """Whether the file system's encoding can write the value."""
    try:
        os.fsencode(value)
    except UnicodeEncodeError:
        return False
    return True


def _json(value: str) -> Iterator[str]:
    """ASCII or not, `/` escaped or not, `<` and its like as `\\u003c` or not, in small or capital digits."""
    for ascii_only, slash, escaped in product((True, False), ("/", "\\/"), _JSON_ESCAPED):
        text = json.dumps(value, ensure_ascii=ascii_only)[1:-1].replace("/", slash)
        for character in escaped:
            text = text.replace(character, f"\\u{ord(character):04x}")
        yield text
        yield re.sub(r"(?<!\\)((?:\\\\)*\\u)([0-9a-f]{4})", lambda found: found[1] + found[2].upper(), text)


def _repr(value: str, data: bytes) -> Iterator[str]:
    """Text and bytes; whether `'` is escaped depends on what else the text holds."""
    for text in (repr(value + '"')[1:-2], repr(data + b'"')[2:-2]):
        yield text
        yield text.replace("\\'", "'")
        yield text.replace("\\'", "'").replace("'", "\\'")


def _url(data: bytes) -> Iterator[str]:
    for safe in _SAFE:
        text = quote(data, safe=safe)
        for encoded in (text, text.replace("%20", "+"), text.replace("%20", "+").replace("~", "%7E")):
            yield encoded
            yield re.sub("%[0-9A-F]{2}", lambda match: match[0].lower(), encoded)


def _html(value: str) -> Iterator[str]:
    text = html.escape(value, quote=False)
    for single, double in _QUOTES:
        yield text.replace("'", single).replace('"', double)


def _base64(data: bytes) -> Iterator[str]:
    """The characters that only `data` decides, for each of the three places where it can begin."""
    for before in range(3):
        text = base64.b64encode(bytes(before) + data).decode()
        yield text[-(-before * 8 // 6) : (before + len(data)) * 8 // 6]
