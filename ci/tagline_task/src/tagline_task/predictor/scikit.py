"""The predictor of scikit-learn: an estimator saved with joblib."""

from collections.abc import Sequence
from typing import Any

from tagline_task.errors import ModelDoesNotLoad
from tagline_task.predictor.rows import frame, model_file

ENDINGS = (".joblib", ".pkl", ".pickle")


class Scikit:
    """Anything with `predict` that joblib loads; its columns are `feature_names_in_`, where it has them."""

    def __init__(self, path: str) -> None:
        import joblib

        self._model: Any = joblib.load(model_file(path, ENDINGS))
        if not callable(getattr(self._model, "predict", None)):
            raise ModelDoesNotLoad(f"{path} holds a {type(self._model).__name__}, which has no predict()")
        names = getattr(self._model, "feature_names_in_", None)
        self._columns: Sequence[str] | None = None if names is None else [str(name) for name in names]
        self.named = names is not None

    def predict(self, instances: list[Any]) -> list[Any]:
        """See `Predictor.predict`; missing values reach the estimator as NaN."""
        answers: list[Any] = list(self._model.predict(frame(instances, self._columns)))
        return answers
