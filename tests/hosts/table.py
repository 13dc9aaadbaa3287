"""The events of the CI hosts, as files: read strictly, and made into the environment of a job."""

import json
from pathlib import Path

import msgspec
from tagline.flow.views.recording import Recording

FOLDER = Path(__file__).parent / "events"
FILES = sorted(FOLDER.glob("*/*.json"))


def load(file: Path, **commits: str) -> Recording:
    """A file of the table, its commits' names replaced by hashes."""
    text = file.read_text()
    for name, value in commits.items():
        text = text.replace(f"{{{name}}}", value)
    return msgspec.json.decode(text, type=Recording)


def environ(one: Recording, folder: Path) -> dict[str, str]:
    """The variables of a job; GitHub's payload is a file in `folder`."""
    if one.payload is None:
        return dict(one.variables)
    file = folder / "event.json"
    file.write_text(json.dumps(one.payload))
    return one.variables | {"GITHUB_EVENT_PATH": str(file)}


def name(file: Path) -> str:
    return f"{file.parent.name}/{file.stem}"
