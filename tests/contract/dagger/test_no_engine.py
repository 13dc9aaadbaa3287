"""Where no Dagger engine answers, `--engine dagger` says so within 5 s, starts none, and leaves no process."""

import os
import signal
import subprocess
import sys
import time
import uuid
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import pytest
from tagline.config import Config, EngineName
from tagline.engines.dagger import runner, session
from tagline.engines.dagger.session import Call
from tagline.errors import EngineError, EngineMissing
from tagline.flow.releasing.images import engine_name

from tests.contract.dagger.listeners import MARK, SETTINGS, closed_port, hanging_cli, listener, marked

LIMIT = 5.0
PLACES = {
    "no variable": (lambda: nullcontext(""), "no Dagger engine is named"),
    "a closed port": (closed_port, "no Dagger engine answers"),
    "a socket that accepts and never answers": (lambda: listener(None), "no Dagger engine answers"),
    "a server of another kind": (
        lambda: listener(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
        "no Dagger engine answers",
    ),
    "no socket": (lambda: nullcontext("unix:///nowhere/engine.sock"), "no Dagger engine answers"),
    "an address that would start one": (lambda: nullcontext("docker-image://engine"), "cannot be asked"),
    "no address": (lambda: nullcontext("tcp://[oops"), "no Dagger engine answers"),
}


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """An environment with a CLI that would hang, a wheelhouse, and a mark that all its processes carry."""
    inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {
        **inherited,
        runner.CLI_VARIABLE: str(hanging_cli(tmp_path)),
        "TAGLINE_WHEELHOUSE": str(tmp_path),
        MARK: uuid.uuid4().hex,
    }


@pytest.mark.parametrize("place", PLACES)
def test_where_no_engine_answers_the_call_says_so_within_seconds(
    place: str, environ: dict[str, str], tmp_path: Path
) -> None:
    make, words = PLACES[place]
    address: AbstractContextManager[str] = make()
    with address as host:
        named = {runner.RUNNER_VARIABLE: host} if host else {}
        begun = time.monotonic()
        done = subprocess.run(
            [str(Path(sys.executable).parent / "tagline"), "ci", "--engine", "dagger"],
            cwd=tmp_path,
            env=environ | named,
            capture_output=True,
            text=True,
            timeout=60,
        )
        took = time.monotonic() - begun
    assert (done.returncode, words in done.stderr) == (EngineMissing.exit_code, True), done.stderr
    assert "fix:" in done.stderr
    assert took < LIMIT
    assert not (tmp_path / "dagger.started").exists()
    assert marked(environ[MARK]) == []


def test_a_session_that_never_opens_is_ended_with_all_its_processes(
    environ: dict[str, str], tmp_path: Path
) -> None:
    with listener(SETTINGS) as host:
        ready = runner.require(environ | {runner.RUNNER_VARIABLE: host})
        begun = time.monotonic()
        with pytest.raises(EngineMissing, match="opens no session"):
            session.perform(Call(["tagline", "check"], str(tmp_path)), ready, connect_limit=4.0)
        assert time.monotonic() - begun < 4.0 + LIMIT
    assert (tmp_path / "dagger.started").exists(), "it was started, so that there was something to end"
    assert marked(environ[MARK]) == []


def test_without_the_end_of_the_group_its_processes_would_stay(
    environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left: list[str] = []

    def leader_first(client: "subprocess.Popen[bytes]") -> None:
        client.kill()
        os.waitid(os.P_PID, client.pid, os.WEXITED | os.WNOWAIT)
        left.extend(marked(environ[MARK]))
        os.killpg(client.pid, signal.SIGKILL)

    monkeypatch.setattr(session, "_end", leader_first)
    with listener(SETTINGS) as host:
        ready = runner.require(environ | {runner.RUNNER_VARIABLE: host})
        with pytest.raises(EngineMissing):
            session.perform(Call(["tagline", "check"], str(tmp_path)), ready, connect_limit=4.0)
    assert left != []
    assert marked(environ[MARK]) == []


def test_a_cli_that_fails_is_an_error_and_leaves_nothing(environ: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "dagger").write_text("#!/bin/sh\necho 'no such engine' >&2\nexit 1\n")
    with listener(SETTINGS) as host:
        ready = runner.require(environ | {runner.RUNNER_VARIABLE: host})
        with pytest.raises(EngineError):
            session.perform(Call(["tagline", "check"], str(tmp_path)), ready)
    assert marked(environ[MARK]) == []


def test_without_a_cli_nothing_is_downloaded(environ: dict[str, str], tmp_path: Path) -> None:
    with listener(SETTINGS) as host:
        named = {runner.RUNNER_VARIABLE: host, runner.CLI_VARIABLE: "", "PATH": str(tmp_path / "none")}
        with pytest.raises(EngineMissing, match="command dagger is not here"):
            runner.require(environ | named)


@pytest.mark.parametrize(("named", "taken"), [(True, EngineName.DAGGER), (False, EngineName.PROCESS)])
def test_auto_takes_a_dagger_engine_only_where_one_is_named_and_answers(
    named: bool, taken: EngineName, environ: dict[str, str]
) -> None:
    own = Config(pipeline="wine", engine=EngineName.AUTO)
    with listener(SETTINGS) as host:
        there = {runner.RUNNER_VARIABLE: host} if named else {}
        assert engine_name(own, environ | there | {"TAGLINE_DOCKER_HOST": "unix:///nowhere"}) is taken
