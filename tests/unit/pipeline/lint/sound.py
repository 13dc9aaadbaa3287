"""A sound compiled pipeline and a sound source, from which each test breaks one thing."""

import copy
from typing import Any

from tagline.pipeline.compiled import Compiled

IMAGE = "registry.example/wine@sha256:" + "a" * 64
PROGRAM = '''
import kfp
from kfp import dsl
from kfp.dsl import *
from typing import *

def light(n: int) -> int:
    """Read http://10.0.0.1:80 or /home/me."""
    import json
    return len(json.dumps(n))
'''


def _container(**more: Any) -> dict[str, Any]:
    limits = {"resourceCpuLimit": "1", "resourceMemoryLimit": "2Gi"}
    args = ["--executor_input", "{{$}}"]
    return {"image": IMAGE, "command": ["python", "task.py"], "args": args, "resources": limits} | more


def _task(component: str, **more: Any) -> dict[str, Any]:
    task = {"componentRef": {"name": f"comp-{component}"}, "taskInfo": {"name": component}}
    return task | {"cachingOptions": {"enableCache": True}} | more


_IR: dict[str, Any] = {
    "pipelineInfo": {"name": "wine", "description": "Trains the wine model."},
    "root": {
        "inputDefinitions": {"parameters": {"n": {"parameterType": "NUMBER_INTEGER", "defaultValue": 3.0}}},
        "dag": {
            "tasks": {
                "one": _task("one", inputs={"parameters": {"n": {"componentInputParameter": "n"}}}),
                "two": _task(
                    "two",
                    dependentTasks=["one"],
                    inputs={
                        "artifacts": {
                            "data": {
                                "taskOutputArtifact": {"producerTask": "one", "outputArtifactKey": "data"}
                            }
                        },
                        "parameters": {"text": {"runtimeValue": {"constant": "x"}}},
                    },
                ),
                "light": _task("light", inputs={"parameters": {"n": {"componentInputParameter": "n"}}}),
            }
        },
    },
    "components": {
        "comp-one": {
            "executorLabel": "exec-one",
            "inputDefinitions": {"parameters": {"n": {"parameterType": "NUMBER_INTEGER"}}},
            "outputDefinitions": {"artifacts": {"data": {"artifactType": {"schemaTitle": "system.Dataset"}}}},
        },
        "comp-two": {
            "executorLabel": "exec-two",
            "inputDefinitions": {
                "artifacts": {"data": {"artifactType": {"schemaTitle": "system.Dataset"}}},
                "parameters": {"text": {"parameterType": "STRING"}},
            },
            "outputDefinitions": {"artifacts": {"model": {"artifactType": {"schemaTitle": "system.Model"}}}},
        },
        "comp-light": {
            "executorLabel": "exec-light",
            "inputDefinitions": {"parameters": {"n": {"parameterType": "NUMBER_INTEGER"}}},
        },
    },
    "deploymentSpec": {
        "executors": {
            "exec-one": {"container": _container()},
            "exec-two": {"container": _container(env=[{"name": "STAGE", "value": "dev"}])},
            "exec-light": {
                "container": _container(
                    command=["sh", "-ec", '_KFP_RUNTIME=true python3 -m kfp.dsl.executor_main "$@"', PROGRAM]
                )
            },
        }
    },
    "sdkVersion": "kfp-2.17.0",
    "schemaVersion": "2.1.0",
}

SOURCE = '''"""Train."""
import os
from kfp import compiler, dsl

PASSWORD = os.environ["PASSWORD"]


@dsl.component(base_image="python:3.12", packages_to_install=["pandas==2.2.0"])
def train(n: int) -> int:
    import pandas as pd
    return len(pd.DataFrame([n]))


@dsl.pipeline(name="wine")
def wine(n: int = 3):
    train(n=n)
'''


def sound() -> Compiled:
    """A compiled pipeline in which no rule finds anything, of one's own to break."""
    return Compiled(copy.deepcopy(_IR))


def container(compiled: Compiled, name: str = "one") -> dict[str, Any]:
    found: dict[str, Any] = compiled.containers()[f"exec-{name}"]
    return found


def task(compiled: Compiled, name: str = "one") -> dict[str, Any]:
    found: dict[str, Any] = compiled.ir["root"]["dag"]["tasks"][name]
    return found
