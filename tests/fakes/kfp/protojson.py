"""How the gateway decodes a body: both spellings of a field, nothing unknown, one source at a time."""

import re
from typing import Any

from tests.fakes.kfp.request import NotUnderstood

MODES = ("MODE_UNSPECIFIED", "ENABLE", "DISABLE")
CRON_FIELDS = ("cron", "start_time", "end_time", "startTime", "endTime")
PERIOD_FIELDS = ("interval_second", "start_time", "end_time", "intervalSecond", "startTime", "endTime")


def snaked(body: dict[str, Any]) -> dict[str, Any]:
    """Protojson takes both spellings of a field; what is inside specifications and parameters is the user's."""
    inside = ("pipeline_spec", "runtime_config", "trigger")
    named = {_snake(key): value for key, value in body.items()}
    if isinstance(reference := named.get("pipeline_version_reference"), dict):
        named["pipeline_version_reference"] = {_snake(key): value for key, value in reference.items()}
    if isinstance(runtime := named.get(inside[1]), dict):
        named[inside[1]] = {_snake(key): value for key, value in runtime.items()}
    return named


def _snake(name: str) -> str:
    return "".join(f"_{char.lower()}" if char.isupper() else char for char in name)


def understood(body: dict[str, Any], fields: tuple[str, ...], message: str, raw: bytes) -> None:
    """The gateway's strictness: unknown fields and two sources at once."""
    text = raw.decode("utf-8", "replace")
    for name in body:
        if name not in fields:
            raise NotUnderstood(f'proto: (line 1:{text.find(name) or 1}): unknown field "{name}"')
    if body.get("pipeline_spec") and body.get("pipeline_version_reference"):
        raise NotUnderstood(
            f"proto: (line 1:{text.find('pipeline_version_reference')}): error parsing "
            '"pipeline_version_reference", oneof '
            f"kubeflow.pipelines.backend.api.v2beta1.{message}.pipeline_source is already set"
        )


def decoded(body: dict[str, Any], raw: str) -> None:
    """What the gateway refuses before the server sees it."""
    concurrency = str(body.get("max_concurrency", 0))
    if not re.fullmatch(r"-?\d+", concurrency):
        at = raw.find(f'"{concurrency}"') + 1
        raise NotUnderstood(
            f'proto: (line 1:{at}): invalid value for int64 field maxConcurrency: "{concurrency}"'
        )
    mode = body.get("mode", "MODE_UNSPECIFIED")
    if mode not in MODES and mode not in (0, 1, 2):
        raise NotUnderstood(
            f'proto: (line 1:{raw.find(f"{chr(34)}{mode}") + 1}): invalid value for enum field mode: "{mode}"'
        )
    trigger = body.get("trigger") or {}
    if len(trigger) > 1:
        second = list(trigger)[1]
        raise NotUnderstood(
            f'proto: (line 1:{raw.find(second)}): error parsing "{second}", oneof '
            "kubeflow.pipelines.backend.api.v2beta1.Trigger.trigger is already set"
        )
    for kind, known in (("cron_schedule", CRON_FIELDS), ("periodic_schedule", PERIOD_FIELDS)):
        for name, value in (trigger.get(kind) or {}).items():
            if name not in known:
                raise NotUnderstood(f'proto: (line 1:{raw.find(name)}): unknown field "{name}"')
            if name in ("start_time", "end_time") and not _is_time(value):
                at = raw.find(str(value))
                raise NotUnderstood(
                    f'proto: (line 1:{at}): invalid google.protobuf.Timestamp value "{value}"'
                )


def _is_time(value: str) -> bool:
    return bool(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", value))
