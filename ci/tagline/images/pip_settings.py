"""This machine's pip settings as files that a build step may mount: index, certificate; never in a layer."""

from collections.abc import Mapping
from pathlib import Path

_OPTIONS = {
    "PIP_INDEX_URL": "index-url",
    "PIP_EXTRA_INDEX_URL": "extra-index-url",
    "PIP_TRUSTED_HOST": "trusted-host",
    "PIP_DEFAULT_TIMEOUT": "timeout",
    "PIP_RETRIES": "retries",
}
_CERTIFICATES = ("PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
CA_INSIDE = "/run/secrets/ca.crt"


def secret_files(environ: Mapping[str, str], folder: Path) -> dict[str, Path]:
    """`pip.conf` and `ca.crt` by id, written to `folder` (mode 0700); a build step mounts them by that id."""
    folder.mkdir(mode=0o700)
    found: dict[str, Path] = {}
    lines = [f"{option} = {environ[name]}" for name, option in _OPTIONS.items() if environ.get(name)]
    certificate = next((Path(environ[name]) for name in _CERTIFICATES if environ.get(name)), None)
    if certificate and certificate.is_file():
        found["ca.crt"] = certificate
        lines.append(f"cert = {CA_INSIDE}")
    found["pip.conf"] = folder / "pip.conf"
    found["pip.conf"].write_text("\n".join(["[global]", *lines, ""]))
    found["pip.conf"].chmod(0o600)
    return found
