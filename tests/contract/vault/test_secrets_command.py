"""`tagline secrets`: check reads no value, put merges by check-and-set, bootstrap makes credentials nobody sees."""

import json
import stat
import threading
from itertools import count
from pathlib import Path

import pytest
import yaml
from tagline.errors import SecretExposed, SecretsIncomplete, StoreRefused, StoreUnavailable
from tagline.secrets.store import open_store

from tests.servers.openbao import Bao

from .desk import Desk, make_desk

VALUE = "p4ss/w0rd+of the=warehouse"
PIPELINE_YAML = Path(__file__).parents[2] / "projects/plain_kfp/docker/kubeflow_pipeline/pipeline.yaml"
NUMBERS = count(1)


@pytest.fixture
def desk(bao: Bao, tmp_path: Path) -> Desk:
    made = make_desk(tmp_path, VAULT_ADDR=bao.address, VAULT_TOKEN=bao.token)
    name = f"wine{next(NUMBERS)}"
    lines = [f"pipeline: {name}", "environments: [staging, prod]"]
    made.write("tagline.yaml", "\n".join([*lines, f"secrets: {{path: '{name}/{{env}}', keys: [A, B]}}"]))
    return made


def place(desk: Desk, environment: str) -> str:
    return f"{yaml.safe_load((desk.root / 'tagline.yaml').read_text())['pipeline']}/{environment}"


def change(desk: Desk, old: str, new: str) -> None:
    text = (desk.root / "tagline.yaml").read_text()
    assert old in text
    desk.write("tagline.yaml", text.replace(old, new))


def kv1(bao: Bao) -> None:
    if "kv1/" not in bao.ask("GET", "sys/mounts")["data"]:
        bao.ask("POST", "sys/mounts/kv1", type="kv", options={"version": "1"})


def test_check_says_for_each_environment_which_keys_are_there(desk: Desk, bao: Bao) -> None:
    bao.put(place(desk, "staging"), A=VALUE, B="x")
    bao.put(place(desk, "prod"), A=VALUE)
    done = desk.tagline("secrets", "check", "--json")
    assert done.code == SecretsIncomplete.exit_code
    found = {(one["environment"], one["key"]): one["state"] for one in json.loads(done.out)}
    assert found == {
        ("staging", "A"): "there",
        ("staging", "B"): "there",
        ("prod", "A"): "there",
        ("prod", "B"): "missing",
    }


def test_check_reads_no_value(desk: Desk, bao: Bao) -> None:
    """A token that may name keys, and not read them, is enough."""
    bao.put(place(desk, "staging"), A=VALUE, B="x")
    bao.put(place(desk, "prod"), A=VALUE, B="x")
    name = place(desk, "x").partition("/")[0]
    policy = f'path "secret/subkeys/{name}/*" {{ capabilities = ["read"] }}'
    bao.ask("PUT", f"sys/policies/acl/{name}", policy=policy)
    token = bao.ask("POST", "auth/token/create", policies=[name])["auth"]["client_token"]
    done = desk.tagline("secrets", "check", VAULT_TOKEN=token)
    assert done.code == 0, done
    assert VALUE not in done.out + done.err


def test_check_of_engine_1_says_what_it_cannot_say(desk: Desk, bao: Bao) -> None:
    kv1(bao)
    change(desk, "secrets: {", "secrets: {mount: kv1, ")
    for environment in ("staging", "prod"):
        bao.ask("POST", f"kv1/{place(desk, environment)}", A=VALUE)
    done = desk.tagline("secrets", "check")
    assert done.code == 0
    assert done.out.count("path exists, keys not checked") == 2
    bao.ask("DELETE", f"kv1/{place(desk, 'prod')}")
    assert desk.tagline("secrets", "check").code == SecretsIncomplete.exit_code


def test_check_names_a_deleted_version_and_how_to_get_it_back(desk: Desk, bao: Bao) -> None:
    bao.put(place(desk, "staging"), A=VALUE, B="x")
    bao.put(place(desk, "prod"), A=VALUE, B="x")
    bao.ask("DELETE", f"secret/data/{place(desk, 'prod')}")
    done = desk.tagline("secrets", "check")
    assert done.code == SecretsIncomplete.exit_code
    assert "version 1 was deleted" in done.out and "bao kv undelete" in done.out


def test_check_looks_for_what_the_pipeline_gets_from_secrets_on_this_machine(desk: Desk) -> None:
    change(desk, ", keys: [A, B]", "")
    desk.write("tagline.yaml", "pipeline: seals\n")
    desk.write("docker/kubeflow_pipeline/pipeline.py", "")
    desk.write("docker/kubeflow_pipeline/pipeline.yaml", PIPELINE_YAML.read_text())
    missing = desk.tagline("secrets", "check")
    assert missing.code == SecretsIncomplete.exit_code
    assert "set WAREHOUSE_TOKEN" in missing.out
    desk.write(".env", f"WAREHOUSE_TOKEN={VALUE}\n")
    done = desk.tagline("secrets", "check")
    assert done.code == 0, done
    assert done.out.rstrip().endswith("there  .env")


def test_a_store_that_cannot_be_asked_is_another_end_than_a_missing_secret(desk: Desk) -> None:
    wrong = desk.env["VAULT_ADDR"].replace("http:", "https:")
    done = desk.tagline("secrets", "check", VAULT_ADDR=wrong)
    assert done.code == StoreUnavailable.exit_code
    assert "does not speak TLS" in done.err


def test_put_writes_one_key_and_keeps_the_others(desk: Desk, bao: Bao) -> None:
    at = place(desk, "prod")
    bao.put(at, A="stays")
    done = desk.tagline("secrets", "put", at, "B", given=f"{VALUE}\n")
    assert done.code == 0, done
    assert done.out == f"secret/{at}: B written, version 2\n"
    assert bao.ask("GET", f"secret/data/{at}")["data"]["data"] == {"A": "stays", "B": VALUE}
    again = desk.tagline("secrets", "put", at, "B", given=VALUE)
    assert "nothing to do, B has this value in version 2" in again.out
    assert VALUE not in done.out + done.err + again.out + again.err


def test_put_makes_a_secret_that_was_not_there_and_one_that_was_deleted(desk: Desk, bao: Bao) -> None:
    at = place(desk, "prod")
    assert "version 1" in desk.tagline("secrets", "put", at, "A", given=VALUE).out
    bao.ask("DELETE", f"secret/data/{at}")
    assert "version 2" in desk.tagline("secrets", "put", at, "B", given=VALUE).out
    assert bao.ask("GET", f"secret/data/{at}")["data"]["data"] == {"B": VALUE}


def test_put_is_refused_on_engine_1_and_changes_nothing(desk: Desk, bao: Bao) -> None:
    kv1(bao)
    at = place(desk, "prod")
    bao.ask("POST", f"kv1/{at}", A="stays")
    done = desk.tagline("secrets", "put", at, "B", "--mount", "kv1", given=VALUE)
    assert done.code == StoreRefused.exit_code
    assert "engine version 1" in done.err and "enable-versioning" in done.err
    assert bao.ask("GET", f"kv1/{at}")["data"] == {"A": "stays"}


@pytest.mark.parametrize("given", ["", "\n"])
def test_put_of_an_empty_value_is_an_error(desk: Desk, given: str) -> None:
    done = desk.tagline("secrets", "put", place(desk, "prod"), "A", given=given)
    assert done.code == 20 and "empty" in done.err


def test_two_writers_at_once_lose_nothing(bao: Bao, desk: Desk) -> None:
    at = place(desk, "prod")
    keys = [f"K{number}" for number in range(4)]

    def write(key: str) -> None:
        store = open_store(desk.env)
        store.merge(store.place("secret", at), key, f"value of {key}")

    threads = [threading.Thread(target=write, args=(key,)) for key in keys]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(bao.ask("GET", f"secret/data/{at}")["data"]["data"]) == keys


def test_without_check_and_set_the_second_writer_would_lose_the_first_one_s_key(
    bao: Bao, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = place(desk, "prod")
    store = open_store(desk.env)
    where = store.place("secret", at)
    stale = store._current(where)
    bao.put(at, FIRST="of another writer")
    monkeypatch.setattr(type(store), "_current", lambda self, at: stale)
    with pytest.raises(Exception, match="written by somebody else"):
        store.merge(where, "SECOND", VALUE)
    assert bao.ask("GET", f"secret/data/{at}")["data"]["data"] == {"FIRST": "of another writer"}


def approle(bao: Bao) -> None:
    if "approle/" not in bao.ask("GET", "sys/auth")["data"]:
        bao.ask("POST", "sys/auth/approle", type="approle")


def test_bootstrap_makes_credentials_that_read_this_secret_and_no_other(
    desk: Desk, bao: Bao, tmp_path: Path
) -> None:
    approle(bao)
    change(desk, "secrets: {", "secrets: {approle: vault-approle, ")
    bao.put(place(desk, "prod"), A=VALUE)
    bao.put(place(desk, "staging"), A=VALUE)
    file = tmp_path / "secret.yaml"
    words = ("secrets", "bootstrap", "--env", "prod", "--namespace", "ml", "-o", str(file))
    done = desk.tagline(*words)
    assert done.code == 0, done
    made = yaml.safe_load(file.read_text())
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert (made["kind"], made["metadata"]["name"], made["metadata"]["namespace"]) == (
        "Secret",
        "vault-approle",
        "ml",
    )
    given = made["stringData"]
    assert given["VAULT_SECRET_ID"] not in done.out + done.err
    assert given["VAULT_ROLE_ID"] not in done.out + done.err
    assert "kubectl apply -f" in done.out and "holds until 20" in done.out
    store = open_store(given)
    assert store.values(store.place("secret", given["VAULT_SECRET_PATH"])) == {"A": VALUE}
    with pytest.raises(StoreRefused):
        store.values(store.place("secret", place(desk, "staging")))


def test_the_credentials_of_bootstrap_are_what_a_task_needs(desk: Desk, bao: Bao, tmp_path: Path) -> None:
    import subprocess
    import sys

    from .conftest import SOURCE

    approle(bao)
    bao.put(place(desk, "prod"), DB_PASSWORD=VALUE)
    file = tmp_path / "secret.yaml"
    assert desk.tagline("secrets", "bootstrap", "--env", "prod", "-o", str(file)).code == 0
    folder = tmp_path / "mounted"
    folder.mkdir()
    for name, value in yaml.safe_load(file.read_text())["stringData"].items():
        (folder / name).write_text(value)
    code = (
        "from tagline_task.connectors import VaultConnector; print(VaultConnector().set_secrets_as_envvars())"
    )
    env = {"PYTHONPATH": str(SOURCE), "TAGLINE_VAULT_DIR": str(folder)}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=30)
    assert done.stdout == "['DB_PASSWORD']\n", done.stderr


def test_bootstrap_needs_an_environment_where_the_path_has_one(desk: Desk, tmp_path: Path) -> None:
    done = desk.tagline("secrets", "bootstrap", "-o", str(tmp_path / "s.yaml"))
    assert done.code == 20 and "one of staging, prod" in done.err


def test_bootstrap_on_a_ci_is_refused(desk: Desk, tmp_path: Path) -> None:
    for mark in ("CI", "GITHUB_ACTIONS", "GITLAB_CI", "JENKINS_URL"):
        words = ("secrets", "bootstrap", "--env", "prod", "-o", str(tmp_path / "s.yaml"))
        done = desk.tagline(*words, **{mark: "true"})
        assert done.code == SecretExposed.exit_code and "not made on a CI" in done.err
    assert not (tmp_path / "s.yaml").exists()


@pytest.mark.parametrize("output", ["/dev/stdout", "/dev/stderr", "/proc/self/fd/1"])
def test_bootstrap_never_writes_into_the_output(desk: Desk, bao: Bao, output: str) -> None:
    approle(bao)
    done = desk.tagline("secrets", "bootstrap", "--env", "prod", "-o", output)
    assert done.code not in {0, 3}
    assert "kind: Secret" not in done.out + done.err


def test_bootstrap_refuses_a_file_that_git_could_take_and_one_that_is_there(
    desk: Desk, tmp_path: Path
) -> None:
    inside = desk.tagline("secrets", "bootstrap", "--env", "prod", "-o", "secret.yaml")
    assert inside.code == SecretExposed.exit_code and "not ignored" in inside.err
    assert not (desk.root / "secret.yaml").exists()
    desk.write("tracked.yaml", "old")
    desk.git("add", "tracked.yaml")
    tracked = desk.tagline("secrets", "bootstrap", "--env", "prod", "-o", "tracked.yaml")
    assert tracked.code == SecretExposed.exit_code and "is tracked" in tracked.err
    (tmp_path / "there.yaml").write_text("old")
    there = desk.tagline("secrets", "bootstrap", "--env", "prod", "-o", str(tmp_path / "there.yaml"))
    assert there.code != 0 and "is there already" in there.err
    assert (tmp_path / "there.yaml").read_text() == "old"


def test_bootstrap_that_fails_leaves_no_file(desk: Desk, bao: Bao, tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    words = ("secrets", "bootstrap", "--env", "prod", "-o", str(file))
    done = desk.tagline(*words, VAULT_APPROLE_MOUNT="elsewhere")
    assert done.code == 20 and "bao auth enable -path=elsewhere approle" in done.err
    assert not file.exists()


def test_doctor_names_an_env_file_that_git_would_take(desk: Desk) -> None:
    desk.write(".env", f"A={VALUE}\n")
    assert ".env is ignored by git" in desk.tagline("doctor").out
    desk.write(".gitignore", "")
    done = desk.tagline("doctor")
    assert done.code == 26
    assert ".env is not ignored by git" in done.out and "echo /.env >> .gitignore" in done.out
    assert VALUE not in done.out + done.err


def test_the_options_of_the_command_show_no_value_as_an_argument() -> None:
    from tagline.cli.secrets import command

    names = {parameter.name for each in command.commands.values() for parameter in each.params}
    assert not names & {"value", "token", "secret_id", "role_id", "password"}
