"""What this machine may push, learnt by pushing: two refs of our own, as one, and away again."""

import secrets

import msgspec

from tagline.errors import NoAtomicPush, PushRefused
from tagline.git import objects, remote
from tagline.git.remote import Pushed, RefUpdate
from tagline.git.repo import Repo

PROBES = "refs/tagline/probe/"
_MESSAGE = "tagline probe\n\n[skip ci]\n"


class Learnt(msgspec.Struct, frozen=True):
    """`refused` is the host's answer to refs of our own ("": it takes them), `left` the probes that it keeps."""

    atomic: bool
    refused: str = ""
    left: tuple[str, ...] = ()


def probe(repo: Repo) -> Learnt:
    """Push `refs/tagline/probe/<id>`, delete it, and say what that showed; older leftovers go with it.

    A dry run would prove only who we are. Raises `RemoteUnavailable`, `RepositoryError`.
    """
    commit = objects.chain(repo, "", [_MESSAGE])
    place = f"{PROBES}{secrets.token_hex(8)}"
    try:
        atomic, refused = _push(repo, [RefUpdate(f"{place}/{one}", commit) for one in ("a", "b")])
    finally:
        left = _sweep(repo)
    return Learnt(atomic, refused, left)


def _push(repo: Repo, updates: list[RefUpdate]) -> tuple[bool, str]:
    """Whether both went as one, and the host's words where they did not go at all."""
    try:
        try:
            remote.push(repo, updates)
        except NoAtomicPush:
            remote.push(repo, updates[:1])
            return False, ""
    except PushRefused as error:
        return True, error.what
    return True, ""


def _sweep(repo: Repo) -> tuple[str, ...]:
    """Delete every probe, also one that a killed doctor left; returns those that the remote keeps."""
    for ref, value in remote.refs_under(repo, PROBES).items():
        try:
            if remote.push(repo, [RefUpdate(ref, "", value)]) is Pushed.LOST:
                continue  # another doctor was faster
        except PushRefused:
            continue  # it is listed below
    return tuple(remote.refs_under(repo, PROBES))
