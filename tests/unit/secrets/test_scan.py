"""Bytes that would be published are looked through for known values; build arguments are judged by name."""

import base64
import gzip
import io
import tarfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tagline.errors import SecretExposed, SecretsError
from tagline.secrets.scan import Scanner, known_values, layer, looks_secret, refuse_build_args

VALUE = "p4ss/w0rd+of the=warehouse"


@settings(deadline=None)
@given(st.binary(max_size=200), st.binary(max_size=200), st.integers(1, 50))
def test_a_value_is_found_however_the_stream_is_cut(before: bytes, after: bytes, size: int) -> None:
    data = before + VALUE.encode() + after
    parts = [data[at : at + size] for at in range(0, len(data), size)]
    assert Scanner({"DB_PASSWORD": VALUE}).found(parts) == ["DB_PASSWORD"]


def test_a_value_in_base64_inside_a_longer_text_is_found() -> None:
    coded = base64.b64encode(f"user:{VALUE}".encode())
    assert Scanner({"DB_PASSWORD": VALUE}).found([b'{"auth": "', coded, b'"}']) == ["DB_PASSWORD"]


@settings(deadline=None)
@given(st.binary(max_size=2000))
def test_bytes_without_the_value_are_clean(data: bytes) -> None:
    assert Scanner({"DB_PASSWORD": VALUE, "SHORT": "x"}).found([data]) == []


def test_a_hit_is_refused_by_the_value_s_name_and_never_its_text() -> None:
    with pytest.raises(SecretExposed, match="layer 3 holds the value of DB_PASSWORD") as caught:
        Scanner({"DB_PASSWORD": VALUE}).refuse([VALUE.encode()], "layer 3")
    assert VALUE not in str(caught.value)


@pytest.mark.parametrize(
    "name",
    ["DB_PASSWORD", "password", "GITHUB_TOKEN", "NPM_TOKEN", "AWS_SECRET_ACCESS_KEY", "api_key", "apiKey",
     "SSH_PRIVATE_KEY", "VAULT_ROLE_ID", "PIP_INDEX_CREDENTIALS", "dbPassword", "PASSPHRASE"],
)  # fmt: skip
def test_a_name_of_a_secret_is_known(name: str) -> None:
    assert looks_secret(name)


@pytest.mark.parametrize(
    "name",
    ["PYTHON_VERSION", "TOKENIZER", "TOKENIZERS_PARALLELISM", "BASE", "KEYBOARD", "SECRETARY", "MONKEY", "AUTHOR",
     "CUDA_VERSION", "HTTP_PROXY", "SOURCE_DATE_EPOCH", "TOKEN_FILE", "PARTITION_KEY", "NB_PREFIX"],
)  # fmt: skip
def test_a_name_that_only_sounds_like_one_is_not(name: str) -> None:
    assert not looks_secret(name)


@pytest.mark.parametrize("name", ["PWD", "OLDPWD"])
def test_a_shells_folders_are_no_secrets_and_paths_can_be_read(name: str) -> None:
    assert not looks_secret(name)
    assert looks_secret("DB_PWD")


def test_build_arguments_named_like_secrets_are_refused_together() -> None:
    refuse_build_args(["BASE", "PYTHON_VERSION"])
    with pytest.raises(SecretExposed, match="GITHUB_TOKEN, NPM_PASSWORD") as caught:
        refuse_build_args(["BASE", "NPM_PASSWORD", "GITHUB_TOKEN"])
    assert "type=secret" in caught.value.fix


def a_layer(text: bytes) -> bytes:
    """A tar with one file."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        entry = tarfile.TarInfo("app/settings.py")
        entry.size = len(text)
        tar.addfile(entry, io.BytesIO(text))
    return made.getvalue()


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_a_value_in_a_file_of_a_layer_is_found_packed_or_not(pack: object) -> None:
    scanner = Scanner({"DB_PASSWORD": VALUE})
    hit, clean = a_layer(f"password = {VALUE!r}".encode()), a_layer(b"password = None")
    assert scanner.found(layer(io.BytesIO(pack(hit)))) == ["DB_PASSWORD"]
    assert scanner.found(layer(io.BytesIO(pack(clean)))) == []


@pytest.mark.parametrize(
    "data", [b"\x28\xb5\x2f\xfd....", gzip.compress(b"x" * 5000)[:-20]], ids=["zstd", "gzip cut off"]
)
def test_a_layer_that_cannot_be_looked_into_is_an_error_and_not_clean(data: bytes) -> None:
    with pytest.raises(SecretsError, match="cannot be"):
        list(layer(io.BytesIO(data)))


def test_known_values_are_those_of_the_env_file_and_of_variables_named_like_secrets() -> None:
    environ = {"GITHUB_TOKEN": "from-the-host", "EDITOR": "long-editor-name", "PIN_SECRET": "1234"}
    dotenv = {"WAREHOUSE": "from-the-file", "VAULT_ADDR": "https://vault:8200", "GITHUB_TOKEN": "overridden"}
    assert known_values(environ, dotenv) == {"WAREHOUSE": "from-the-file", "GITHUB_TOKEN": "from-the-host"}
