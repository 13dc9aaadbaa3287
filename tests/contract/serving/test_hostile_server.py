"""A hostile model server tries to read and to change what is the user's, the repository's, or another model's."""

import hashlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest
from tagline import config
from tagline.engines import gaps
from tagline.flow.opening import open_engine
from tagline.platforms import ServerSpec
from tagline.platforms.local import serving

from tests.unit.sandbox.test_guards import GATE, mounts_allowed

from .conftest import V1, Place, a_place

pytestmark = pytest.mark.skipif(
    not mounts_allowed(), reason="not applicable here: this machine allows no mounts of one's own"
)
HOSTILE = '''
import json, os

class Model:
    """Reads where its doors are from its model file, tries them, and predicts those that were open."""

    def load(self, path):
        doors = json.load(open(path))
        self.open = [["read", name] for name in doors["read"] if can(name, "rb")]
        self.open += [["write", name] for name in doors["write"] if can(name, "ab")]

    def predict(self, instances):
        return [self.open] * len(instances)


def can(name, mode):
    try:
        with open(name, mode) as file:
            return not os.fstat(file.fileno()).st_rdev if mode == "ab" else bool(file.read())
    except OSError:
        return False
'''
READ = ["repo/.env", "repo/.git/config", "repo/gate/frozen.csv", "home/pipelines.sqlite", "remote.git/config"]
WRITE = [
    *("repo/.git/hooks/reference-transaction", "repo/new", "remote.git/hooks/post-receive", "home/new"),
    *("home/pipelines.sqlite", "home/runs/other/model", "home/servers/new", "home/servers/other/new"),
    *("home/uploads/other/serve.py", "home/uploads/wine/new", "home/uploads/wine/src/serve.py"),
    *("home/uploads/wine/src/new", "home/uploads/new", "home/runs/wine/model", "home/runs/wine/new"),
]


class Tried(NamedTuple):
    """The doors that a server found open, those after `down` and `up`, and the gaps that are owned up to."""

    found: list[list[str]]
    again: list[list[str]]
    gaps: list[str]


def lay_out(folder: Path, place: Place) -> ServerSpec:
    """A repository, its remote and a platform, all outside the user's home, and a hostile model in it."""
    for name in [*READ, *WRITE]:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
    for words in (["repo"], ["--bare", "remote.git"]):
        subprocess.run(["git", "init", "-q", *words], cwd=folder, check=True)
    subprocess.run(["git", "-C", "repo", "remote", "add", "origin", "../remote.git"], cwd=folder, check=True)
    for name in ("repo/.env", "repo/gate/frozen.csv", "home/pipelines.sqlite", "home/uploads/other/serve.py"):
        (folder / name).write_text("theirs")
    source, model = folder / "home/uploads/wine", folder / "home/runs/wine/model"
    own = str(folder / "home/servers/prod.wine.v0-1-0-r1/own")
    (source / "src/serve.py").write_text(HOSTILE)
    absolute = [[str(folder / name) for name in names] for names in (READ, WRITE)]
    model.write_text(json.dumps({"read": absolute[0], "write": [*absolute[1], own]}))
    digest = hashlib.sha256(model.read_bytes()).hexdigest()
    engine = open_engine(place.home, {}, folder / "repo", config.parse(GATE, default_name="wine"))
    spec = ServerSpec("wine", V1, "custom:src/serve.py", model, digest, source, place.python)
    return msgspec.structs.replace(spec, guards=engine.guards)


def ask(place: Place) -> list[list[str]]:
    return list(json.loads(place.predict()[1])["predictions"][0])


@pytest.fixture(scope="module", params=["workspace", "home"])
def tried(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, python: Path
) -> Iterator[tuple[Path, Tried]]:
    """The hostile server's findings, with all outside the user's home, and with all in it."""
    folder = tmp_path_factory.mktemp("hostile-server")
    user = folder if request.param == "home" else tmp_path_factory.mktemp("user")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(user))
        with a_place(folder, python) as place:
            spec = lay_out(folder, place)
            place.serving.deploy("prod", spec)
            place.serving.set_weights("prod", "wine", {V1: 100})
            found = ask(place)
            serving.down(place.home)
            serving.up(place.home)
            again = ask(place)
            owned = [gap for guards in serving.guards(place.home) for gap in gaps.gaps(guards)]
            yield folder, Tried(found, again, owned)


@pytest.mark.parametrize("when", ["found", "again"])
def test_a_server_opens_no_door_but_its_own_homes(tried: tuple[Path, Tried], when: str) -> None:
    folder, said = tried
    own = str(folder / "home/servers/prod.wine.v0-1-0-r1/own")
    assert getattr(said, when) == [["write", own]]


def test_the_doors_that_the_server_found_shut_are_no_gaps(tried: tuple[Path, Tried]) -> None:
    folder, said = tried
    assert not [gap for gap in said.gaps if str(folder) in gap]
    made = [name for name in WRITE if name.endswith(("new", "transaction", "post-receive"))]
    assert not [name for name in made if (folder / name).exists()]
