"""The first version of the common components, as container components of Kubeflow Pipelines.

`from tagline.components.v1 import split` is `tagline.component("tagline-split-v1")`; that call takes another image and
other defaults too. The tasks are in `tagline_task.components.v1`, which lies in every image that tagline makes.
"""

from typing import Any

from tagline.pipeline import common

VERSION = "v1"

batch_predict: Any
evaluate_classification: Any
evaluate_regression: Any
read_parquet: Any
read_sql: Any
register: Any
split: Any
write_parquet: Any


def __getattr__(name: str) -> Any:
    """The component of that name, in the development image of the file that asks for it."""
    found = {each.function: each for each in common.every(VERSION)}
    if name not in found:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has {', '.join(found)}")
    from tagline.pipeline.component import component

    return component(str(found[name]))


def __dir__() -> list[str]:
    return sorted(each.function for each in common.every(VERSION))
