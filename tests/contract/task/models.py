"""Makes the models that the contract tests serve; run by the interpreter that has scikit-learn and XGBoost."""

import json
import sys
from pathlib import Path

import joblib
import xgboost
from sklearn.datasets import load_wine
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

folder = Path(sys.argv[1])
features, labels = load_wine(return_X_y=True, as_frame=True)
named = [f"class {label}" for label in labels]

good = make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression())
joblib.dump(good.fit(features, labels), folder / "good.joblib")
fragile = make_pipeline(StandardScaler(), LogisticRegression())
joblib.dump(fragile.fit(features, labels), folder / "fragile.joblib")
joblib.dump(fragile.fit(features.to_numpy(), named), folder / "nameless.joblib")
joblib.dump({"no": "predict"}, folder / "dictionary.joblib")
(folder / "broken.joblib").write_bytes(b"no pickle")

xgboost.XGBClassifier(n_estimators=5).fit(features, labels).save_model(folder / "classifier.json")
xgboost.XGBRegressor(n_estimators=5).fit(features, labels).save_model(folder / "regressor.ubj")

rows = features.iloc[[0, 70, 150]]
(folder / "rows.json").write_text(json.dumps(rows.to_dict("records")))
rows.insert(0, "row_id", [0, 70, 150])
rows.to_csv(folder / "features.csv", index=False)
