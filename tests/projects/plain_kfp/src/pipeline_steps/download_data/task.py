import argparse
import csv
import hashlib
import json
import os
import random
import sys


def local(uri):
    for scheme, folder in (("s3://", "/s3/"), ("gs://", "/gcs/"), ("minio://", "/minio/")):
        if uri.startswith(scheme):
            return folder + uri[len(scheme) :]
    return uri


def warehouse(table, token):
    """Stands in for the team's warehouse: the rows of a table, for whoever has a token."""
    if not token:
        raise PermissionError("the warehouse needs WAREHOUSE_TOKEN")
    random_ = random.Random(table)
    for number in range(200):
        kind = number % 2
        length = random_.gauss(2.4 if kind else 1.7, 0.2)
        weight = random_.gauss(240 if kind else 110, 30)
        yield {"seal": number, "length": f"{length:.3f}", "weight": f"{weight:.1f}", "kind": kind}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--executor_input", required=True)
    given = json.loads(parser.parse_args().executor_input)
    table = given["inputs"]["parameterValues"]["table"]
    data = given["outputs"]["artifacts"]["data"]["artifacts"][0]
    if "WAREHOUSE_TOKEN" not in os.environ:
        sys.exit("WAREHOUSE_TOKEN is not set: the secret seals-warehouse is missing")

    path = local(data["uri"])
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, ["seal", "length", "weight", "kind"])
        writer.writeheader()
        writer.writerows(warehouse(table, os.environ["WAREHOUSE_TOKEN"]))

    with open(path, "rb") as file:
        data["metadata"] = {"table": table, "sha256": hashlib.sha256(file.read()).hexdigest()}
    output_file = given["outputs"]["outputFile"]
    os.makedirs(os.path.dirname(output_file), exist_ok=True)
    with open(output_file, "w") as file:
        json.dump({"artifacts": {"data": {"artifacts": [data]}}}, file)


if __name__ == "__main__":
    main()
