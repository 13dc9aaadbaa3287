"""Trains the model. It is served exactly as it is saved here: what live data lacks must be mended inside it."""

import joblib
import pandas
from lib.config import FEATURES, LABEL
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.metrics import accuracy_score
from sklearn.pipeline import make_pipeline
from tagline_task import Dataset, Input, Metrics, Model, Output, run, signature_of


def train_model(
    train: Input[Dataset],
    test: Input[Dataset],
    model: Output[Model],
    metrics: Output[Metrics],
    trees: int = 50,
) -> None:
    """A model of `trees` boosted trees, saved with joblib, and its accuracy (0..1) on `test`."""
    fit, look = pandas.read_csv(train.path), pandas.read_csv(test.path)
    estimator = make_pipeline(
        SimpleImputer(strategy="median"),
        GradientBoostingClassifier(n_estimators=trees, max_depth=2, random_state=0),
    )
    estimator.fit(fit[FEATURES], fit[LABEL])
    joblib.dump(estimator, model.path)
    model.metadata["signature"] = signature_of(fit[FEATURES], estimator)
    metrics.log("accuracy", accuracy_score(look[LABEL], estimator.predict(look[FEATURES])))


if __name__ == "__main__":
    run(train_model)
