"""A repository of a registry: the real docker-registry, plain, with passwords, with TLS; and one that misbehaves."""

import base64
import hashlib
import io
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tagline.errors import ImageMissing, RegistryRefused, RegistryUnavailable
from tagline.images import wire
from tagline.images.credentials import Login, login
from tagline.images.reference import Reference
from tagline.images.registry import TYPES, Manifest, Repository

from tests.fakes.registry import Server, fake_registry
from tests.real import debian
from tests.real.registry import PASSWORD, USER, Registry, registry
from tests.real.registry_container import registry_container


@pytest.fixture(scope="module", autouse=True)
def the_real_one() -> None:
    if not shutil.which("docker-registry"):
        pytest.skip("no docker-registry here: tools/docker brings it")


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry that asks for a password and speaks TLS by a CA of its own."""
    with registry(tmp_path_factory.mktemp("locked"), password=True, tls=True) as running:
        yield running


@pytest.fixture
def fake() -> Iterator[Server]:
    with fake_registry() as server:
        yield server


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "PAUSES", (0.0, 0.0, 0.0))


def environ_of(folder: Path, host: str, password: str = PASSWORD, ca: str = "") -> dict[str, str]:
    auth = base64.b64encode(f"{USER}:{password}".encode()).decode()
    (folder / "config.json").write_text(json.dumps({"auths": {host: {"auth": auth}}}))
    return {"DOCKER_CONFIG": str(folder), "TAGLINE_REGISTRY_CA": ca}


def repository(host: str, environ: dict[str, str]) -> Repository:
    return Repository(Reference.parse(f"{host}/team/wine"), environ)


def blob(text: bytes) -> tuple[str, int, Callable[[], io.BytesIO]]:
    return f"sha256:{hashlib.sha256(text).hexdigest()}", len(text), lambda: io.BytesIO(text)


def pushed(place: Repository, tag: str = "content-1") -> Manifest:
    """A tiny image in the repository."""
    config, layer = b"{}", b"layer"
    for text in (config, layer):
        place.put_blob(*blob(text))
    parts = [{"digest": blob(text)[0], "size": len(text), "mediaType": "x/y"} for text in (config, layer)]
    said = {"schemaVersion": 2, "mediaType": TYPES[3], "config": parts[0], "layers": parts[1:]}
    manifest = Manifest(json.dumps(said).encode(), TYPES[3])
    place.put_manifest(tag, manifest)
    return manifest


def test_with_a_login_and_the_ca_an_image_is_kept_and_found(locked: Registry, tmp_path: Path) -> None:
    place = repository(locked.host, environ_of(tmp_path, locked.host, ca=locked.ca))
    assert place.digest("content-1") == ""
    manifest = pushed(place)
    assert place.digest("content-1") == manifest.digest
    assert place.manifest(manifest.digest) == manifest
    assert not place.put_blob(*blob(b"layer"))  # it is there


def test_in_a_container_of_our_own_image_it_is_the_same(
    environ: dict[str, str], base: str, tmp_path: Path
) -> None:
    folder = tmp_path / "registry"
    folder.mkdir(mode=0o777)
    folder.chmod(0o777)
    with registry_container(folder, base, environ) as running:
        place = repository(running.host, environ_of(tmp_path, running.host))
        manifest = pushed(place)
        assert place.digest("content-1") == manifest.digest
        with pytest.raises(RegistryRefused):
            repository(running.host, environ_of(tmp_path, running.host, "wrong")).digest("content-1")
    assert debian.docker(environ, "ps", "-aq", "--filter=ancestor=tagline-test/registry:1") == ""


def test_a_wrong_password_is_refused_with_the_way_out_and_without_the_password(
    locked: Registry, tmp_path: Path
) -> None:
    place = repository(locked.host, environ_of(tmp_path, locked.host, "wrong-password", locked.ca))
    with pytest.raises(RegistryRefused) as caught:
        place.digest("content-1")
    assert caught.value.fix == f"docker login {locked.host}"
    assert "wrong-password" not in str(caught.value)


def test_without_a_login_the_error_says_that_none_is_known(locked: Registry, tmp_path: Path) -> None:
    with pytest.raises(RegistryRefused, match="no login is known"):
        repository(locked.host, {"TAGLINE_REGISTRY_CA": locked.ca, "DOCKER_CONFIG": str(tmp_path)}).digest(
            "x"
        )


def test_without_the_ca_nothing_is_sent(locked: Registry, tmp_path: Path) -> None:
    with pytest.raises(RegistryUnavailable, match="not trusted") as caught:
        repository(locked.host, environ_of(tmp_path, locked.host)).digest("content-1")
    assert "TAGLINE_REGISTRY_CA" in caught.value.fix
    assert locked.log.read_text().count(PASSWORD) == 0


def test_a_release_s_tag_is_added_once_and_never_moves(locked: Registry, tmp_path: Path) -> None:
    place = repository(locked.host, environ_of(tmp_path, locked.host, ca=locked.ca))
    first = pushed(place)
    other = Manifest(first.body + b"\n", first.media_type)
    place.put_manifest("content-2", other)
    assert place.tag(first.digest, "v1.0.0")
    assert not place.tag(first.digest, "v1.0.0")
    with pytest.raises(RegistryRefused, match="already"):
        place.tag(other.digest, "v1.0.0")
    assert place.digest("v1.0.0") == first.digest


def test_a_digest_that_is_gone_is_missing(locked: Registry, tmp_path: Path) -> None:
    place = repository(locked.host, environ_of(tmp_path, locked.host, ca=locked.ca))
    with pytest.raises(ImageMissing):
        place.tag(f"sha256:{'0' * 64}", "v2.0.0")


@pytest.mark.parametrize("trouble", [[503], [429, 500], [0], [502, 0, 504]])
def test_a_busy_or_cut_registry_is_asked_again(fake: Server, tmp_path: Path, trouble: list[int]) -> None:
    place = repository(fake.host, {"DOCKER_CONFIG": str(tmp_path)})
    place.digest("first")  # it speaks no TLS: that is known from here on
    fake.trouble = [*trouble]
    manifest = pushed(place)
    assert place.digest("content-1") == manifest.digest
    assert fake.trouble == []


def test_a_registry_that_stays_busy_is_given_up_after_four_tries(fake: Server, tmp_path: Path) -> None:
    place = repository(fake.host, {"DOCKER_CONFIG": str(tmp_path)})
    place.digest("first")
    fake.trouble = [503] * 9
    with pytest.raises(RegistryUnavailable, match="4 tries: HTTP 503"):
        place.digest("content-1")
    assert len(fake.trouble) == 5


def test_a_blob_cut_in_the_middle_is_sent_whole_again(fake: Server, tmp_path: Path) -> None:
    place = repository(fake.host, {"DOCKER_CONFIG": str(tmp_path)})
    assert not place.has_blob(blob(b"x" * 1000)[0])
    assert not fake.trouble
    fake.trouble = []
    digest, size, opens = blob(b"x" * 1000)

    def opening() -> io.BytesIO:
        if not fake.trouble and not any("PUT" in seen for seen in fake.seen):
            fake.trouble = [0]
        return opens()

    assert place.put_blob(digest, size, opening)
    assert fake.blobs[digest] == b"x" * 1000


def test_a_token_service_is_asked_with_the_login_and_the_registry_with_the_token(
    fake: Server, tmp_path: Path
) -> None:
    fake.token, fake.login = "a-token", Login(USER, PASSWORD).basic
    place = repository(fake.host, environ_of(tmp_path, fake.host))
    assert place.digest("content-1") == ""
    assert place.digest("content-2") == ""
    sent = [(path.partition("?")[0], authorization) for _, path, authorization in fake.seen]
    assert sent == [
        ("/v2/team/wine/manifests/content-1", ""),
        ("/token", fake.login),
        ("/v2/team/wine/manifests/content-1", "Bearer a-token"),
        ("/v2/team/wine/manifests/content-2", "Bearer a-token"),
    ]


def test_a_registry_that_gives_other_bytes_for_a_digest_is_refused(fake: Server, tmp_path: Path) -> None:
    place = repository(fake.host, {"DOCKER_CONFIG": str(tmp_path)})
    digest = f"sha256:{'0' * 64}"
    fake.manifests[digest] = (TYPES[3], b"{}")
    with pytest.raises(RegistryRefused, match="other bytes"):
        place.manifest(digest)


def test_plain_http_is_never_spoken_beyond_this_machine(fake: Server) -> None:
    place = repository(f"localhost.example:{fake.server_port}", {})
    with pytest.raises(RegistryUnavailable):
        place.digest("x")
    assert fake.seen == []


def test_a_credential_helper_gives_the_login(tmp_path: Path) -> None:
    helper = tmp_path / "docker-credential-vault"
    helper.write_text(
        '#!/bin/sh\nread host\necho "{\\"Username\\": \\"$host\\", \\"Secret\\": \\"s3cret\\"}"\n'
    )
    helper.chmod(0o755)
    (tmp_path / "config.json").write_text(json.dumps({"credHelpers": {"registry.example": "vault"}}))
    environ = {"DOCKER_CONFIG": str(tmp_path), "PATH": f"{tmp_path}:/usr/bin:/bin"}
    assert login("registry.example", environ) == Login("registry.example", "s3cret")
    assert login("other.example", environ) is None


def test_a_login_shows_itself_without_its_password() -> None:
    assert repr(Login(USER, PASSWORD)) == f"Login('{USER}', ***)"
    assert PASSWORD not in str(Login(USER, PASSWORD))
