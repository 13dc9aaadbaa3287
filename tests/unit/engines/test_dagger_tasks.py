"""A task for a Dagger engine: what the client is told, which chain it becomes, and how its folder comes back."""

import json
import os
from pathlib import Path

import msgspec
import pytest
from tagline.engines import Limits, TaskContainer, dagger_tasks
from tagline.engines.dagger import chains, session, tasks
from tagline.engines.dagger_images import kept_images, kept_tar
from tagline.errors import TaskTimedOut

from tests.modules import chain
from tests.modules.test_image_chain import kept

DIGEST = "registry.example:5000/team/wine@sha256:" + "0" * 64
SECRET = "opensesame-opensesame"


def task(folder: Path, image: str = DIGEST, **more: object) -> TaskContainer:
    plain = TaskContainer(
        image,
        ["python", "task.py"],
        {"A": "1"},
        folder / "run",
        folder / "log",
        "owner",
        9.0,
        secrets={"KEY": SECRET},
        home=folder,
    )
    return msgspec.structs.replace(plain, **more)


def asked(folder: Path, **more: object) -> session.Task:
    return dagger_tasks.asked_of(task(folder, **more), folder / "run/.back", {"HOME": str(folder)})  # type: ignore[arg-type]


def test_what_this_machine_writes_meanwhile_neither_goes_in_nor_comes_back(tmp_path: Path) -> None:
    assert asked(tmp_path).stays == ["logs", "orchestrator.log", ".back"]


def test_a_secret_goes_in_as_a_secret_of_the_session_alone(tmp_path: Path) -> None:
    made = asked(tmp_path)
    links = chain.links(tasks.ran(made))
    held = {link.args["name"]: link.args["secret"] for link in links if link.name == "withSecretVariable"}
    assert list(held) == ["KEY"]
    (link,) = [one for one in chain.links(held["KEY"]) if one.name == "setSecret"]
    assert link.args["plaintext"] == SECRET
    assert not [one for one in links if one.name != "withSecretVariable" and SECRET in str(one.args)]


def test_the_registry_s_login_is_a_secret_too_and_only_for_its_host(tmp_path: Path) -> None:
    (tmp_path / ".docker").mkdir()
    login = {"auths": {"registry.example:5000": {"auth": "dXNlcjpvcGVuc2VzYW1l"}}}
    (tmp_path / ".docker/config.json").write_text(json.dumps(login))
    (auth,) = [link for link in chain.links(tasks.image(asked(tmp_path))) if link.name == "withRegistryAuth"]
    assert (auth.args["address"], auth.args["username"]) == ("registry.example:5000", "user")
    assert "opensesame" not in str({**auth.args, "secret": ""})
    other = asked(tmp_path, image=DIGEST.replace("registry", "another"))
    assert other.login is None


def test_the_task_runs_as_another_than_root_in_its_folder_and_never_out_of_the_cache(tmp_path: Path) -> None:
    links = chain.links(tasks.ran(asked(tmp_path)))
    names = [link.name for link in links]
    (folder,) = [link for link in links if link.name == "withDirectory"]
    (user,) = [link.args["name"] for link in links if link.name == "withUser"]
    expected = "1000:1000" if os.getuid() == 0 else f"{os.getuid()}:{os.getgid()}"
    assert (folder.args["path"], folder.args["owner"], user) == (str(tmp_path / "run"), expected, expected)
    assert links[-2].args["name"] == chains.RUN_VARIABLE
    assert (names[-1], links[-1].args["args"]) == ("withExec", ["python", "task.py"])
    assert "experimentalWithAllGPUs" not in names


def test_a_task_that_asks_for_a_gpu_gets_those_of_the_engine(tmp_path: Path) -> None:
    made = asked(tmp_path, limits=Limits(gpus=1))
    assert "experimentalWithAllGPUs" in [link.name for link in chain.links(tasks.ran(made))]


def test_an_image_that_no_registry_has_is_imported_from_its_tar(tmp_path: Path) -> None:
    name = "tagline.local/wine:content-1"
    tar = kept_tar(kept_images(tmp_path), name)
    tar.parent.mkdir(parents=True)
    kept(tmp_path, name).rename(tar)
    assert asked(tmp_path, image=name).image == str(tar)
    assert asked(tmp_path, image="tagline.local/wine:content-2").image == "tagline.local/wine:content-2"


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (Limits(), ""),
        (Limits(gpus=2), ""),
        (Limits(cpus=1.5), "1.5 core(s)"),
        (Limits(cpus=1, memory=1024), "1 core(s) and 1024 bytes of memory"),
    ],
)
def test_limits_that_the_engine_does_not_hold_are_said(limits: Limits, words: str) -> None:
    said = dagger_tasks.unheld(limits)
    assert said.endswith(words)
    assert bool(said) is bool(words)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """A run's folder, and in it the one that came back."""
    folder = tmp_path / "run"
    back = folder / ".back"
    for path in ("outputs/one", "logs", "gone"):
        (folder / path).mkdir(parents=True)
    (folder / "logs/task.log").write_text("ours")
    (folder / "outputs/one/model").write_text("old")
    back.mkdir()
    return folder, back


def test_what_came_back_stands_in_the_place_of_what_went_in(folders: tuple[Path, Path]) -> None:
    folder, back = folders
    (back / "outputs").mkdir()
    (back / "outputs/model").write_text("new")
    (back / "logs").mkdir()
    (back / "logs/task.log").write_text("forged")
    dagger_tasks.take(back, folder)
    found = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    assert found == [".back/logs/task.log", "logs/task.log", "outputs/model"]
    assert (folder / "logs/task.log").read_text() == "ours"


def test_a_link_that_came_back_is_never_followed(folders: tuple[Path, Path], tmp_path: Path) -> None:
    folder, back = folders
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious/file").write_text("kept")
    (back / "outputs").symlink_to(tmp_path / "precious")
    dagger_tasks.take(back, folder)
    assert (folder / "outputs").is_symlink()
    (back / "outputs").mkdir()
    dagger_tasks.take(back, folder)
    assert (tmp_path / "precious/file").read_text() == "kept"
    assert not (folder / "outputs").is_symlink()


def test_a_task_past_its_limit_is_ended_with_its_client(tmp_path: Path) -> None:
    client = tmp_path / "client.py"
    client.write_text(
        "import sys, time\nsys.stdout.write('connected\\n'); sys.stdout.flush(); time.sleep(600)\n"
    )
    was, session._CLIENT[:] = list(session._CLIENT), [session.sys.executable, str(client)]
    try:
        with pytest.raises(TaskTimedOut, match=r"longer than 0\.5 s"):
            session.perform(asked(tmp_path), dict(os.environ), run_limit=0.5)
    finally:
        session._CLIENT[:] = was
