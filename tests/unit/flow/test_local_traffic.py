"""`tagline local traffic`: what it says while it runs, and how it ends where nobody answers well."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec
import pytest
from tagline.errors import ConfigError, MissingKeys, PlatformError, UnknownName
from tagline.flow.desk.local import Load, send, traffic
from tagline.flow.desk.traffic import Stream

ROWS = [{"x": 1.0}, {"x": 2.0}]


@contextmanager
def server(status: int) -> Iterator[str]:
    """A server that gives every request this status; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as there:
        thread = threading.Thread(target=there.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{there.server_port}/"
        finally:
            there.shutdown()
            thread.join()


def test_the_tally_is_told_about_once_a_second_and_at_the_end() -> None:
    heard: list[int] = []
    with server(200) as url:
        send(ROWS, Stream(url, 20, 2.3), lambda tally: heard.append(tally.sent))
    assert len(heard) == 3
    assert 10 < heard[0] < 30 <= heard[1] < heard[2]


def test_a_stream_of_which_nothing_is_answered_well_ends_in_an_error_after_its_tally() -> None:
    lost: list[int] = []
    with server(500) as url, pytest.raises(PlatformError, match=r"none of \d+ .*\(500 \d+\)") as caught:
        send(ROWS, Stream(url, 50, 0.3), lambda tally: lost.append(tally.lost))
    assert (len(lost), caught.value.exit_code) == (1, 80)
    assert lost[0] > 5


def test_a_stream_to_a_port_where_nobody_listens_ends_in_an_error() -> None:
    with server(200) as url:
        pass
    with pytest.raises(PlatformError, match="no answer"):
        send(ROWS, Stream(url, 50, 0.2), lambda tally: None)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a hold-out, in which nothing serves; the current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TAGLINE_HOME", str(tmp_path / "home"))
    gate = f"gate: {{data: d.csv, sha256: {'a' * 64}, label: kind}}"
    (tmp_path / "tagline.yaml").write_text(f"pipeline: wine\n{gate}\n")
    (tmp_path / "d.csv").write_text("row_id,x,kind\nr1,1,a\n")
    (tmp_path / "src/deep").mkdir(parents=True)
    return tmp_path


@pytest.mark.parametrize("folder", ["", "src/deep"])
def test_a_model_that_does_not_serve_is_an_error(
    project: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    monkeypatch.chdir(project / folder)
    with pytest.raises(PlatformError, match="nothing serves wine"):
        traffic(Load("wine"), lambda tally: None)


def test_a_model_that_is_not_declared_is_unknown_and_the_nearest_is_named(project: Path) -> None:
    with pytest.raises(UnknownName) as caught:
        traffic(Load("wien"), lambda tally: None)
    assert "did you mean 'wine'?" in caught.value.fix


def test_a_folder_outside_of_every_project_is_named_and_no_file_that_is_not_there(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "tagline.yaml").unlink()
    with pytest.raises(MissingKeys, match=r"there is no tagline\.yaml in") as caught:
        traffic(Load("wine"), lambda tally: None)
    assert Path(caught.value.where).is_dir()


@pytest.mark.parametrize("number", [-1.0, 0.0, float("nan"), float("inf")])
@pytest.mark.parametrize("option", ["rate", "seconds"])
def test_a_number_that_no_stream_can_have_is_refused_by_its_option(
    project: Path, option: str, number: float
) -> None:
    load = msgspec.structs.replace(Load("wine", rate=1.0), **{option: number})
    with pytest.raises(ConfigError, match=f"--{option} "):
        traffic(load, lambda tally: None)
