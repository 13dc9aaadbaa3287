"""A TCP proxy on loopback that can be slow, or swallow what the server answers."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

BLOCK = 1 << 16


@dataclass
class Proxy:
    """`delay` is seconds before each answer; with `swallow` requests arrive and answers are lost."""

    address: str
    delay: float = 0.0
    swallow: bool = False
    requests: int = 0


@contextmanager
def proxied(address: str) -> Iterator[Proxy]:
    """A proxy in front of an http server on loopback."""
    parts = urlsplit(address)
    listener = socket.create_server(("127.0.0.1", 0))
    proxy = Proxy(f"http://127.0.0.1:{listener.getsockname()[1]}")
    thread = threading.Thread(target=_accept, args=(listener, proxy, parts.port), daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def _accept(listener: socket.socket, proxy: Proxy, port: int) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_serve, args=(client, proxy, port), daemon=True).start()


def _serve(client: socket.socket, proxy: Proxy, port: int) -> None:
    with client, socket.create_connection(("127.0.0.1", port)) as server:
        back = threading.Thread(target=_pass, args=(server, client, proxy), daemon=True)
        back.start()
        while part := _received(client):
            proxy.requests += 1
            server.sendall(part)


def _pass(server: socket.socket, client: socket.socket, proxy: Proxy) -> None:
    while part := _received(server):
        time.sleep(proxy.delay)
        try:
            if not proxy.swallow:
                client.sendall(part)
        except OSError:
            return


def _received(end: socket.socket) -> bytes:
    try:
        return end.recv(BLOCK)
    except OSError:
        return b""
