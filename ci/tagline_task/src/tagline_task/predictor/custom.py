"""The predictor that a repository writes itself: a file with a class `Model`."""

import importlib.util
import os
import sys
from typing import Any

from tagline_task.errors import ModelDoesNotLoad

MODULE = "tagline_custom_predictor"


class Custom:
    """`Model()` of a file, with `load(path)` and `predict(instances: list) -> list`.

    Instances arrive as the client sent them; the gate asks by name. To refuse one as the client's mistake,
    `predict` raises `tagline_task.errors.BadInput`.
    """

    named = True

    def __init__(self, file: str, path: str) -> None:
        module = _module(os.path.abspath(file))
        made = getattr(module, "Model", None)
        if not isinstance(made, type):
            raise ModelDoesNotLoad(f"{file} has no class Model")
        for method in ("load", "predict"):
            if not callable(getattr(made, method, None)):
                raise ModelDoesNotLoad(f"class Model of {file} has no {method}()")
        self._model: Any = made()
        self._model.load(path)

    def predict(self, instances: list[Any]) -> list[Any]:
        """See `Predictor.predict`."""
        answers: list[Any] = self._model.predict(instances)
        return answers


def _module(file: str) -> Any:
    if not os.path.isfile(file):
        raise ModelDoesNotLoad(f"no predictor at {file}")
    spec = importlib.util.spec_from_file_location(MODULE, file)
    if spec is None or spec.loader is None:
        raise ModelDoesNotLoad(f"{file} is no Python file")
    sys.path.insert(0, os.path.dirname(file))
    module = importlib.util.module_from_spec(spec)
    sys.modules[MODULE] = module
    spec.loader.exec_module(module)
    return module
