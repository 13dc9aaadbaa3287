"""The project template: what `tagline init` makes, that it works, and the three models of its story."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from tagline import config
from tagline.engines import Command, Environment
from tagline.engines.locks import read_lock
from tagline.engines.process import ProcessEngine, serving_lock
from tagline.errors import BadWord, TargetExists
from tagline.flow.create import create
from tagline.model import bounds
from tagline.model.contest import Match, contest
from tagline.model.gate import Outcome, Verdict
from tagline.model.judge_data import digest
from tagline.pipeline.compile import compile_file
from tagline.pipeline.project import copy_tree
from tagline.platforms import ServerSpec
from tagline.platforms.local.home import tagline_home, venvs_folder
from tagline.words import ModelVersion
from tagline_task import digest as model_digest

TREE = {
    ".gitignore",
    "Jenkinsfile",
    "README.md",
    "tagline.yaml",
    "data/holdout.csv",
    "docker/base_image/Dockerfile",
    "docker/kubeflow_pipeline/kfp_vars.py",
    "docker/kubeflow_pipeline/pipeline.py",
    "docker/kubeflow_pipeline/pipeline.yaml",
    "src/lib/config.py",
    "src/requirements.in",
    "src/requirements.txt",
    *(f"src/pipeline_steps/{name}/task.py" for name in ("download_data", "prepare_data", "train_model")),
    *(f"src/pipeline_steps/{name}/task.py" for name in ("evaluate", "switch_model")),
    *(f"tests/{name}" for name in ("conftest.py", "requirements.in", "requirements.txt")),
    *(f"tests/{name}" for name in ("test_pipeline.py", "test_tasks.py")),
}
BETTER = ("src/lib/config.py", 'FEATURES = ["alcohol", "malic_acid", "ash"]', "FEATURES = COLUMNS")
FRAGILE = ("src/pipeline_steps/train_model/task.py", '        SimpleImputer(strategy="median"),\n', "")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    create(tmp_path / "wine", answers={}, defaults=True)
    return tmp_path / "wine"


@pytest.fixture(scope="module")
def engine() -> ProcessEngine:
    return ProcessEngine(venvs_folder(tagline_home(os.environ), os.environ))


@pytest.fixture(scope="module")
def environment(engine: ProcessEngine, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The project's own environment with its test tools, made once for each lock."""
    folder = tmp_path_factory.mktemp("init") / "wine"
    create(folder, answers={}, defaults=True)
    return engine.build(folder, tests=True)


def test_init_makes_the_tree_of_the_design(tmp_path: Path) -> None:
    made = create(tmp_path / "wine", answers={}, defaults=True)
    assert set(made) == TREE
    found = {
        str(path.relative_to(tmp_path / "wine")) for path in (tmp_path / "wine").rglob("*") if path.is_file()
    }
    assert {name for name in found if not name.startswith(".git/")} == TREE


def test_the_files_a_team_owns_are_short(project: Path) -> None:
    assert len((project / "tagline.yaml").read_text().splitlines()) <= 12
    assert len((project / "Jenkinsfile").read_text().splitlines()) == 3
    owned = ["tagline.yaml", "Jenkinsfile", "docker/base_image/Dockerfile"]
    assert sum(len((project / name).read_text().splitlines()) for name in owned) <= 30


def test_the_template_asks_at_most_three_questions() -> None:
    asked = yaml.safe_load((Path(__file__).parents[2] / "project-template/copier.yml").read_text())
    questions = [name for name, each in asked.items() if not name.startswith("_") and each.get("when", True)]
    assert questions == ["name"]


@pytest.mark.parametrize(
    ("folder", "name"), [("wine", "wine"), ("Fraud_Score", "fraud-score"), ("no", "no"), ("42", "wine")]
)
def test_the_model_is_named_after_the_folder_and_the_compiled_pipeline_is_current(
    tmp_path: Path, folder: str, name: str
) -> None:
    project = tmp_path / folder
    create(project, answers={}, defaults=True)
    pipeline = project / "docker/kubeflow_pipeline"
    compiled = compile_file(pipeline / "pipeline.py", tmp_path / "compiled.yaml")
    assert (pipeline / "pipeline.yaml").read_text() == compiled.read_text()
    assert config.parse((project / "tagline.yaml").read_text()).pipeline == name


def test_an_answer_names_the_model(tmp_path: Path) -> None:
    create(tmp_path / "wine", answers={"name": "claret"}, defaults=True)
    assert "pipeline: claret" in (tmp_path / "wine/tagline.yaml").read_text()


def test_a_name_against_its_grammar_makes_nothing(tmp_path: Path) -> None:
    with pytest.raises(BadWord):
        create(tmp_path / "wine", answers={"name": "Claret!"}, defaults=True)
    assert not (tmp_path / "wine").exists()


def test_init_begins_a_repository_on_main(project: Path) -> None:
    assert (project / ".git/HEAD").read_text() == "ref: refs/heads/main\n"


def test_init_inside_a_repository_begins_no_other(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", "-b", "trunk", tmp_path], check=True, timeout=60)
    create(tmp_path / "wine", answers={}, defaults=True)
    assert not (tmp_path / "wine/.git").exists()


def test_init_again_makes_nothing(project: Path) -> None:
    assert create(project, answers={}, defaults=True) == []


def test_init_keeps_files_that_are_there(tmp_path: Path) -> None:
    (tmp_path / "wine").mkdir()
    (tmp_path / "wine/notes.txt").write_text("mine")
    create(tmp_path / "wine", answers={}, defaults=True)
    assert (tmp_path / "wine/notes.txt").read_text() == "mine"


def test_init_writes_over_nothing(tmp_path: Path) -> None:
    (tmp_path / "wine/src").mkdir(parents=True)
    (tmp_path / "wine/src/requirements.txt").write_text("mine")
    with pytest.raises(TargetExists, match=r"src/requirements\.txt would be written over") as caught:
        create(tmp_path / "wine", answers={}, defaults=True)
    assert caught.value.exit_code == 27
    assert [path.name for path in (tmp_path / "wine").rglob("*")] == ["src", "requirements.txt"]


def test_init_into_a_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "wine").write_text("mine")
    with pytest.raises(TargetExists, match="is a file"):
        create(tmp_path / "wine", answers={}, defaults=True)


def test_the_gates_data_is_pinned_and_large_enough(project: Path) -> None:
    gate = config.parse((project / "tagline.yaml").read_text()).gate
    assert gate is not None
    data = (project / gate.data).read_bytes()
    rows = len(data.splitlines()) - 1
    assert digest(data) == gate.sha256
    assert rows >= 61
    assert bounds.upper_bound(2, rows) <= gate.metrics["wrong"].max_drop


def test_the_readme_states_the_gates_numbers(project: Path) -> None:
    text = (project / "README.md").read_text()
    for bad in range(4):
        assert f"| {bad} | {bounds.rows_needed(bad, 0.10)} |" in text
    assert bounds.upper_bound(18, 72) <= 1 - 0.65 < bounds.upper_bound(19, 72)
    for wrong in (18, 19):
        assert f"no more than {bounds.upper_bound(wrong, 72):.1%}".replace("%", " %") in text


def test_the_locks_agree_with_what_serving_brings(project: Path) -> None:
    served = {(pin.name, pin.line.partition(";")[2]): pin.version for pin in serving_lock().pins}
    for name in ("src/requirements.txt", "tests/requirements.txt"):
        pins = read_lock((project / name).read_text(), name).pins
        versions = {pin.version for pin in serving_lock().pins}
        shared = [pin for pin in pins if pin.name in {other for other, _ in served}]
        assert shared
        assert [pin.version for pin in shared if pin.version not in versions] == []


def test_the_projects_own_tests_pass_in_its_own_environment(
    project: Path, engine: ProcessEngine, environment: Environment, tmp_path: Path
) -> None:
    tree, log = copy_tree(project, tmp_path / "tree"), tmp_path / "log"
    argv = [str(environment.python), "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"]
    assert engine.run(Command(argv, tree, log, timeout=240)) == 0, log.read_text()
    assert "7 passed" in log.read_text()


TASKS = {
    "download_data": ["--data", "raw"],
    "prepare_data": ["--data", "raw", "--train", "train", "--test", "test", "--metrics", "counts"],
    "train_model": ["--train", "train", "--test", "test", "--model", "model", "--metrics", "metrics"],
}


class Story:
    """The story's three models, made by the project's tasks, run by hand as commands without the gate's data."""

    def __init__(self, engine: ProcessEngine, environment: Environment, folder: Path) -> None:
        self.engine, self.python, self.folder = engine, environment.python, folder
        self.project = folder / "wine"
        create(self.project, answers={}, defaults=True)
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
        command = Command(argv, tree, out / "log", {"PYTHONPATH": str(tree / "src")}, timeout=240)
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
        return contest(self.engine, gate, self.project / gate.data, Match(candidate, served), self.folder)


@pytest.fixture(scope="module")
def story(engine: ProcessEngine, environment: Environment, tmp_path_factory: pytest.TempPathFactory) -> Story:
    return Story(engine, environment, tmp_path_factory.mktemp("story"))


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
    return engine.run(Command(argv, place, place / "log", timeout=60)) == 0
