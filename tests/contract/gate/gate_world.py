"""The gate's world: two small releases, a frozen file of 61 rows, and real children in the sandbox."""

import csv
import json
import sys
from dataclasses import dataclass, field
from pathlib import Path

from tagline.config import Gate, Metric
from tagline.engines import Engine
from tagline.engines.process import ProcessEngine
from tagline.model.contest import Limits, Match, contest
from tagline.model.gate import Verdict
from tagline.model.judge_data import digest
from tagline.platforms import ServerSpec
from tagline.words import ModelVersion
from tagline_task import digest as model_digest

ROWS = 61
DATA = "data/holdout.csv"
EVALUATE = "src/pipeline_steps/evaluate/task.py"
PREDICTOR = """
import json
class Model:
    def load(self, path):
        self.wrong = set(json.load(open(path)))
    def predict(self, instances):
        right = ["odd" if each["x"] % 2 else "even" for each in instances]
        return ["odder" if each["x"] in self.wrong else answer for each, answer in zip(instances, right)]
"""
SCORER = """
import csv
from tagline_task import Dataset, Input, Metrics, Output, run

def evaluate(
    predictions: Input[Dataset], labels: Input[Dataset], rows: Output[Dataset], metrics: Output[Metrics]
):
    truth = {row["row_id"]: row for row in csv.DictReader(open(labels.path))}
    found = {row["row_id"]: row["prediction"] for row in csv.DictReader(open(predictions.path))}
    table = [[row, truth[row]["size"], LOSS] for row, answer in found.items()]
    with open(rows.path, "w") as file:
        csv.writer(file).writerows([["row_id", "slice", "wrong"], *table])
    metrics.log("accuracy", 1.0)

if __name__ == "__main__":
    run(evaluate)
"""
LOSS = 'int(answer != truth[row]["kind"])'


def scorer(loss: str = LOSS, *, replace: tuple[str, str] = ("", "")) -> str:
    """The scorer's text with another loss, or with one piece replaced."""
    text = SCORER.replace("LOSS", loss)
    assert replace[0] in text
    return text.replace(*replace) if replace[0] else text


def frozen_text(rows: int = ROWS) -> str:
    lines = [
        f"r{x},{x},{x * 0.5},{'odd' if x % 2 else 'even'},{'big' if x > 30 else 'small'}" for x in range(rows)
    ]
    return "\n".join(["row_id,x,half,kind,size", *lines]) + "\n"


@dataclass
class World:
    """A gate with its data and its releases; `judge` asks the gate."""

    folder: Path
    limits: Limits = field(default_factory=Limits)
    metric: Metric = field(default_factory=Metric)
    label: str = "kind,size"
    served: ServerSpec | None = None
    engine: Engine = field(default_factory=lambda: ProcessEngine(Path()))

    def __post_init__(self) -> None:
        self.data = self.folder / "policy.csv"
        self.freeze(frozen_text())
        self.served = self.release("served", wrong=[0])

    def freeze(self, text: str) -> None:
        """Put this text in the frozen file and pin it."""
        self.data.write_text(text)
        self.gate = Gate(DATA, digest(text.encode()), self.label, metrics={"wrong": self.metric})

    def release(
        self, name: str, *, wrong: list[int], predictor: str = PREDICTOR, scores: str = scorer()
    ) -> ServerSpec:
        """A release whose model errs on the rows with these `x`."""
        source, model = self.folder / name, self.folder / f"{name}.json"
        (source / EVALUATE).parent.mkdir(parents=True)
        (source / EVALUATE).write_text(scores)
        (source / "src/serve.py").write_text(predictor)
        model.write_text(json.dumps(wrong))
        version = ModelVersion.parse(f"0.{len(name)}.0-r1")
        return ServerSpec(
            "tiny", version, "custom:src/serve.py", model, model_digest(model), source, Path(sys.executable)
        )

    def judge(self, candidate: ServerSpec, *, candidate_scores: bool = False) -> Verdict:
        gate = Gate(DATA, self.gate.sha256, self.label, metrics={"wrong": self.metric})
        work = self.folder / "work"
        work.mkdir(exist_ok=True)
        match = Match(candidate, self.served, candidate_scores)
        return contest(self.engine, gate, self.data.read_bytes(), match, work, self.limits)

    def rows(self) -> list[dict[str, str]]:
        with self.data.open() as file:
            return list(csv.DictReader(file))
