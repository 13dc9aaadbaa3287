"""The predictor of XGBoost: a model saved with `save_model`."""

import json
from collections.abc import Sequence
from typing import Any

from tagline_task.predictor.rows import frame, model_file

ENDINGS = (".json", ".ubj", ".bst")


class Boosted:
    """A booster. One saved as an XGBClassifier answers with classes, any other with its raw output."""

    def __init__(self, path: str) -> None:
        import xgboost

        file = model_file(path, ENDINGS)
        self._booster: Any = xgboost.Booster(model_file=file)
        self._matrix: Any = xgboost.DMatrix
        self._classifier: Any = None
        if json.loads(self._booster.attr("scikit_learn") or "{}").get("_estimator_type") == "classifier":
            self._classifier = xgboost.XGBClassifier()
            self._classifier.load_model(file)
        self._columns: Sequence[str] | None = self._booster.feature_names
        self.named = self._columns is not None

    def predict(self, instances: list[Any]) -> list[Any]:
        """See `Predictor.predict`; missing values reach the booster as missing."""
        table = frame(instances, self._columns)
        if self._classifier is not None:
            return list(self._classifier.predict(table))
        return list(self._booster.predict(self._matrix(table)))
