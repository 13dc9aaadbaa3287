"""What a task read from Vault reaches none of its outputs: print, tracebacks, logging, repr, executor output."""

import base64
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest

from .conftest import World

VALUE = "p4ss/w0rd+of the=warehouse"
TASK = """
import base64, logging, sys
from urllib.parse import quote, quote_plus
logging.basicConfig(stream=sys.stderr)
from tagline_task import Dataset, Output, run
from tagline_task.connectors import VaultConnector

def task(made: Output[Dataset]) -> str:
    import os
    vault = VaultConnector()
    found = vault.get_secrets("{name}/db")
    vault.set_secrets_as_envvars("{name}/db")
    value = found["PASSWORD"]
    open(made.path, "w").close()
    {body}

if __name__ == "__main__":
    run(task)
"""
BODIES = {
    "print": "print('begin', value, 'end'); return 'x'",
    "bit by bit": "[print(letter, end='') for letter in value]; return 'x'",
    "bytes": "sys.stdout.buffer.write(value.encode()); return 'x'",
    "logging": "logging.warning('got %s', value); return 'x'",
    "traceback": "raise ValueError(f'cannot connect with {value}')",
    "thread": "import threading as t; w = t.Thread(target=lambda: {}[value]); w.start(); w.join(); return 'x'",
    "exit": "sys.exit(f'bad {value}')",
    "repr": "print([value], found, vars(vault._session.wire.settings)); return 'x'",
    "base64": "print(base64.b64encode(f'user:{value}'.encode()).decode()); return 'x'",
    "url": "print(f'postgres://u:{quote(value, safe=str())}@h', quote_plus(value)); return 'x'",
    "returned": "return value",
    "metadata": "made.metadata['dsn'] = [value]; return 'x'",
    "token": "print(vault._session.wire.hvac.token, os.environ['VAULT_SECRET_ID']); return 'x'",
}


def shapes(value: str) -> list[str]:
    """The value, and what nobody would want to see of it."""
    coded = base64.b64encode(value.encode()).decode()
    return [value, quote(value, safe=""), coded, coded[4:-4]]


def executor_input(folder: Path) -> str:
    outputs = {
        "parameters": {"Output": {"outputFile": str(folder / "root/Output")}},
        "artifacts": {
            "made": {
                "artifacts": [
                    {
                        "name": "made",
                        "uri": str(folder / "root/made"),
                        "type": {"schemaTitle": "system.Dataset"},
                        "metadata": {},
                    }
                ]
            }
        },
        "outputFile": str(folder / "root/executor_output.json"),
    }
    return json.dumps({"inputs": {}, "outputs": outputs})


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_no_output_of_a_task_holds_the_value(
    world: World, tmp_path: Path, body: str, run_code: Callable[..., "subprocess.CompletedProcess[str]"]
) -> None:
    world.bao.put(f"{world.name}/db", PASSWORD=VALUE)
    (tmp_path / "task.py").write_text(TASK.replace("{name}", world.name).replace("{body}", body))
    start = f"import runpy, sys; sys.argv = ['task.py', '--executor_input', {executor_input(tmp_path)!r}]\n"
    environ = world.role.environ()
    done = run_code(f"{start}runpy.run_path('task.py', run_name='__main__')", **environ)
    written = [file.read_text() for file in (tmp_path / "root").rglob("*") if file.is_file()]
    seen = "\n".join([done.stdout, done.stderr, *written])
    assert [shape for shape in shapes(VALUE) if shape in seen] == []
    assert environ["VAULT_SECRET_ID"] not in seen
    assert "***" in seen


def test_without_the_connector_s_mask_the_value_would_be_seen(
    world: World, tmp_path: Path, run_code: Callable[..., "subprocess.CompletedProcess[str]"]
) -> None:
    world.bao.put(f"{world.name}/db", PASSWORD=VALUE)
    off = "from tagline_task.connectors import vault; vault.hide = lambda values: None\n"
    read = f"from tagline_task.connectors import VaultConnector; v = VaultConnector().get_secrets('{world.name}/db')\n"
    done = run_code(f"{off}{read}print(v['PASSWORD'])", **world.role.environ())
    assert VALUE in done.stdout
