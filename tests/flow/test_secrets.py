"""Secrets through the whole line: they reach the one task that asks, and no log, report, file or ledger."""

import base64
import hashlib
import re
import subprocess
from itertools import count
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.flow.stage import PIPELINE, ROOT, TASK, Desk
from tests.servers.openbao import Bao

VALUE = "p4ss/w0rd+of the=warehouse"
NUMBERS = count(1)
NOTE = "model.path + '.note'"  # a task writes to its own outputs alone
TRY_MOUNT = ["unshare", "-rm", "mount", "-t", "tmpfs", "none", "/tmp"]
CODED = base64.b64encode(f"user:{VALUE}".encode()).decode()
SHAPES = [VALUE, quote(VALUE, safe=""), CODED, base64.b64encode(VALUE.encode()).decode()]
LEAK = """
    import base64, os, subprocess, sys, urllib.parse
    value = os.environ["STORE_PASSWORD"]
    print(value, [value], urllib.parse.quote(value, safe=""))
    print(base64.b64encode(f"user:{value}".encode()).decode(), base64.b64encode(value.encode()).decode())
    subprocess.run(["sh", "-c", "echo below Python: $STORE_PASSWORD"])
    model.metadata["dsn"] = f"postgres://u:{urllib.parse.quote(value, safe='')}@h"
"""


def ask_for_password(desk: Desk, leak: str = "") -> None:
    """Let the pipeline ask for the password as environment, and its task spread it."""
    desk.change(PIPELINE, "from kfp import dsl", "from kfp import dsl, kubernetes")
    desk.change(
        PIPELINE,
        "    train_model(seconds=seconds)",
        "    task = train_model(seconds=seconds)\n"
        '    kubernetes.use_secret_as_env(task, secret_name="store", secret_key_to_env={"password": "STORE_PASSWORD"})',
    )
    desk.change(TASK, "    time.sleep(seconds)", f"    time.sleep(seconds){leak}")
    assert desk.tagline("compile").code == 0
    (desk.clone.path / ".gitignore").write_text("/.env\n")


def noted(desk: Desk) -> str:
    """What a task wrote beside its model."""
    (note,) = desk.home.glob("runs/**/*.note")
    return note.read_text()


def no_serving(desk: Desk, line: str = "") -> None:
    """A tagline.yaml that only trains."""
    (desk.clone.path / "tagline.yaml").write_text(f"pipeline: tiny\nsmoke: {{seconds: 0.0}}\n{line}\n")


def everywhere(desk: Desk) -> bytes:
    """All that the platform and the repository keep."""
    files = [path for folder in (desk.home, desk.bare.path) for path in folder.rglob("*") if path.is_file()]
    ledger = "\n".join(map(str, desk.events()))
    return b"\n".join([*(path.read_bytes() for path in files), ledger.encode()])


def test_a_secret_from_the_ignored_env_file_is_in_no_output_of_a_whole_release(desk: Desk) -> None:
    ask_for_password(desk, LEAK)
    no_serving(desk)
    (desk.clone.path / ".env").write_text(f"STORE_PASSWORD='{VALUE}'\n")
    desk.merge("feat: reads the store")
    done = desk.tagline("ci", "--json")
    assert done.code == 0, done
    seen = f"{done.out}{done.err}".encode() + everywhere(desk)
    assert [shape for shape in SHAPES if shape.encode() in seen] == []
    logs = b"".join(path.read_bytes() for path in desk.home.rglob("train-model.log"))
    assert b"below Python: ***" in logs and b"*** ['***'] ***" in logs


def test_a_failing_task_s_secret_is_in_no_error_of_the_command(desk: Desk) -> None:
    ask_for_password(desk, f"{LEAK}    raise ValueError(f'cannot connect with {{value}}')\n")
    no_serving(desk)
    desk.merge("feat: reads the store")
    done = desk.tagline("ci", STORE_PASSWORD=VALUE)
    assert done.code != 0
    assert "cannot connect with ***" in done.err
    seen = f"{done.out}{done.err}".encode() + everywhere(desk)
    assert [shape for shape in SHAPES if shape.encode() in seen] == []


def test_a_name_that_only_vault_has_comes_from_the_path_of_the_policy(
    desk: Desk, bao: Bao, tmp_path: Path
) -> None:
    path = f"tiny{next(NUMBERS)}"
    bao.put(f"{path}/prod", STORE_PASSWORD=VALUE)
    leak = "\n    import hashlib, os\n    password = os.environ['STORE_PASSWORD'].encode()\n"
    ask_for_password(desk, f"{leak}    open({NOTE}, 'w').write(hashlib.sha256(password).hexdigest())\n")
    no_serving(desk, f"secrets: {{path: '{path}/{{env}}'}}")
    desk.merge("feat: reads the store")
    done = desk.tagline("train", "--smoke", VAULT_ADDR=bao.address, VAULT_TOKEN=bao.token)
    assert done.code == 0, done
    assert noted(desk) == hashlib.sha256(VALUE.encode()).hexdigest()


@pytest.mark.parametrize("deliver", ["env", "volume"])
def test_a_task_reads_vault_by_the_approle_that_one_line_gives_it(
    desk: Desk, bao: Bao, tmp_path: Path, deliver: str
) -> None:
    name = f"tiny{next(NUMBERS)}"
    role = bao.role(name, f'path "secret/data/{name}/*" {{ capabilities = ["read"] }}')
    bao.put(f"{name}/prod", STORE_PASSWORD=VALUE)
    desk.change(
        TASK,
        "    time.sleep(seconds)",
        "    import hashlib, os\n    from tagline_task.connectors import VaultConnector\n"
        f"    print(VaultConnector().set_secrets_as_envvars(path='{name}/prod', mount_point='secret'))\n"
        "    value = os.environ['STORE_PASSWORD']\n    print('the value is', value)\n"
        f"    open({NOTE}, 'w').write(hashlib.sha256(value.encode()).hexdigest())",
    )
    no_serving(desk, f"secrets: {{approle: vault-approle, deliver: {deliver}}}")
    (desk.clone.path / "src/requirements.txt").write_text(locked("hvac"))
    (desk.clone.path / ".gitignore").write_text("/.env\n")
    (desk.clone.path / ".env").write_text(
        "".join(f"{key}={value}\n" for key, value in role.environ().items())
    )
    assert desk.tagline("compile").code == 0
    desk.merge("feat: reads Vault")
    done = desk.tagline("train", "--smoke")
    assert done.code == 0, done
    assert noted(desk) == hashlib.sha256(VALUE.encode()).hexdigest()
    (log,) = desk.home.rglob("train-model.log")
    assert "['STORE_PASSWORD']\nthe value is ***\n" in log.read_text()
    assert VALUE.encode() not in everywhere(desk)


def locked(name: str) -> str:
    """A lock of one package and what it needs, from the suite's own lock."""
    text = (ROOT / "requirements/test.txt").read_text()
    wanted = {name, "requests", "certifi", "idna", "urllib3", "charset-normalizer"}
    blocks = re.findall(r"^([a-z0-9.-]+)==(?:.*\\\n)+.*\n", text, re.MULTILINE)
    assert wanted <= set(blocks)
    parts = [match[0] for match in re.finditer(r"^([a-z0-9.-]+)==(?:.*\\\n)+.*\n", text, re.MULTILINE)]
    return "".join(part for part in parts if part.partition("==")[0] in wanted)


def test_a_pull_request_s_smoke_training_gets_no_secret_even_where_one_is_there(desk: Desk) -> None:
    no_serving(desk, "smoke_when: on-pr")
    desk.merge("feat: smoke on pull requests")
    ask_for_password(desk, LEAK)
    desk.clone.git("checkout", "--quiet", "-b", "change")
    desk.clone.commit("feat: reads the store")
    desk.clone.git("push", "--quiet", "origin", "change")
    done = desk.tagline("ci", STORE_PASSWORD=VALUE)
    assert done.code == 0, done
    assert "a pull request gets none: task 'train-model' needs key 'password'" in done.out
    assert list(desk.home.rglob("train-model.log")) == []


def test_a_tracked_env_file_ends_the_checks(desk: Desk) -> None:
    (desk.clone.path / ".env").write_text(f"STORE_PASSWORD={VALUE}\n")
    desk.merge("feat: oh no")
    done = desk.tagline("ci")
    assert done.code == 106, done
    assert "git rm --cached .env" in done.err
    assert VALUE not in done.out + done.err


def mounts_allowed() -> bool:
    tries = (TRY_MOUNT, [TRY_MOUNT[0], "-m", *TRY_MOUNT[2:]])
    return any(subprocess.run(words, capture_output=True, check=False).returncode == 0 for words in tries)


@pytest.mark.skipif(
    not mounts_allowed(), reason="not applicable here: this machine allows no mounts of one's own"
)
def test_a_task_cannot_read_the_files_that_hold_its_parent_s_secrets(desk: Desk, tmp_path: Path) -> None:
    named = tmp_path / "secret_id"
    named.write_text(VALUE)
    file = desk.clone.path / ".env"
    reading = (
        f"    for name in ({str(file)!r}, {str(named)!r}):\n        try:\n"
        f"            open({NOTE}, 'a').write(open(name).read())\n        except OSError:\n            pass"
    )
    desk.change(TASK, "    time.sleep(seconds)", f"    open({NOTE}, 'w').close()\n{reading}")
    (desk.clone.path / ".gitignore").write_text("/.env\n")
    file.write_text(f"OTHER={VALUE}\n")
    no_serving(desk)
    desk.merge("feat: curious")
    done = desk.tagline("train", "--smoke", VAULT_SECRET_ID_FILE=str(named))
    assert done.code == 0, done
    assert noted(desk) == ""
