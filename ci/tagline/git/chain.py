"""The commits that the ledger is made of, as they are, and what each says."""

import msgspec

from tagline.git import objects, wire
from tagline.git.events import AnyEvent
from tagline.git.facts import Facts
from tagline.git.repo import Repo


class Link(msgspec.Struct, frozen=True):
    """One commit of the chain, as it is."""

    commit: str
    tree: str
    parents: tuple[str, ...]
    message: str


def links(repo: Repo, facts: Facts) -> list[Link]:
    """The commits of the ledger, oldest first, whatever is wrong with them."""
    if not facts.ledger:
        return []
    layout = "--format=%H%x00%T%x00%P%x00%B%x00"
    out = repo.git("log", "--topo-order", "--reverse", layout, facts.ledger, "--").decode("utf-8", "replace")
    fields = out.split("\0")[:-1]
    return [
        Link(commit.strip("\n"), tree, tuple(parents.split()), message)
        for commit, tree, parents, message in zip(*[iter(fields)] * 4, strict=True)
    ]


def examine(link: Link, number: int) -> tuple[AnyEvent | None, str]:
    """The event of a link and "", or None and what is wrong with the link."""
    if link.tree != objects.empty_tree(link.commit):
        return None, "its tree is not empty"
    if len(link.parents) > 1:
        return None, "it is a merge"
    if bool(link.parents) != (number > 0):
        return None, "its parent is missing" if number else "it has a parent that is not in the chain"
    try:
        return wire.decode(link.message), ""
    except ValueError as error:
        return None, str(error)
