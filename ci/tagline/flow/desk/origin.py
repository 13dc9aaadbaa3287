"""Which template a project came from: the answers and the files as they were, in one file of the project."""

import base64
import binascii
import zlib
from collections.abc import Mapping
from pathlib import Path

import msgspec

import tagline
from tagline.errors import TemplateUnknown

FILE = ".tagline-template.json"
LIMIT = 50_000_000
NOTE = "Written by tagline init; tagline init --update needs it as it is."
QUESTIONS = ("name", "ci", "library", "ref", "fork_comments")
Answers = Mapping[str, str | bool]


class Origin(msgspec.Struct, frozen=True):
    """The template's `answers`, its `files` as rendered with them (path to bytes), and the tagline that did it."""

    answers: dict[str, str | bool]
    files: dict[str, bytes]
    version: str = tagline.__version__


class _Written(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    note: str
    version: str
    answers: dict[str, str | bool]
    files: str


def text(origin: Origin) -> str:
    """The record as it is written: readable answers, and the files packed."""
    packed = base64.b64encode(zlib.compress(msgspec.msgpack.encode(origin.files, order="sorted"), 9)).decode()
    written = _Written(NOTE, origin.version, origin.answers, packed)
    return msgspec.json.format(msgspec.json.encode(written, order="deterministic"), indent=1).decode() + "\n"


def read(folder: Path) -> Origin:
    """The record of the project in `folder`; raises `TemplateUnknown` where there is none or it is damaged."""
    file = folder / FILE
    if file.is_symlink() or not file.is_file():
        raise TemplateUnknown(
            "nothing says which template this project was made from",
            where=str(file),
            fix="tagline init NEW_FOLDER with the same name and CI, and compare; its record may be copied here",
        )
    try:
        written = msgspec.json.decode(file.read_bytes(), type=_Written)
        files = msgspec.msgpack.decode(_unpack(written.files), type=dict[str, bytes])
    except (msgspec.MsgspecError, UnicodeDecodeError, zlib.error, binascii.Error) as error:
        raise TemplateUnknown(
            f"the record of the template is damaged: {error}",
            where=str(file),
            fix=f"git checkout HEAD -- {FILE}",
        ) from error
    if odd := sorted(name for name in files if not _inside(name)):
        raise TemplateUnknown(
            f"the record of the template names a file that no template writes: {odd[0]!r}",
            where=str(file),
            fix="git log -- " + FILE + ", and put back the record that tagline init wrote",
        )
    return Origin(written.answers, files, written.version)


def _inside(name: str) -> bool:
    """Whether a template may write there: below the project, as a plain path, and never into git's own folder."""
    parts = name.split("/")
    plain = not {"", ".", ".."}.intersection(parts) and not any(part.lower() == ".git" for part in parts)
    return plain and "\0" not in name and "\\" not in name


def _unpack(packed: str) -> bytes:
    unpacking = zlib.decompressobj()
    data = unpacking.decompress(base64.b64decode(packed, validate=True), LIMIT)
    if not unpacking.eof:
        raise zlib.error("it is cut off or too large")
    return data


def of(made: Path, said: Mapping[str, object]) -> Origin:
    """The origin of what the template wrote to `made`, from every answer that was `said`."""
    answers = {name: said[name] for name in QUESTIONS if isinstance(said.get(name), str | bool)}
    names = sorted(path for path in made.rglob("*") if path.is_file())
    files = {str(path.relative_to(made)): path.read_bytes() for path in names}
    return Origin(msgspec.convert(answers, dict[str, str | bool]), files)
