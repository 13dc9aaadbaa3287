"""Plain requests to the fake: no client of ours, no SDK."""

import json
import urllib.error
import urllib.request
from typing import Any

from tests.contract.kfp.pipelines import spec
from tests.fakes.kfp import FakeKfp

START = 1_800_000_000.0 - 1_800_000_000.0 % 86_400  # a midnight


def ask(
    kfp: FakeKfp, method: str, path: str, body: object = None, headers: dict[str, str] | None = None
) -> tuple[int, Any]:
    """Status and JSON."""
    whole = path if path.startswith("/apis") else f"/apis/v2beta1{path}"
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(kfp.url + whole, data, headers or {}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, json.loads(answer.read() or b"{}")
    except urllib.error.HTTPError as refused:
        return refused.code, json.loads(refused.read() or b"{}")


def run(kfp: FakeKfp, name: str = "run", **more: object) -> tuple[int, Any]:
    return ask(kfp, "POST", "/runs", {"display_name": name, "pipeline_spec": spec()} | more)


def schedule(kfp: FakeKfp, cron: str, **more: object) -> str:
    body = {"display_name": "s", "max_concurrency": "10", "mode": "ENABLE", "pipeline_spec": spec()}
    status, made = ask(
        kfp, "POST", "/recurringruns", body | {"trigger": {"cron_schedule": {"cron": cron}}} | more
    )
    assert status == 200, made
    return str(made["recurring_run_id"])


def upload(kfp: FakeKfp, name: str, content: bytes) -> int:
    """The status of a pipeline's upload."""
    head = b'--x\r\nContent-Disposition: form-data; name="uploadfile"; filename="p.yaml"\r\n\r\n'
    form = head + content + b"\r\n--x--\r\n"
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    request = urllib.request.Request(f"{kfp.url}/apis/v2beta1/pipelines/upload?name={name}", form, headers)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code


def big(size: int) -> dict[str, Any]:
    """A pipeline with an argument of so many bytes."""
    made = spec()
    made["deploymentSpec"]["executors"]["exec-fit"]["container"]["args"] = ["x" * size]
    return made
