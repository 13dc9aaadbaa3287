"""A hostile model tries, while its server loads it, the doors to what the user and the platform hold."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tagline.engines import gaps
from tagline.platforms import ServerSpec
from tagline.platforms.local.serving.paths import Paths

from .conftest import V1, Place, a_place

SECRET = "credential-91c4"
CAP_SYS_PTRACE = 19
HOSTILE = '''
import json, os, socket

class Model:
    """Reads where its doors are from its model file, tries them, and predicts what it found."""

    def load(self, path):
        self.found = {name: attempt(*door) for name, door in json.load(open(path)).items()}

    def predict(self, instances):
        return [self.found] * len(instances)


def attempt(way, where):
    try:
        if way == "read":
            return open(where).read()
        if way == "parent":
            parent = next(pid for pid in filter(str.isdigit, os.listdir("/proc")) if where in command(pid))
            return open(f"/proc/{parent}/environ").read()
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(where)
            return "connected"
    except (OSError, StopIteration) as error:
        return f"shut: {type(error).__name__}"


def command(pid):
    try:
        return open(f"/proc/{pid}/cmdline").read()
    except OSError:
        return ""
'''


def doors(place: Place, user: Path) -> dict[str, tuple[str, str]]:
    """Each door, and how to try it."""
    paths = Paths(place.home)
    return {
        "credentials": ("read", str(user / ".git-credentials")),
        "admin socket": ("connect", str(paths.admin)),
        "control socket": ("connect", str(paths.control)),
        "state": ("read", str(paths.state)),
        "supervisor": ("parent", f"serving.daemon\0--home\0{place.home}"),
        "router": ("parent", f"serving.router\0--home\0{place.home}"),
        "own rights": ("read", "/proc/self/status"),
    }


def served(place: Place, user: Path) -> dict[str, str]:
    """Serve the hostile model, and have it say what each door gave."""
    source = place.home.parent / "hostile"
    (source / "src").mkdir(parents=True)
    (source / "src/serve.py").write_text(HOSTILE)
    model = place.home.parent / "doors.json"
    model.write_text(json.dumps(doors(place, user)))
    digest = hashlib.sha256(model.read_bytes()).hexdigest()
    place.serving.deploy(
        "prod", ServerSpec("wine", V1, "custom:src/serve.py", model, digest, source, place.python)
    )
    place.serving.set_weights("prod", "wine", {V1: 100})
    return dict(json.loads(place.predict()[1])["predictions"][0])


@pytest.fixture(scope="module")
def world(
    tmp_path_factory: pytest.TempPathFactory, python: Path
) -> Iterator[tuple[dict[str, str], list[str]]]:
    """What each door gave to the hostile model, and the gaps that the sandbox owns up to here."""
    folder = tmp_path_factory.mktemp("hostile")
    user = folder / "user"
    user.mkdir()
    (user / ".git-credentials").write_text(SECRET)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(user))
        with a_place(folder, python) as place:
            yield served(place, user), gaps.gaps()


@pytest.mark.parametrize("door", ["credentials", "admin socket", "control socket", "state"])
def test_a_hostile_model_does_not_see_what_belongs_to_the_user_and_the_platform(
    world: tuple[dict[str, str], list[str]], door: str
) -> None:
    found, gaps = world
    if any(".git-credentials" in gap for gap in gaps):  # no mounts here: the gap is owned up to
        assert found["credentials"] == SECRET
    else:
        assert found[door].startswith("shut: ") or found[door] == ""


@pytest.mark.parametrize("door", ["supervisor", "router"])
def test_a_hostile_model_cannot_read_the_environment_of_the_platforms_processes(
    world: tuple[dict[str, str], list[str]], door: str
) -> None:
    assert world[0][door] == "shut: PermissionError"


def test_a_model_server_has_no_right_to_look_into_other_processes_and_can_gain_none(
    world: tuple[dict[str, str], list[str]],
) -> None:
    status = dict(line.split(":\t", 1) for line in world[0]["own rights"].splitlines())
    assert status["NoNewPrivs"] == "1"
    assert not int(status["CapEff"], 16) >> CAP_SYS_PTRACE & 1
    assert not int(status["CapBnd"], 16) >> CAP_SYS_PTRACE & 1
