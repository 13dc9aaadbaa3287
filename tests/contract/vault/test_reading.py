"""VaultConnector reads secrets of a real OpenBao: both engines, namespaces, a private CA, files and folders."""

import os
from pathlib import Path

import pytest
from tagline_task.connectors import Settings, VaultConnector, kv, settings
from tagline_task.errors import CredentialsMissing, SecretNotThere, StoreRefused, VariableTaken

from tests.servers.openbao import Bao, dev_server

from .conftest import World, make_world


def test_a_secret_of_engine_2_becomes_variables_and_their_names_are_returned(world: World) -> None:
    world.bao.put(f"{world.name}/db", DB_USER="reader", DB_PASSWORD="s3cret-value", DB_PORT=5432)
    with world.connector() as vault:
        names = vault.set_secrets_as_envvars(path=f"{world.name}/db", mount_point="secret")
    assert names == ["DB_PASSWORD", "DB_PORT", "DB_USER"]
    assert [os.environ[name] for name in names] == ["s3cret-value", "5432", "reader"]


def test_a_secret_of_engine_1_is_read_the_same_way(world: World) -> None:
    world.bao.ask("POST", f"kv1/{world.name}/db", DB_USER="reader")
    with world.connector() as vault:
        assert dict(vault.get_secrets(f"/{world.name}/db/", "kv1")) == {"DB_USER": "reader"}


def test_the_path_and_the_mount_may_come_with_the_credentials(world: World) -> None:
    world.bao.ask("POST", f"kv1/{world.name}/db", DB_USER="reader")
    with world.connector(path=f"{world.name}/db", mount_point="kv1") as vault:
        assert vault.set_secrets_as_envvars() == ["DB_USER"]


@pytest.mark.parametrize("path", ["", "..", "a//b"])
def test_a_path_that_names_no_secret_is_an_error(world: World, path: str) -> None:
    with world.connector() as vault, pytest.raises(SecretNotThere, match="name no secret"):
        vault.get_secrets(path)


def test_a_namespace_of_its_own_is_where_everything_is_asked(bao: Bao) -> None:
    inner = bao.within("department")
    inner.ask("POST", "sys/mounts/secret", type="kv", options={"version": "2"})
    world = make_world_in(inner)
    inner.put(f"{world.name}/db", A="from the namespace")
    with world.connector(namespace="department") as vault:
        assert vault.get_secrets(f"{world.name}/db")["A"] == "from the namespace"
    with world.connector() as vault, pytest.raises(StoreRefused):
        vault.get_secrets(f"{world.name}/db")


def make_world_in(inner: Bao) -> World:
    role = inner.role("inner", 'path "secret/data/inner/*" { capabilities = ["read"] }')
    return World(inner, "inner", role)


def test_a_private_ca_is_trusted_by_file_or_by_text_and_not_otherwise(tmp_path: Path) -> None:
    with dev_server(tmp_path, tls=True) as bao:
        world = make_world(bao)
        bao.put(f"{world.name}/db", A="over tls")
        with world.connector(ca=str(bao.ca)) as vault:
            assert vault.get_secrets(f"{world.name}/db")["A"] == "over tls"
        assert bao.ca is not None
        with world.connector(ca_text=bao.ca.read_text()) as vault:
            assert vault.get_secrets(f"{world.name}/db")["A"] == "over tls"
        with world.connector() as vault, pytest.raises(Exception, match="VAULT_CACERT"):
            vault.get_secrets(f"{world.name}/db")


def test_an_engine_that_is_not_key_value_is_refused_by_its_type(world: World) -> None:
    world.bao.ask("POST", f"sys/mounts/transit-{world.name}", type="transit")
    wire = VaultConnector(Settings(world.bao.address))._session.wire
    wire.hvac.token = world.bao.token
    with pytest.raises(StoreRefused, match="type transit"):
        kv.version_of(wire, kv.Place(f"transit-{world.name}", "x"))


def test_a_prefix_goes_before_each_name_and_a_mapping_picks_and_renames(world: World) -> None:
    world.bao.put(f"{world.name}/db", **{"user": "reader", "pass-word": "s3cret-value"})
    with world.connector() as vault:
        assert vault.set_secrets_as_envvars(f"{world.name}/db", mapping={"pass-word": "PW"}) == ["PW"]
        with pytest.raises(VariableTaken, match=r"'pass-word' cannot name a variable.*PASS_WORD"):
            vault.set_secrets_as_envvars(f"{world.name}/db")
        with pytest.raises(SecretNotThere, match="no key 'token'; it has pass-word, user"):
            vault.set_secrets_as_envvars(f"{world.name}/db", mapping={"token": "T"})
        world.bao.put(f"{world.name}/db", user="reader")
        assert vault.set_secrets_as_envvars(f"{world.name}/db", prefix="DB_") == ["DB_user"]


def test_a_variable_that_is_set_is_overwritten_only_when_told_and_then_all_or_none(world: World) -> None:
    world.bao.put(f"{world.name}/db", AAA="new", ZZZ="new")
    os.environ["ZZZ"] = "old"
    with world.connector() as vault:
        with pytest.raises(VariableTaken, match="ZZZ is set already"):
            vault.set_secrets_as_envvars(f"{world.name}/db")
        assert "AAA" not in os.environ
        vault.set_secrets_as_envvars(f"{world.name}/db", overwrite=True)
    assert os.environ["ZZZ"] == "new"


def test_a_secret_that_was_read_shows_its_keys_and_no_value(world: World) -> None:
    world.bao.put(f"{world.name}/db", DB_PASSWORD="s3cret-value")
    with world.connector() as vault:
        found = vault.get_secrets(f"{world.name}/db")
        shown = f"{found!r} {found} {vault._session.wire.settings!r}"
    assert "DB_PASSWORD" in shown and "s3cret" not in shown
    assert world.role.role_id not in shown


def test_credentials_come_from_files_and_from_the_mounted_folder(tmp_path: Path) -> None:
    (tmp_path / "role").write_text("the-role\n")
    (tmp_path / "mounted").mkdir()
    (tmp_path / "mounted/VAULT_ADDR").write_text("https://vault:8200\n")
    (tmp_path / "mounted/secret_id").write_text("the-secret")
    (tmp_path / "mounted/ca.crt").write_text("PEM")
    found = settings.read(
        {"VAULT_ROLE_ID_FILE": str(tmp_path / "role"), "TAGLINE_VAULT_DIR": str(tmp_path / "mounted")}
    )
    assert (found.address, found.role_id.open(), found.secret_id.open()) == (
        "https://vault:8200",
        "the-role",
        "the-secret",
    )
    assert found.ca == str(tmp_path / "mounted/ca.crt")


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({}, "VAULT_ADDR is not set"),
        ({"VAULT_ADDR": "vault:8200"}, "no http address"),
        ({"VAULT_ADDR": "http://v"}, "VAULT_ROLE_ID and VAULT_SECRET_ID not set"),
        ({"VAULT_ADDR": "http://v", "VAULT_ROLE_ID": "r"}, "VAULT_SECRET_ID not set"),
        ({"VAULT_ADDR": "http://v", "VAULT_ADDR_FILE": "/f"}, "both set"),
        ({"VAULT_ADDR_FILE": "/nowhere"}, "/nowhere cannot be read"),
        (
            {
                "VAULT_ADDR": "http://v",
                "VAULT_ROLE_ID": "r",
                "VAULT_SECRET_ID": "s",
                "VAULT_WRAPPED_SECRET_ID": "w",
            },
            "both set",
        ),
    ],
)
def test_credentials_that_are_missing_or_contradict_each_other_are_named(
    environ: dict[str, str], said: str
) -> None:
    with pytest.raises(CredentialsMissing, match=said):
        settings.read(environ)
