import argparse
import csv
import json
import os


def local(uri):
    for scheme, folder in (("s3://", "/s3/"), ("gs://", "/gcs/"), ("minio://", "/minio/")):
        if uri.startswith(scheme):
            return folder + uri[len(scheme) :]
    return uri


def predict(model, row):
    """1 or 0 for a row, by a model that train_model wrote."""
    total = sum(weight * float(row[name]) / model["scale"][name] for name, weight in model["weights"].items())
    return int(total + model["bias"] > 0)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--executor_input", required=True)
    parser.add_argument("--rows", type=int, required=True)
    arguments = parser.parse_args()
    given = json.loads(arguments.executor_input)
    inputs = given["inputs"]["artifacts"]

    with open(local(inputs["model"]["artifacts"][0]["uri"])) as file:
        model = json.load(file)
    with open(local(inputs["test"]["artifacts"][0]["uri"]), newline="") as file:
        rows = list(csv.DictReader(file))
    if len(rows) != arguments.rows:
        raise SystemExit(f"the test set has {len(rows)} rows, and prepare_data wrote {arguments.rows}")

    metrics = given["outputs"]["artifacts"]["metrics"]["artifacts"][0]
    right = sum(predict(model, row) == int(row["kind"]) for row in rows)
    metrics["metadata"] = {"accuracy": right / len(rows), "rows": len(rows)}
    output_file = given["outputs"]["outputFile"]
    os.makedirs(os.path.dirname(output_file), exist_ok=True)
    with open(output_file, "w") as file:
        json.dump({"artifacts": {"metrics": {"artifacts": [metrics]}}}, file)


if __name__ == "__main__":
    main()
