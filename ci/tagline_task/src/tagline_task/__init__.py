"""tagline_task: what runs inside a training container; standard library only.

A task is a function with types, and its file ends with `if __name__ == "__main__": run(prepare_data)`.
"""

from tagline_task.artifacts import (
    HTML,
    Artifact,
    ClassificationMetrics,
    Dataset,
    Input,
    Markdown,
    Metrics,
    Model,
    Output,
)
from tagline_task.facts import signature_of, write_facts
from tagline_task.files import digest
from tagline_task.runner import run

__all__ = [
    "HTML",
    "Artifact",
    "ClassificationMetrics",
    "Dataset",
    "Input",
    "Markdown",
    "Metrics",
    "Model",
    "Output",
    "digest",
    "run",
    "signature_of",
    "write_facts",
]
