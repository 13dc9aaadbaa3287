"""`tagline local traffic`: what it says while it runs, and how it ends where nobody answers well."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from tagline.errors import PlatformError
from tagline.flow.local import Load, send, traffic
from tagline.flow.traffic import Stream

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


def test_a_model_that_does_not_serve_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TAGLINE_HOME", str(tmp_path / "home"))
    (tmp_path / "tagline.yaml").write_text(f"gate: {{data: d.csv, sha256: {'a' * 64}, label: kind}}\n")
    (tmp_path / "d.csv").write_text("row_id,x,kind\nr1,1,a\n")
    with pytest.raises(PlatformError, match="nothing serves wine"):
        traffic(Load("wine"), lambda tally: None)
