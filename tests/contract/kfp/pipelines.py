"""A small pipeline as its compiler writes it, for the contract tests."""

import json
from pathlib import Path
from typing import Any

import yaml


def spec(name: str = "train", image: str = "python:3.11") -> dict[str, Any]:
    """One task, one parameter with a default."""
    return {
        "components": {
            "comp-fit": {
                "executorLabel": "exec-fit",
                "inputDefinitions": {"parameters": {"rate": {"parameterType": "NUMBER_DOUBLE"}}},
            }
        },
        "deploymentSpec": {"executors": {"exec-fit": {"container": {"command": ["true"], "image": image}}}},
        "pipelineInfo": {"name": name},
        "root": {
            "dag": {
                "tasks": {
                    "fit": {
                        "cachingOptions": {"enableCache": True},
                        "componentRef": {"name": "comp-fit"},
                        "inputs": {"parameters": {"rate": {"componentInputParameter": "rate"}}},
                        "taskInfo": {"name": "fit"},
                    }
                }
            },
            "inputDefinitions": {
                "parameters": {
                    "rate": {"defaultValue": 0.5, "isOptional": True, "parameterType": "NUMBER_DOUBLE"}
                }
            },
        },
        "schemaVersion": "2.1.0",
        "sdkVersion": "kfp-2.17.0",
    }


def written(folder: Path, name: str = "train", image: str = "python:3.11") -> str:
    """The path of its YAML file."""
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(json.loads(json.dumps(spec(name, image)))))
    return str(path)
