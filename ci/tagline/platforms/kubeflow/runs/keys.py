"""Owner keys on the server: in the name of a run, whole in its description, and as its own pipeline root."""

import hashlib
import re

from tagline.platforms.kubeflow.marks import TAGLINE

NAME_LIMIT = 127
DESCRIPTION_LIMIT = 255  # above it the server starts the Workflow and fails to note the run
_SAID = re.compile(r"tagline run (?P<owner>\S+) of (?P<repository>[0-9a-f]{32})")


def name_of(owner: str) -> str:
    """The display name of a run with this owner key, at most 127 characters: a long key ends in its digest."""
    name = f"{TAGLINE} {owner}"
    if len(name) <= NAME_LIMIT:
        return name
    digest = hashlib.sha256(owner.encode()).hexdigest()[:16]
    return f"{name[: NAME_LIMIT - 17]}~{digest}"


def prefix_of(owner_prefix: str) -> str:
    """What the names of all runs with such keys contain, to look for them on the server."""
    return f"{TAGLINE} {owner_prefix}"[: NAME_LIMIT - 17]


def description_of(owner: str, repository: str) -> str:
    """The description of a run: whose it is, without characters that the database cannot hold."""
    return f"{TAGLINE} run {owner} of {repository}"[:DESCRIPTION_LIMIT]


def owner_in(description: str, repository: str) -> str:
    """The owner key that a run of this repository says; "" for another's, or none of tagline's."""
    found = _SAID.fullmatch(description)
    return found["owner"] if found and found["repository"] == repository else ""


def root_of(root: str, owner: str) -> str:
    """The pipeline root of one run alone: `<root>/tagline/<owner key>`."""
    return f"{root.rstrip('/')}/{TAGLINE}/{owner}"
