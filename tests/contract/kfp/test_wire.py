"""Answers on the wire itself: in drops, in chunks, cut off."""

import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest
from tagline.errors import KfpUnavailable
from tagline.platforms.kubeflow.wire import Sent, Times, Wire

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@contextmanager
def answering(pieces: Sequence[bytes], pause: float = 0.0) -> Iterator[str]:
    """A server that answers one request with these pieces, `pause` seconds between them, and closes."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                try:
                    for piece in pieces:
                        connection.sendall(piece)
                        time.sleep(pause)
                except OSError:
                    return  # whoever asked has gone

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"
        thread.join(20)


def test_an_answer_that_drips_is_ended_by_the_time_for_all_of_it() -> None:
    drops = [HEAD + b"Content-Length: 60\r\n\r\n", *([b" "] * 60)]
    with answering(drops, pause=0.15) as url:
        began = time.monotonic()
        with pytest.raises(KfpUnavailable, match="takes too long") as caught:
            Wire({}, times=Times(connect=1, read=1, whole=0.6)).send(Sent("GET", url))
        assert caught.value.maybe_done
        assert time.monotonic() - began < 5, "nine seconds would be all of it"


def test_an_answer_in_chunks_is_read_whole() -> None:
    chunks = [HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"2\r\n{}\r\n", b"3\r\n   \r\n", b"0\r\n\r\n"]
    with answering(chunks, pause=0.05) as url:
        assert Wire({}).send(Sent("GET", url)).body == b"{}   "


def test_half_an_answer_is_none() -> None:
    half = [HEAD + b"Content-Length: 60\r\n\r\n", b'{"a":']
    with answering(half) as url, pytest.raises(KfpUnavailable, match="cut off"):
        Wire({}).send(Sent("GET", url))
