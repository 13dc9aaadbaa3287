"""Where on this machine a person's own files lie, what names a credential, and what this interpreter runs from."""

import os
import pwd
import re
import site
import stat
import sys
import tempfile
from collections.abc import Iterator, Mapping
from glob import glob
from pathlib import Path

_HOMES = ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME")
_NO_HOMES = {
    "/", "/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/lib64", "/media", "/mnt", "/opt", "/proc", "/run",
    "/sbin", "/srv", "/sys", "/tmp", "/usr", "/usr/bin", "/usr/lib", "/usr/local", "/usr/sbin", "/var", "/var/tmp",
}  # fmt: skip
_SECRET_FILES = (
    ".ssh", ".gnupg", ".git-credentials", ".gitconfig", ".config/git", ".config/gh", ".config/glab-cli", ".netrc",
    ".pypirc", ".docker", ".kube", ".vault-token", ".aws", ".azure", ".config/gcloud", ".config/containers", ".npmrc",
    ".config/pip", ".pip", ".terraformrc", ".terraform.d", ".config/rclone", ".cache/huggingface", ".huggingface",
    ".env", ".kaggle", ".pgpass", ".cargo", ".config/hub",
)  # fmt: skip
_SECRET_FOLDERS = (
    "DOCKER_CONFIG", "GNUPGHOME", "GH_CONFIG_DIR", "GLAB_CONFIG_DIR", "AZURE_CONFIG_DIR", "CLOUDSDK_CONFIG",
    "HF_HOME", "KAGGLE_CONFIG_DIR", "CARGO_HOME",
)  # fmt: skip
_SOCKETS = (
    "/run/docker.sock", "/var/run/docker.sock", "/run/podman", "/run/containerd", "/run/crio",
    "/run/buildkit", "/run/snap.docker",
)  # fmt: skip
_USER_SOCKETS = (
    "docker.sock", "podman", "containerd", "buildkit", "keyring", "gnupg", "ssh-agent.socket", "gcr", "bus",
)  # fmt: skip
_SYSTEM = ("/usr/", "/lib", "/bin/", "/sbin/", "/proc/", "/sys/", "/dev/")
# certificates that everybody may read: variables of many programs name them, and a task needs them
_PUBLIC = ("/etc/ssl/certs/", "/etc/pki/tls/certs/", "/etc/pki/ca-trust/extracted/")
_PASSED_PATHS = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "CUDA_HOME")
_TELLING = re.compile("CONFIG|CREDENTIAL|SECRET|TOKEN|KEY|PASS|NETRC|AUTH")
_PARTS = ("bin", "lib", "lib64", "include", "pyvenv.cfg")


def homes(outer: Mapping[str, str]) -> list[Path]:
    """The folders of a person's own files, all of which the repository's code has no business in."""
    named = [outer.get(name, "") for name in _HOMES]
    found = {Path(os.path.realpath(name)) for name in (*named, _home_of_account()) if name.startswith("/")}
    return sorted(home for home in found if str(home) not in _NO_HOMES and home.is_dir())


def _home_of_account() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:
        return ""  # a container's user may have no account


def secrets(outer: Mapping[str, str]) -> list[Path]:
    """Files, folders and sockets here that hold credentials or lead to an agent or a container engine."""
    accounts = {Path(home) for home in (outer.get("HOME"), _home_of_account()) if home}
    runtime = Path(outer.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}")
    sockets = [outer.get("SSH_AUTH_SOCK", ""), outer.get("DOCKER_HOST", "").removeprefix("unix://")]
    named = [value for name, value in outer.items() if names_secret(name, value)]
    places = [name for name in (*sockets, *named, *glob("/tmp/ssh-*"), *_SOCKETS) if name.startswith("/")]
    found = [home / name for home in sorted(accounts) for name in _SECRET_FILES]
    found += [Path(name) for name in places] + [runtime / name for name in _USER_SOCKETS]
    return [path for path in dict.fromkeys(found) if os.path.exists(path)]


def names_secret(name: str, value: str) -> bool:
    """Whether a variable names a place that may hold credentials: a folder by its name, or any file of no system's.

    So a CI host's file variables are covered, whatever they are called; programs are left out, but for one whose
    variable sounds like a secret.
    """
    if (
        not value.startswith("/")
        or name in _PASSED_PATHS
        or value.startswith((*_SYSTEM, sys.prefix + os.sep))
    ):
        return False
    try:
        mode = os.stat(value).st_mode
    except (OSError, ValueError):
        return False
    if value.startswith(_PUBLIC) and mode & stat.S_IROTH:
        return False
    telling = _TELLING.search(name.upper()) is not None or not mode & 0o111
    return name in _SECRET_FOLDERS or (stat.S_ISREG(mode) and telling)


def interpreter() -> list[Path]:
    """What this interpreter runs from and imports: tagline's own environment, which no child may change."""
    prefixes = {Path(prefix) for prefix in (sys.prefix, sys.base_prefix)}
    own = {Path(path) for path in (*sys.path, site.getusersitepackages()) if os.path.isabs(path)}
    found = {part for prefix in prefixes for part in _of_prefix(prefix)} | own
    return sorted(path for path in found if path.exists() and path != Path("/"))


def _of_prefix(prefix: Path) -> list[Path]:
    """The interpreter's part of a prefix that holds more than an interpreter (`~/.local`), else all of it."""
    return [prefix / part for part in _PARTS] if prefix == Path(site.getuserbase()) else [prefix]


def shown(outer: Mapping[str, str]) -> Iterator[Path]:
    """What a child must see even where it lies in a person's home: the interpreter and what its variables name."""
    covered = set(homes(outer))
    named = [outer.get(name, "") for name in _PASSED_PATHS]
    named += outer.get("LD_LIBRARY_PATH", "").split(os.pathsep)
    base = str(getattr(sys, "_base_executable", "") or "")
    for path in (*interpreter(), *map(Path, filter(os.path.isabs, [sys.executable, base, *named]))):
        if Path(os.path.realpath(path)) not in covered:
            yield path
    folder = Path(os.path.realpath(tempfile.gettempdir()))
    if folder not in covered:
        yield folder


def temporary() -> list[Path]:
    """The folders of this machine that all programs share for their temporary files, as they are."""
    named = ("/tmp", "/var/tmp", "/dev/shm", tempfile.gettempdir())
    found = {Path(os.path.realpath(name)) for name in named}
    return sorted(path for path in found if path.is_dir() and path != Path("/"))
