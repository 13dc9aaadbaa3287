"""The walk's hands on this machine: executor inputs, commands, retries, and each task in its engine."""

import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tagline.errors import PipelineError
from tagline.platforms import TaskEvent
from tagline.platforms.local.executor import Call, Executor, Job
from tagline.platforms.local.graphs.values import Result, State, Values
from tagline.platforms.local.graphs.walk import Leaf
from tagline.platforms.local.spec import file_name, named

SKIPPED = "skipped: its condition does not hold"
WORKSPACE = "workspace"
ANSWER = "executor_output.json"
_INPUT = re.compile(r"\{\{\$\.inputs\.parameters\['([^']*)'\]\}\}")


class LocalHands:
    """Implements `walk.Hands` with an executor; placeholders are replaced by kfp's own code."""

    def __init__(self, job: Job, executor: Executor, ir: Mapping[str, Any]) -> None:
        from kfp import local
        from kfp.local import executor_input_utils, placeholder_utils

        self._executor, self._ir = executor, ir
        self._root = Path(job.folder) / "outputs"
        self._run = executor_input_utils.get_local_pipeline_resource_name(ir["pipelineInfo"]["name"])
        self._job_id = placeholder_utils.make_random_id()
        local.init(
            runner=local.SubprocessRunner(use_venv=False),
            pipeline_root=str(self._root),
            workspace_root=str(Path(job.folder) / WORKSPACE),
        )

    def run(self, leaf: Leaf, given: Values) -> Result:
        """Run a task, again after a failure as its retry policy says, while the run's time lasts."""
        call = self._call(leaf, given)
        waits = pauses(leaf.task.get("retryPolicy", {}))
        for wait in [*waits, None]:
            found = self._executor.run(leaf.path, call)
            if found is not None:
                return Result(State.SUCCEEDED, found)
            if wait is None or wait >= self._executor.left():
                break
            time.sleep(wait)
        problem = self._executor.failures[leaf.path].what
        return Result(State.FAILED, problem=problem, task=leaf.path)

    def skip(self, path: str) -> None:
        """Tell of a task or group whose condition does not hold."""
        self._executor.tell(TaskEvent(path, SKIPPED))

    def fill(self, text: str, given: Mapping[str, Any]) -> str:
        """A constant with its placeholders replaced; raises `PipelineError` for one that has no value."""
        if lost := [name for name in _INPUT.findall(text) if name not in given]:
            raise PipelineError(f"the text {text!r} takes {lost[0]!r}, which has no value")
        if "{{$" not in text:
            return text
        return self._filled([text], {"inputs": {"parameterValues": dict(given)}}, "")[0]

    def final(self, task: str, result: Result) -> dict[str, Any]:
        """A task's end, as PipelineTaskFinalStatus has it."""
        error = {"error": {"message": result.problem}} if result.problem else {}
        names = {"pipelineJobResourceName": self._run, "pipelineTaskName": task}
        return {"state": result.state.value, **names, **error}

    def _call(self, leaf: Leaf, given: Values) -> Call:
        label = leaf.component["executorLabel"]
        container = self._ir["deploymentSpec"]["executors"][label]["container"]
        asked = executor_input(leaf.component, given, self._root / self._run / file_name(leaf.path))
        words = [*container.get("command", []), *container.get("args", [])]
        name = leaf.path.rpartition("/")[2]
        image = self._filled([container.get("image", "")], asked, name)[0]
        env = {one["name"]: one.get("value", "") for one in container.get("env", [])}
        declared = leaf.component.get("outputDefinitions", {}).get("parameters", {})
        kinds = {name: one.get("parameterType", "") for name, one in declared.items()}
        return Call(self._filled(words, asked, name), asked, env, image, named(label), kinds)

    def _filled(self, words: list[str], asked: dict[str, Any], task: str) -> list[str]:
        from kfp.local import placeholder_utils

        given = {"outputs": {"outputFile": ""}, **asked}
        try:
            places = (self._run, task, str(self._root), self._job_id)
            return list(placeholder_utils.replace_placeholders(words, given, *places))
        except (KeyError, IndexError, ValueError, TypeError) as error:
            raise PipelineError(f"a placeholder cannot be replaced in {words!r}: {error}") from error


def pauses(policy: Mapping[str, Any]) -> list[float]:
    """The seconds to wait before each further attempt."""
    first = seconds(policy.get("backoffDuration", "0s"))
    most = seconds(policy.get("backoffMaxDuration", "3600s"))
    factor = float(policy.get("backoffFactor") or 2.0)
    return [min(first * factor**number, most) for number in range(int(policy.get("maxRetryCount", 0)))]


def seconds(text: str) -> float:
    """A duration of a compiled file, such as `1.5s`, in seconds."""
    return float(text.removesuffix("s"))


def executor_input(component: Mapping[str, Any], given: Values, folder: Path) -> dict[str, Any]:
    """What a task is told, as kfp's ExecutorInput in JSON: its inputs, and where in `folder` each output goes."""
    declared = component.get("outputDefinitions", {})
    files = {name: {"outputFile": str(folder / name)} for name in declared.get("parameters", {})}
    slots = {
        name: {
            "artifacts": [
                {"name": name, "type": one["artifactType"], "uri": str(folder / name), "metadata": {}}
            ]
        }
        for name, one in declared.get("artifacts", {}).items()
    }
    return {
        "inputs": {
            "parameterValues": given.parameters,
            "artifacts": {name: {"artifacts": listed} for name, listed in given.artifacts.items()},
        },
        "outputs": {"parameters": files, "artifacts": slots, "outputFile": str(folder / ANSWER)},
    }
