"""The template's three models: they meet the gate as the story tells, and only the last fails on live input."""

import os
import shutil
from pathlib import Path

import pytest
from tagline import config
from tagline.engines import Command
from tagline.engines.process import ProcessEngine
from tagline.flow.desk.create import create
from tagline.model.contest import Match, contest
from tagline.model.gate import Outcome, Verdict
from tagline.pipeline.project import copy_tree
from tagline.platforms import ServerSpec
from tagline.platforms.local.home import tagline_home, venvs_folder
from tagline.words import ModelVersion
from tagline_task import digest as model_digest

BETTER = ("src/lib/config.py", 'FEATURES = ["alcohol", "malic_acid", "ash"]', "FEATURES = COLUMNS")
FRAGILE = ("src/pipeline_steps/train_model/task.py", '        SimpleImputer(strategy="median"),\n', "")


TASKS = {
    "download_data": ["--data", "raw"],
    "prepare_data": ["--data", "raw", "--train", "train", "--test", "test", "--metrics", "counts"],
    "train_model": ["--train", "train", "--test", "test", "--model", "model", "--metrics", "metrics"],
}


class Story:
    """The story's three models, made by the project's tasks, run by hand as commands without the gate's data."""

    def __init__(self, folder: Path) -> None:
        self.engine = ProcessEngine(venvs_folder(tagline_home(os.environ), os.environ))
        self.folder, self.project = folder, folder / "wine"
        create(self.project, answers={}, defaults=True)
        self.python = self.engine.build(self.project, tests=True).python
        tree = copy_tree(self.project, folder / "tree", exclude=["data"])
        self.run("download_data", tree, folder)
        self.run("prepare_data", tree, folder)
        self.first = self.trained("0.1.0-r1")
        self.better = self.trained("0.2.0-r1", BETTER)
        self.fragile = self.trained("0.3.0-r1", FRAGILE)

    def run(self, task: str, tree: Path, out: Path) -> None:
        made = {word: self.folder / word for word in ("raw", "train", "test", "counts")}
        words = [w if w.startswith("--") else str(made.get(w, out / w)) for w in TASKS[task]]
        argv = [str(self.python), f"src/pipeline_steps/{task}/task.py", *words]
        command = Command(
            argv, tree, out / "log", {"PYTHONPATH": str(tree / "src")}, timeout=240, see=[self.folder]
        )
        assert self.engine.run(command) == 0, (out / "log").read_text()

    def trained(self, version: str, *edits: tuple[str, str, str]) -> ServerSpec:
        for name, old, new in edits:
            text = (self.project / name).read_text()
            assert text.count(old) == 1
            (self.project / name).write_text(text.replace(old, new))
        out = self.folder / version
        tree = copy_tree(self.project, out / "tree", exclude=["data"])
        self.run("train_model", tree, out)
        model = out / "model"
        return ServerSpec(
            "wine", ModelVersion.parse(version), "sklearn", model, model_digest(model), tree, self.python
        )

    def judged(self, candidate: ServerSpec, served: ServerSpec | None) -> Verdict:
        gate = config.parse((self.project / "tagline.yaml").read_text()).gate
        assert gate is not None
        data = (self.project / gate.data).read_bytes()
        return contest(self.engine, gate, data, Match(candidate, served), self.folder)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    return Story(tmp_path_factory.mktemp("story"))


def test_the_first_model_passes_the_floor(story: Story) -> None:
    verdict = story.judged(story.first, None)
    assert (verdict.outcome, verdict.counts.candidate_wrong) == (Outcome.PASS, 15)


def test_the_better_model_passes_against_the_first(story: Story) -> None:
    verdict = story.judged(story.better, story.first)
    assert (verdict.outcome, verdict.counts.candidate_wrong, verdict.counts.worse) == (Outcome.PASS, 1, 0)


def test_the_fragile_model_passes_against_the_better_one(story: Story) -> None:
    verdict = story.judged(story.fragile, story.better)
    assert (verdict.outcome, verdict.counts.candidate_wrong, verdict.counts.worse) == (Outcome.PASS, 1, 0)


def test_the_first_model_is_refused_against_the_better_one(story: Story) -> None:
    assert story.judged(story.first, story.better).outcome is Outcome.REFUSED


def test_only_the_fragile_model_fails_where_a_measurement_is_missing(story: Story) -> None:
    models = (story.first, story.better, story.fragile)
    answers = [answers_without_alcohol(story.engine, each, story.folder) for each in models]
    assert answers == [True, True, False]


def answers_without_alcohol(engine: ProcessEngine, spec: ServerSpec, folder: Path) -> bool:
    """Whether a model predicts a wine whose alcohol nobody measured."""
    place = folder / f"live-{spec.version}"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    (place / "live.csv").write_text("row_id,alcohol,malic_acid,ash,hue\na,,1.7,2.4,1.0\n")
    argv = [
        str(spec.python),
        "-m",
        "tagline_task.predict",
        "--predictor",
        "sklearn",
        "--model",
        str(spec.model),
    ]
    argv += ["--sha256", spec.sha256, "--features", "live.csv", "--id", "row_id", "--out", "out.csv"]
    return engine.run(Command(argv, place, place / "log", timeout=60, see=[folder])) == 0
