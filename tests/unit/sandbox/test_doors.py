"""A hostile child tries every door to its parent's credentials: open without the guards, shut with them."""

import json
import os
import sys
from pathlib import Path

import pytest
from tagline import foreign
from tagline.engines import Command, sandbox

from .conftest import HOME_FILES, OWN, SECRET, World

PROCESS_DOORS = [
    "environment",
    "parent's environment",
    "parent's memory",
    "parent's descriptors",
    "ptrace",
    "inherited descriptors",
    ".git of its tree",
]
HIDDEN_DOORS = [
    *("agent", "engine", ".git of the work tree", "git's settings", "a file variable"),
    *("a profile", "the home", *OWN, *HOME_FILES),
]
GAVE = {"ptrace": "attached", "parent's descriptors": "/credential"}
GAVE |= dict.fromkeys(["a profile", "the home", *OWN], "written")
USERS = ["root", "nobody"] if os.getuid() == 0 else ["user"]


@pytest.fixture(scope="module", params=USERS)
def user(request: pytest.FixtureRequest, world: World) -> str:
    name = str(request.param)
    if name not in world.users:
        pytest.skip(f"not applicable here: this machine does not let the suite be {name}")
    return name


@pytest.fixture(scope="module")
def unguarded(world: World, user: str) -> dict[str, str]:
    return world.try_doors(user, "open")


@pytest.fixture(scope="module")
def guarded(world: World, user: str) -> dict[str, str]:
    return world.try_doors(user, "guarded")


def yama() -> int:
    switch = Path("/proc/sys/kernel/yama/ptrace_scope")
    return int(switch.read_text()) if switch.exists() else 0


@pytest.mark.parametrize("door", [*PROCESS_DOORS, *HIDDEN_DOORS])
def test_without_the_guards_the_door_is_open(unguarded: dict[str, str], user: str, door: str) -> None:
    if yama() and user != "root" and door in ("ptrace", "parent's memory"):
        pytest.skip("not applicable here: this machine's kernel shuts this door to everybody but root")
    if door in OWN and (user == "nobody" or not os.access(OWN[door], os.W_OK)):
        pytest.skip("not applicable here: this user has no right to change tagline")
    assert GAVE.get(door, SECRET) in unguarded[door]


@pytest.mark.parametrize("door", PROCESS_DOORS)
def test_with_the_guards_the_door_is_shut(guarded: dict[str, str], door: str) -> None:
    assert GAVE.get(door, SECRET) not in guarded[door]


@pytest.mark.parametrize("door", HIDDEN_DOORS)
def test_with_mounts_of_its_own_the_child_does_not_see_the_secret(
    world: World, user: str, guarded: dict[str, str], door: str
) -> None:
    if not world.mounts_allowed(user):
        pytest.skip("not applicable here: this machine does not let this user have mounts of their own")
    assert GAVE.get(door, SECRET) not in guarded[door]


def test_the_gaps_are_those_that_the_hostile_child_finds(
    world: World, user: str, guarded: dict[str, str]
) -> None:
    said = " ".join(json.loads(world.play(user, "gaps")))
    open_sockets = [door for door in ("agent", "engine") if SECRET in guarded[door]]
    assert all(f"{world.root}/{door}.sock can be reached" in said for door in open_sockets)
    assert bool(open_sockets) == ("can be reached" in said)
    assert "environment of tagline can be read" not in said


def test_the_child_may_gain_no_rights(world: World, user: str) -> None:
    lines = world.play(user, "guarded", "cat", "/proc/self/status").splitlines()
    status = dict(line.split(":\t", 1) for line in lines)
    held = int(status["CapPrm"], 16) | int(status["CapAmb"], 16)
    held |= int(status["CapBnd"], 16) if user == "root" else 0
    sys_ptrace, sys_admin, perfmon = 1 << 19, 1 << 21, 1 << 38
    assert status["NoNewPrivs"] == "1"
    assert not held & (sys_ptrace | sys_admin | perfmon)


def test_the_child_has_a_home_of_its_own_that_is_gone_afterwards(world: World, user: str) -> None:
    home = Path(world.play(user, "guarded", "sh", "-c", 'cd && pwd && touch "$TMPDIR/a"').strip())
    assert home != world.root / "home"
    assert not home.exists()


def test_root_cannot_turn_the_kernels_switches(world: World) -> None:
    if "root" not in world.users or not world.mounts_allowed("root"):
        pytest.skip("not applicable here: only root could, and mounts of its own shut this door")
    switch = "test -w /proc/sys/kernel/core_pattern && echo open || echo shut"
    assert world.play("root", "open", "sh", "-c", switch) == "open\n"
    assert world.play("root", "guarded", "sh", "-c", switch) == "shut\n"


@pytest.mark.parametrize(
    "door", ["parent's environment", "parent's memory", "parent's descriptors", "ptrace"]
)
def test_a_protected_parent_is_shut_to_other_processes_of_its_user(world: World, door: str) -> None:
    users = [name for name in world.users if name != "root"]
    if not users:
        pytest.skip("not applicable here: only root runs here, whose capabilities open the door")
    assert world.try_doors(users[0], "protected")[door].startswith("shut: ")


def test_a_link_that_the_parent_follows_gives_it_away_and_an_open_file_does_not(tmp_path: Path) -> None:
    (tmp_path / "credential").write_text(SECRET)
    doors = json.dumps({"links that the parent follows": ["plant", str(tmp_path / "credential")]})
    argv = [sys.executable, "-I", "-S", str(Path(__file__).with_name("hostile.py")), doors]
    log = tmp_path / "log"
    with foreign.append(log) as opened:
        assert sandbox.run(Command(argv, tmp_path, foreign.named(opened))) == 0
        if "shut: FileNotFoundError" in log.read_text():
            pytest.skip("not applicable here: in this root no process can name the file behind its output")
        assert log.read_text() == SECRET  # what is read by its path
        assert json.loads(foreign.end_of(opened)) == {"links that the parent follows": str(log)}
    with foreign.nameless() as opened:
        assert sandbox.run(Command(argv, tmp_path, foreign.named(opened))) == 0
        assert "shut: " in foreign.end_of(opened)
