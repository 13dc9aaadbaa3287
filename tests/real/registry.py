"""Debian's docker-registry as a process on loopback: plain, with passwords, with TLS by a CA of our own."""

import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

USER, PASSWORD = "ada", "only-for-this-test"


class Registry(msgspec.Struct, frozen=True):
    """A running registry: `host` is its address and port, `ca` the file of its CA where it speaks TLS."""

    host: str
    log: Path
    ca: str = ""


@contextmanager
def registry(folder: Path, *, password: bool = False, tls: bool = False) -> Iterator[Registry]:
    """A registry with its data in `folder`, gone with the block; `htpasswd` and TLS as asked."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    host = f"127.0.0.1:{port}"
    settings(folder, host, folder, password=password, tls=tls)
    log = folder / "log"
    with log.open("ab") as out:
        process = subprocess.Popen(
            ["docker-registry", "serve", str(folder / "config.yml")],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
        )
    try:
        wait_for(port, lambda: process.poll() is not None, log)
        yield Registry(host, log, str(folder / "ca.crt") if tls else "")
    finally:
        process.terminate()
        process.wait(20)


def settings(folder: Path, host: str, inside: Path, *, password: bool = False, tls: bool = False) -> None:
    """Write the registry's configuration to `folder`, which it sees as `inside`."""
    lines = [
        "version: 0.1",
        "log: {level: info}",
        f"storage: {{filesystem: {{rootdirectory: {inside / 'data'}}}, delete: {{enabled: true}}}}",
        f"http: {{addr: '{host}', secret: test{_tls(folder) if tls else ''}}}",
    ]
    if password:
        hashed = subprocess.run(
            ["htpasswd", "-inB", USER], input=PASSWORD, capture_output=True, text=True, check=True
        )
        (folder / "htpasswd").write_text(hashed.stdout)
        lines.append(f"auth: {{htpasswd: {{realm: test, path: {inside / 'htpasswd'}}}}}")
    (folder / "config.yml").write_text("\n".join(lines) + "\n")


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int, gone: Callable[[], bool], log: Path) -> None:
    """Return once something listens; an error with the log's end where it is `gone`, or after 10 s."""
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            if gone():
                break
            time.sleep(0.1)
    said = log.read_text()[-2000:] if log.exists() else "it wrote no log here"
    raise RuntimeError(f"docker-registry does not listen: {said}")


def _tls(folder: Path) -> str:
    """A CA and a certificate for 127.0.0.1 that it signed; the setting that names them."""
    script = """
        openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test-ca -keyout ca.key -out ca.crt \
            -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign
        openssl req -newkey rsa:2048 -nodes -subj /CN=127.0.0.1 -keyout server.key -out server.csr
        printf 'subjectAltName=IP:127.0.0.1\\nextendedKeyUsage=serverAuth\\n' > extensions
        openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile extensions \
            -out server.crt
    """
    subprocess.run(["sh", "-ec", script], cwd=folder, check=True, capture_output=True, timeout=60)
    return f", tls: {{certificate: {folder / 'server.crt'}, key: {folder / 'server.key'}}}"
