"""Write a model: a threshold, and whether it forgets to handle a missing field."""

import json
import time

from tagline_task import Artifact, Model, Output, run, write_facts

THRESHOLD = 40
NEEDS_X = False


def train_model(model: Output[Model], facts: Output[Artifact], seconds: float = 0.0) -> None:
    time.sleep(seconds)
    with open(model.path, "w") as file:
        json.dump({"threshold": THRESHOLD, "needs_x": NEEDS_X}, file)
    write_facts(facts, model=model, metrics={"threshold": THRESHOLD})
    print("trained with threshold", THRESHOLD)


if __name__ == "__main__":
    run(train_model)
