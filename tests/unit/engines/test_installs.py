"""Code of a package that is built from its source: it never runs beside a password, and changes nothing of the user."""

import hashlib
import io
import os
import sys
import tarfile
from pathlib import Path

import pytest
from tagline.engines import Command, installs, sandbox
from tagline.engines.locks import read_lock
from tagline.engines.process import ProcessEngine
from tagline.errors import InstallFailed

from tests.unit.sandbox.test_guards import mounts_allowed

from .test_process import answer, source_with

BACKEND = """
import os, zipfile

def spy():
    own = [os.path.join(VENVS, one, "witness") for one in os.listdir(VENVS)]
    for name in (os.path.join(CACHE, "planted"), os.path.join(WHEELS, "planted"), CONFIG, *own):
        try:
            with open(name, "a") as file:
                file.write(repr(sorted(os.environ.items())))
        except OSError:
            pass

def build_wheel(directory, config_settings=None, metadata_directory=None):
    spy()
    info = "evil-1.0.dist-info"
    files = {
        "evil.py": "VERSION = '1.0'",
        f"{info}/METADATA": "Metadata-Version: 2.1\\nName: evil\\nVersion: 1.0\\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\\nGenerator: evil\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
        f"{info}/RECORD": "",
    }
    with zipfile.ZipFile(os.path.join(directory, "evil-1.0-py3-none-any.whl"), "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return "evil-1.0-py3-none-any.whl"

spy()
"""
PYPROJECT = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'


def make_sdist(folder: Path, backend: str) -> str:
    """Write a source package that builds itself; the requirement line that pins it."""
    folder.mkdir(parents=True)
    file = folder / "evil-1.0.tar.gz"
    files = {
        "pyproject.toml": PYPROJECT,
        "backend.py": backend,
        "PKG-INFO": "Metadata-Version: 2.1\nName: evil\n",
    }
    with tarfile.open(file, "w:gz") as archive:
        for name, text in files.items():
            info = tarfile.TarInfo(f"evil-1.0/{name}")
            info.size = len(text.encode())
            archive.addfile(info, io.BytesIO(text.encode()))
    return f"evil==1.0 --hash=sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}\n"


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's home with a pip.conf, a cache and a folder of wheels."""
    user = tmp_path / "user"
    (user / ".config/pip").mkdir(parents=True)
    (user / ".cache/pip").mkdir(parents=True)
    (user / ".config/pip/pip.conf").write_text(f"[global]\nno-index = true\nfind-links = {user}/wheels\n")
    for name in [name for name in os.environ if name.startswith(("PIP_", "XDG_")) or "proxy" in name.lower()]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(user))
    return user


@pytest.fixture
def source(user: Path, tmp_path: Path) -> Path:
    """A source tree that locks the source package."""
    places = {
        "CACHE": user / ".cache/pip",
        "WHEELS": user / "wheels",
        "CONFIG": user / ".config/pip/pip.conf",
        "VENVS": tmp_path / "venvs",
    }
    backend = BACKEND
    for name, place in places.items():
        backend = backend.replace(name, repr(str(place)))
    return source_with(tmp_path, make_sdist(user / "wheels", backend))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PIP_EXTRA_INDEX_URL", "https://ada:hunter2@index.example/simple"),
        ("PIP_INDEX_URL", "https://index.example/basic/kx81Lq02ZZpw77aB/team/simple/"),
        ("HTTPS_PROXY", "http://ada:hunter2@proxy.example:3128"),
        ("PIP_PROXY", "ada:hunter2@proxy.example:3128"),
        ("PIP_CLIENT_CERT", "/nowhere/client.pem"),
    ],
)
def test_a_source_package_is_not_built_beside_a_password(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(InstallFailed, match=r"evil==1\.0 has no wheel that fits here") as caught:
        ProcessEngine(tmp_path / "venvs").build(source)
    assert "pip wheel --no-deps evil==1.0" in caught.value.fix
    assert not list((tmp_path / "venvs").rglob("witness"))


def test_a_source_package_is_not_built_beside_a_password_of_the_pip_conf(
    source: Path, user: Path, tmp_path: Path
) -> None:
    with (user / ".config/pip/pip.conf").open("a") as file:
        file.write("extra-index-url =\n    https://ada:hunter2@index.example/simple\n")
    with pytest.raises(InstallFailed, match="has no wheel"):
        ProcessEngine(tmp_path / "venvs").build(source)
    assert not list((tmp_path / "venvs").rglob("witness"))


@pytest.mark.skipif(
    not mounts_allowed(), reason="not applicable here: this machine allows no mounts of one's own"
)
def test_without_a_password_a_source_package_is_built_and_changes_nothing_of_the_users(
    source: Path, user: Path, tmp_path: Path
) -> None:
    config = (user / ".config/pip/pip.conf").read_text()
    engine = ProcessEngine(tmp_path / "venvs")
    made = engine.build(source)
    assert answer(engine, made.python, "import evil; print(evil.VERSION)", tmp_path) == "1.0"
    assert list((tmp_path / "venvs").rglob("witness"))
    assert not list(user.rglob("planted"))
    assert (user / ".config/pip/pip.conf").read_text() == config


@pytest.mark.parametrize(
    ("url", "secret"),
    [
        ("https://index.example/simple", False),
        ("https://artifacts.internal.example/repository/pypi-all/simple/", False),
        ("file:///srv/wheels-of-2026-11-25-for-all", False),
        ("https://index.example/kx81Lq02ZZpw77aB/simple", True),
        ("https://index.example/simple?token=a", True),
        ("https://token@index.example/simple", True),
    ],
)
def test_a_password_is_told_from_an_address(url: str, secret: bool) -> None:
    assert installs.hold_password({"PIP_INDEX_URL": url}) is secret


def test_a_link_that_a_build_put_in_the_place_of_pips_log_is_not_read(tmp_path: Path) -> None:
    place = tmp_path / "venvs/key"
    place.mkdir(parents=True)
    (tmp_path / "credential").write_text("ERROR: credential-7f3a")
    lock = read_lock(f"nothing==1.0 --hash=sha256:{'0' * 64}\n", "requirements.txt")

    def run(command: Command) -> int:
        code = sandbox.run(command)
        log = place.with_suffix(".log")
        log.unlink(missing_ok=True)
        log.symlink_to(tmp_path / "credential")
        return code

    with pytest.raises(InstallFailed, match=r"No matching distribution|Could not find a version") as caught:
        installs.install(place, Path(sys.executable), lock, run, {"PIP_NO_INDEX": "1", "HOME": str(tmp_path)})
    assert "credential-7f3a" not in str(caught.value)
    assert (tmp_path / "credential").read_text() == "ERROR: credential-7f3a"
