"""The rollout's memory: one holder, blocks, state, and the switch on disk."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tagline.errors import BadWord, Locked, StateBroken
from tagline.platforms import Block
from tagline.platforms.local import rollouts
from tagline.platforms.local.rollouts import LocalRollouts
from tagline.platforms.local.serving.watchdog import Watchdog
from tagline.words import ModelVersion

V2 = ModelVersion.parse("0.2.0-r1")
HOLD = """
import sys, time
from pathlib import Path
from tagline.platforms.local.rollouts import LocalRollouts
with LocalRollouts(Path(sys.argv[1])).lock("prod", "wine"):
    print("held", flush=True)
    time.sleep(600)
"""


def folder(home: Path) -> Path:
    return home / "rollouts/prod/wine"


def test_a_second_holder_is_refused_and_told_who_holds(tmp_path: Path) -> None:
    who = rf"prod/wine is held by pid {os.getpid()} \(.+\) since 20"
    first, second = LocalRollouts(tmp_path), LocalRollouts(tmp_path)
    with first.lock("prod", "wine"), pytest.raises(Locked, match=who), second.lock("prod", "wine"):
        pass
    with first.lock("prod", "wine"), second.lock("prod", "other"), second.lock("dev", "wine"):
        pass


def test_a_released_lock_leaves_no_file_and_can_be_had_again(tmp_path: Path) -> None:
    for _ in range(2):
        with LocalRollouts(tmp_path).lock("prod", "wine"):
            assert (folder(tmp_path) / "lock").exists()
    assert not (folder(tmp_path) / "lock").exists()


def test_a_killed_holder_holds_nothing(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"held\n"
        with pytest.raises(Locked, match=f"pid {child.pid}"), LocalRollouts(tmp_path).lock("prod", "wine"):
            pass
        child.kill()
        child.wait()
    with LocalRollouts(tmp_path).lock("prod", "wine"):
        pass


def test_state_comes_back_byte_for_byte_for_the_next_process(tmp_path: Path) -> None:
    state = bytes(range(256))
    LocalRollouts(tmp_path).save("prod", "wine", state, canary=V2, ttl=30)
    assert LocalRollouts(tmp_path).load("prod", "wine") == state
    assert LocalRollouts(tmp_path).load("prod", "other") is None


def test_a_state_that_cannot_be_read_is_named_and_kept(tmp_path: Path) -> None:
    LocalRollouts(tmp_path).save("prod", "wine", b"x", canary=None, ttl=30)
    file = folder(tmp_path) / "state.json"
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(StateBroken) as caught:
        LocalRollouts(tmp_path).load("prod", "wine")
    assert caught.value.where == str(file)
    assert file.exists()


def test_blocks_are_kept_in_order_and_the_first_reason_holds(tmp_path: Path) -> None:
    memory = LocalRollouts(tmp_path)
    first = Block("0.2.0-r1", "ann", "wrong", "promote/prod/wine/2")
    memory.block("prod", "wine", first)
    memory.block("prod", "wine", Block("0.3.0-r1", "bob", "slow"))
    memory.block("prod", "wine", Block("0.2.0-r1", "eve", "another reason"))
    assert [block.version for block in memory.blocks("prod", "wine")] == ["0.2.0-r1", "0.3.0-r1"]
    assert memory.blocks("prod", "wine")[0] == first
    assert memory.blocks("staging", "wine") == []


def test_a_lifted_block_is_gone_and_lifting_again_changes_nothing(tmp_path: Path) -> None:
    memory = LocalRollouts(tmp_path)
    memory.block("prod", "wine", Block("0.2.0-r1", "ann", "wrong"))
    memory.unblock("prod", "wine", V2)
    memory.unblock("prod", "wine", V2)
    assert LocalRollouts(tmp_path).blocks("prod", "wine") == []


def test_a_block_can_be_written_while_somebody_holds_the_rollout(tmp_path: Path) -> None:
    with LocalRollouts(tmp_path).lock("prod", "wine"):
        LocalRollouts(tmp_path).block("prod", "wine", Block("0.2.0-r1", "ann", "wrong"))
    assert len(LocalRollouts(tmp_path).blocks("prod", "wine")) == 1


def test_blocks_written_at_once_are_all_kept(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from tagline.platforms import Block;"
        "from tagline.platforms.local.rollouts import LocalRollouts;"
        "[LocalRollouts(Path(sys.argv[1])).block('prod', 'wine', Block(f'0.{n}.0-r{sys.argv[2]}', 'a', 'b'))"
        " for n in range(10)]"
    )
    commands = [subprocess.Popen([sys.executable, "-c", script, str(tmp_path), str(n)]) for n in (1, 2, 3)]
    assert [command.wait(timeout=60) for command in commands] == [0, 0, 0]
    assert len(LocalRollouts(tmp_path).blocks("prod", "wine")) == 30


@pytest.mark.parametrize(("env", "model"), [("../x", "wine"), ("prod", "a/b"), ("", "wine")])
def test_names_that_would_leave_the_folder_are_refused(tmp_path: Path, env: str, model: str) -> None:
    with pytest.raises(BadWord):
        LocalRollouts(tmp_path).load(env, model)


def watchdog(home: Path) -> Watchdog:
    return Watchdog(home, lambda text: None)


def test_the_switch_is_due_only_after_its_ttl_and_only_while_armed(tmp_path: Path) -> None:
    memory = LocalRollouts(tmp_path)
    memory.save("prod", "wine", b"x", canary=V2, ttl=30)
    now = time.monotonic()
    assert watchdog(tmp_path).abandoned(now + 29) == []
    due = watchdog(tmp_path).abandoned(now + 31)
    assert [(one.env, one.model, one.saved.canary) for one in due] == [("prod", "wine", "0.2.0-r1")]
    memory.save("prod", "wine", b"x", canary=None, ttl=0)
    assert watchdog(tmp_path).abandoned(now + 1e6) == []


def test_saving_again_winds_the_switch_up(tmp_path: Path) -> None:
    memory, dog = LocalRollouts(tmp_path), watchdog(tmp_path)
    memory.save("prod", "wine", b"x", canary=V2, ttl=0)
    assert len(dog.abandoned(time.monotonic() + 1)) == 1
    memory.save("prod", "wine", b"y", canary=V2, ttl=30)
    assert dog.abandoned(time.monotonic() + 1) == []


def test_a_reboot_ends_every_holder() -> None:
    saved = rollouts.Saved(canary="0.2.0-r1", deadline=time.monotonic() + 1000, boot="before")
    assert saved.expired(0.0, "after")
    assert not saved.expired(0.0, "before")


def test_a_switch_fires_once_and_the_pause_lasts_until_a_new_holder_saves(tmp_path: Path) -> None:
    memory, dog = LocalRollouts(tmp_path), watchdog(tmp_path)
    memory.save("prod", "wine", b"x", canary=V2, ttl=0)
    due = dog.abandoned(time.monotonic() + 1)[0]
    rollouts.note_fired(due.folder, due.saved, "nobody continued")
    assert dog.abandoned(time.monotonic() + 1) == []
    assert memory.paused("prod", "wine") == "nobody continued"
    memory.save("prod", "wine", b"slow, but alive", canary=V2, ttl=30)
    assert memory.paused("prod", "wine") == "nobody continued"
    with memory.lock("prod", "wine"):
        memory.save("prod", "wine", b"anew", canary=V2, ttl=30)
    assert memory.paused("prod", "wine") is None


def test_a_state_that_broke_still_fires_as_it_was_last_read(tmp_path: Path) -> None:
    told: list[str] = []
    dog = Watchdog(tmp_path, told.append)
    LocalRollouts(tmp_path).save("prod", "wine", b"x", canary=V2, ttl=30)
    assert dog.abandoned(time.monotonic()) == []
    (folder(tmp_path) / "state.json").write_text("{")
    assert [one.saved.canary for one in dog.abandoned(time.monotonic() + 31)] == ["0.2.0-r1"]
    assert "not readable" in told[0]
