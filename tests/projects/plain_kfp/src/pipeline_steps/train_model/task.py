import argparse
import csv
import json

FEATURES = ("length", "weight")


def local(uri):
    for scheme, folder in (("s3://", "/s3/"), ("gs://", "/gcs/"), ("minio://", "/minio/")):
        if uri.startswith(scheme):
            return folder + uri[len(scheme) :]
    return uri


def fit(rows, rounds):
    """A perceptron on scaled features: weights, bias, and the scale of each feature."""
    scale = {name: max(abs(float(row[name])) for row in rows) for name in FEATURES}
    weights, bias = dict.fromkeys(FEATURES, 0.0), 0.0
    for _ in range(rounds):
        for row in rows:
            values = {name: float(row[name]) / scale[name] for name in FEATURES}
            predicted = int(sum(weights[name] * values[name] for name in FEATURES) + bias > 0)
            step = int(row["kind"]) - predicted
            bias += step
            weights = {name: weights[name] + step * values[name] for name in FEATURES}
    return {"weights": weights, "bias": bias, "scale": scale}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--executor_input", required=True)
    given = json.loads(parser.parse_args().executor_input)

    train = given["inputs"]["artifacts"]["train"]["artifacts"][0]
    with open(local(train["uri"]), newline="") as file:
        model = fit(list(csv.DictReader(file)), int(given["inputs"]["parameterValues"]["rounds"]))
    with open(local(given["outputs"]["artifacts"]["model"]["artifacts"][0]["uri"]), "w") as file:
        json.dump(model, file)


if __name__ == "__main__":
    main()
