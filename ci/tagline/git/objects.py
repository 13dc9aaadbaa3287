"""Commits and tags as bare objects: made before a push, and pointed to by nothing here if the push fails."""

import msgspec

from tagline.git.facts import Tag
from tagline.git.repo import Repo

_FALLBACK = ("tagline", "tagline@localhost")
_EMPTY_TREES = {
    40: "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
    64: "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
}


class NewTag(msgspec.Struct, frozen=True):
    """An annotated tag to make: its name, the commit, the message (subject, then trailers)."""

    name: str
    commit: str
    message: str


def empty_tree(like: str) -> str:
    """The hash of the tree without files, in the hash function of another object's hash."""
    return _EMPTY_TREES.get(len(like), "")


def identity(repo: Repo) -> tuple[str, str]:
    """Name and address of whoever runs git here, or tagline's own where nobody has set them."""
    answer = repo.ask("-c", "user.useConfigOnly=true", "var", "GIT_COMMITTER_IDENT")
    if answer.code != 0:
        return _FALLBACK
    name, _, rest = answer.out.decode("utf-8", "replace").partition(" <")
    return name, rest.partition(">")[0]


def _as_us(repo: Repo) -> dict[str, str]:
    name, address = identity(repo)
    return {
        "GIT_AUTHOR_NAME": name,
        "GIT_AUTHOR_EMAIL": address,
        "GIT_COMMITTER_NAME": name,
        "GIT_COMMITTER_EMAIL": address,
    }


def chain(repo: Repo, parent: str, messages: list[str]) -> str:
    """Commits with an empty tree, one for each message, on `parent` ("": none); returns the last hash."""
    tree = repo.text("hash-object", "-w", "-t", "tree", "--stdin")
    env = _as_us(repo)
    for message in messages:
        on = ("-p", parent) if parent else ()
        parent = repo.git("commit-tree", tree, *on, stdin=message.encode(), env=env).decode().strip()
    return parent


def merge(repo: Repo, into: str, head: str) -> str:
    """A merge of two commits with the files of `head`, for questions about history; returns its hash."""
    tree = repo.text("rev-parse", f"{head}^{{tree}}")
    made = repo.git("commit-tree", tree, "-p", into, "-p", head, "-m", "Merge", env=_as_us(repo))
    return made.decode().strip()


def tag(repo: Repo, new: NewTag, run: str) -> Tag:
    """The object of an annotated tag; its trailer `Run:` makes it different from anybody else's."""
    committer = repo.git("var", "GIT_COMMITTER_IDENT", env=_as_us(repo)).decode().strip()
    body = new.message.strip()
    gap = "\n" if has_trailers(body) else "\n\n"
    content = (
        f"object {new.commit}\ntype commit\ntag {new.name}\ntagger {committer}\n\n{body}{gap}Run: {run}\n"
    )
    made = repo.text("mktag", stdin=content.encode())
    return Tag(new.name, made, new.commit, annotated=True)


def text_of(repo: Repo, tag: Tag) -> str:
    """The text of an annotated tag's object."""
    return repo.git("cat-file", "tag", tag.object).decode("utf-8", "surrogateescape")


def remake(repo: Repo, text: str) -> str:
    """Make the object of an annotated tag from its text; returns its hash."""
    made = repo.git(
        "hash-object", "-w", "-t", "tag", "--stdin", stdin=text.encode("utf-8", "surrogateescape")
    )
    return made.decode().strip()


def has_trailers(message: str) -> bool:
    """Whether the last paragraph, which is not the first, is made of `Key: value` lines."""
    paragraphs = message.split("\n\n")
    lines = paragraphs[-1].splitlines()
    return len(paragraphs) > 1 and all(": " in line and " " not in line.partition(": ")[0] for line in lines)
