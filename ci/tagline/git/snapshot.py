"""The remote's refs as this clone last saw them, in its private namespace, and as the remote lists them."""

import msgspec

from tagline.git.remote import Listing
from tagline.git.repo import LEDGER_REF, ORIGIN, Repo

HEAD = f"{ORIGIN}HEAD"
_FORMAT = "%(objectname) %(objecttype) %(*objectname) %(*objecttype) %(refname)"


class Tag(msgspec.Struct, frozen=True):
    """A tag of the remote: `object` is what the ref holds, `commit` what it comes down to when peeled."""

    name: str
    object: str
    commit: str
    annotated: bool


class Snapshot(msgspec.Struct, frozen=True):
    """Branches, tags and ledger; `values` are hashes by full name, `default` the branch of HEAD or ""."""

    heads: dict[str, str]
    tags: dict[str, Tag]
    ledger: str
    values: dict[str, str]
    default: str

    def ledger_at(self, place: str) -> str:
        """The newest event of the ledger in this ref, or ""."""
        return self.ledger if place == LEDGER_REF else self.heads.get(place.removeprefix("refs/heads/"), "")


def seen(repo: Repo) -> Snapshot:
    """What was fetched last."""
    out = repo.git("for-each-ref", f"--format={_FORMAT}", ORIGIN).decode("utf-8", "surrogateescape")
    heads, values, ledger = {}, {}, ""
    found: list[tuple[str, str, str, str]] = []
    for line in out.splitlines():
        value, kind, peeled, peeled_kind, name = line.split(" ", 4)
        short = name.removeprefix(ORIGIN)
        if short.startswith("heads/"):
            heads[short.removeprefix("heads/")] = value
            values[f"refs/{short}"] = value
        elif short.startswith("tags/"):
            values[f"refs/{short}"] = value
            found.append((short.removeprefix("tags/"), value, peeled or value, peeled_kind or kind))
        elif short == "ledger":
            ledger = values[LEDGER_REF] = value
    default = repo.ask("symbolic-ref", "--quiet", HEAD).out.decode("utf-8", "replace").strip()
    return Snapshot(heads, _tags(repo, found), ledger, values, default.removeprefix(f"{ORIGIN}heads/"))


def _tags(repo: Repo, found: list[tuple[str, str, str, str]]) -> dict[str, Tag]:
    """Tags that end in a commit; git peels one layer in its listing, tags of tags are peeled here."""
    nested = [once for _, _, once, kind in found if kind == "tag"]
    peeled = {}
    if nested:
        asked = "".join(f"{value}^{{}}\n" for value in nested).encode()
        answers = repo.text("cat-file", "--batch-check=%(objectname) %(objecttype)", stdin=asked).splitlines()
        peeled = {once: answer.split(" ") for once, answer in zip(nested, answers, strict=True)}
    tags = {}
    for name, value, once, kind in found:
        commit, last = peeled.get(once, (once, kind))
        if last == "commit":
            tags[name] = Tag(name, value, commit, annotated=value != commit)
    return tags


def listed(told: Listing) -> Snapshot:
    """What the remote lists, for a clone that does not hold it all; a tag of something else than a commit
    cannot be told from one."""
    heads, tags = {}, {}
    for name, value in told.refs.items():
        if name.startswith("refs/heads/"):
            heads[name.removeprefix("refs/heads/")] = value
        elif name.startswith("refs/tags/"):
            short = name.removeprefix("refs/tags/")
            tags[short] = Tag(short, value, told.commit(name), annotated=name in told.peeled)
    return Snapshot(
        heads, tags, told.refs.get(LEDGER_REF, ""), told.refs, told.head if told.head in heads else ""
    )
