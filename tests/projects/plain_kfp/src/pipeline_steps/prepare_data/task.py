import argparse
import csv
import json
import random


def local(uri):
    for scheme, folder in (("s3://", "/s3/"), ("gs://", "/gcs/"), ("minio://", "/minio/")):
        if uri.startswith(scheme):
            return folder + uri[len(scheme) :]
    return uri


def split(rows, test_share, seed=5):
    """Rows in two parts, `test_share` of them in the second."""
    shuffled = sorted(rows, key=lambda row: int(row["seal"]))
    random.Random(seed).shuffle(shuffled)
    count = round(len(shuffled) * test_share)
    return shuffled[count:], shuffled[:count]


def write(path, rows):
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--executor_input", required=True)
    given = json.loads(parser.parse_args().executor_input)
    source = given["inputs"]["artifacts"]["data"]["artifacts"][0]["uri"]
    outputs = given["outputs"]["artifacts"]

    with open(local(source), newline="") as file:
        train, test = split(list(csv.DictReader(file)), given["inputs"]["parameterValues"]["test_share"])
    write(local(outputs["train"]["artifacts"][0]["uri"]), train)
    write(local(outputs["test"]["artifacts"][0]["uri"]), test)
    with open(given["outputs"]["parameters"]["rows"]["outputFile"], "w") as file:
        file.write(str(len(test)))


if __name__ == "__main__":
    main()
