"""The project template: what `tagline init` makes, and that it works."""

import os
import re
import select
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from tagline import config
from tagline.engines.locks import read_lock
from tagline.engines.process import ProcessEngine, serving_lock
from tagline.errors import BadWord, TargetExists
from tagline.flow.checking.checks import Bench, checks
from tagline.flow.desk.create import create
from tagline.flow.results.results import CaseOutcome, Listener
from tagline.model import bounds
from tagline.model.judge_data import digest
from tagline.pipeline.compile import compile_file
from tagline.pipeline.project import Project, copy_tree
from tagline.platforms.local.home import tagline_home, venvs_folder

TREE = {
    ".gitignore",
    ".tagline-template.json",
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


@pytest.fixture
def project(tmp_path: Path) -> Path:
    create(tmp_path / "wine", answers={}, defaults=True)
    return tmp_path / "wine"


@pytest.fixture(scope="module")
def engine() -> ProcessEngine:
    return ProcessEngine(venvs_folder(tagline_home(os.environ), os.environ))


def test_init_makes_the_tree_of_the_design(tmp_path: Path) -> None:
    made = create(tmp_path / "wine", answers={}, defaults=True)
    assert set(made.files) == TREE
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
    assert questions == ["name", "ci", "library"]


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


MINE = "acme/tagline"
DOWN = "\x1b[B"
CI_FILES = {
    "jenkins": ("Jenkinsfile", 3),
    "gitlab": (".gitlab-ci.yml", 3),
    "github": (".github/workflows/tagline.yml", 12),
}


@pytest.mark.parametrize("ci", [*CI_FILES, "none"])
def test_the_ci_that_was_named_has_its_file_and_no_other(tmp_path: Path, ci: str) -> None:
    made = create(tmp_path / "wine", answers={"ci": ci, "library": MINE}, defaults=True)
    assert [name for name, _ in CI_FILES.values() if name in made.files] == [
        name for other, (name, _) in CI_FILES.items() if other == ci
    ]
    assert (made.ci, made.ci_file) == (ci, CI_FILES.get(ci, ("", 0))[0])


@pytest.mark.parametrize("ci", CI_FILES)
def test_the_call_is_short_and_names_the_branch_v1(tmp_path: Path, ci: str) -> None:
    create(tmp_path / "wine", answers={"ci": ci, "library": MINE}, defaults=True)
    name, lines = CI_FILES[ci]
    text = (tmp_path / "wine" / name).read_text()
    assert len(text.splitlines()) <= lines
    assert text.count("@v1") == 1


@pytest.mark.parametrize("ci", ["gitlab", "github"])
def test_a_pinned_call_names_the_commit_alone(tmp_path: Path, ci: str) -> None:
    answers = {"ci": ci, "ref": "5" * 40, "library": "tools/ml/tagline"}
    create(tmp_path / "wine", answers=answers, defaults=True)
    text = (tmp_path / "wine" / CI_FILES[ci][0]).read_text()
    assert "tools/ml/tagline" in text
    assert f"@{'5' * 40}\n" in text
    assert "v1" not in text


def test_a_pinned_jenkinsfile_names_the_commit(tmp_path: Path) -> None:
    create(tmp_path / "wine", answers={"ci": "jenkins", "ref": "5" * 40}, defaults=True)
    text = (tmp_path / "wine/Jenkinsfile").read_text()
    assert f"@Library('tagline@{'5' * 40}') _\n" in text
    assert "v1" not in text


def test_github_names_nobody_elses_repository_by_default(tmp_path: Path) -> None:
    with pytest.raises(BadWord, match="your repository that holds tagline") as caught:
        create(tmp_path / "wine", answers={"ci": "github"}, defaults=True)
    assert "--library" in caught.value.fix
    assert not (tmp_path / "wine").exists()


def in_a_terminal(folder: Path, *answers: str) -> str:
    """What `tagline init wine` shows where somebody types these answers."""
    import pty

    leader, follower = pty.openpty()
    command = [str(Path(sys.executable).with_name("tagline")), "init", "wine"]
    child = subprocess.Popen(command, cwd=folder, stdin=follower, stdout=follower, stderr=follower)
    os.close(follower)
    seen, waiting = "", [*answers]
    while child.poll() is None or select.select([leader], [], [], 0.2)[0]:
        if select.select([leader], [], [], 0.5)[0]:
            try:
                seen += os.read(leader, 4096).decode(errors="replace")
            except OSError:  # the other end is closed
                break
        elif waiting:
            os.write(leader, waiting.pop(0).encode())
    os.close(leader)
    child.wait(60)
    return seen


def test_in_a_terminal_the_repository_on_github_is_asked_for_until_it_is_named(tmp_path: Path) -> None:
    seen = in_a_terminal(tmp_path, "\r", DOWN + DOWN + "\r", "\r", "acme/tagline\r")
    assert "Your GitHub repository that holds tagline" in seen, seen
    assert "group/project, as in its address" in seen, seen
    text = (tmp_path / "wine/.github/workflows/tagline.yml").read_text()
    assert "uses: acme/tagline/.github/workflows/tagline.yml@v1" in text


@pytest.mark.parametrize("answer", [{"ref": "main"}, {"ref": "5" * 39}, {"library": "tagline"}])
def test_what_names_no_commit_or_no_project_makes_nothing(tmp_path: Path, answer: dict[str, str]) -> None:
    with pytest.raises(BadWord):
        create(tmp_path / "wine", answers={"ci": "gitlab", **answer}, defaults=True)
    assert not (tmp_path / "wine").exists()


def test_init_begins_a_repository_on_main(project: Path) -> None:
    assert (project / ".git/HEAD").read_text() == "ref: refs/heads/main\n"


def test_init_inside_a_repository_begins_no_other(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", "-b", "trunk", tmp_path], check=True, timeout=60)
    create(tmp_path / "wine", answers={}, defaults=True)
    assert not (tmp_path / "wine/.git").exists()


def test_init_again_makes_nothing(project: Path) -> None:
    assert create(project, answers={}, defaults=True).files == []


def init(folder: Path, *words: str) -> str:
    done = subprocess.run(
        [str(Path(sys.executable).with_name("tagline")), "init", *words],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_init_says_what_it_chose_and_how_to_go_on(tmp_path: Path) -> None:
    said = init(tmp_path, "Bad Name").splitlines()
    assert said[1:4] == [
        "model: bad-name (the folder is 'Bad Name')",
        "CI: jenkins (Jenkinsfile)",
        "git: begun here",
    ]
    assert "  cd 'Bad Name'" in said


def test_init_in_a_repository_says_which_and_names_no_folder_to_go_to(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", "-b", "main", tmp_path], check=True, timeout=60)
    said = init(tmp_path, ".", "--ci", "none")
    assert f"CI: none\ngit: in the repository {tmp_path.resolve()}\n" in said
    assert "cd " not in said


def test_init_again_says_that_nothing_is_to_do(project: Path) -> None:
    assert init(project, ".") == "nothing to do: every file of the template is in . already\n"


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


def test_the_readmes_way_without_a_git_host_works(project: Path) -> None:
    text = (project / "README.md").read_text()
    (begin, url) = re.findall(r"No git host yet\? `(.+?)`, and `(.+?)` is the URL", text)[0]
    put = re.findall(r"^```sh\n(.*?)tagline ci\n```", text, re.MULTILINE | re.DOTALL)[0]
    who = "git config user.name Ada && git config user.email ada@example.org"
    script = f"{who} && {begin} && {put.replace('URL', url)}"
    done = subprocess.run(["sh", "-ec", script], cwd=project, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "refs/heads/main" in (project / "../wine.git/HEAD").read_text()


def test_the_readme_begins_the_traffic_before_the_rollout_that_needs_it_and_lets_it_end(
    project: Path,
) -> None:
    text = (project / "README.md").read_text()
    (block,) = [
        one for one in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) if "promote/prod/wine/2" in one
    ]
    lines = block.splitlines()
    assert lines[-2:] == [
        "tagline local traffic wine --seconds 90 &",
        "tagline ci --event tag --ref promote/prod/wine/2",
    ]


def test_the_locks_agree_with_what_serving_brings(project: Path) -> None:
    served = {(pin.name, pin.line.partition(";")[2]): pin.version for pin in serving_lock().pins}
    for name in ("src/requirements.txt", "tests/requirements.txt"):
        pins = read_lock((project / name).read_text(), name).pins
        versions = {pin.version for pin in serving_lock().pins}
        shared = [pin for pin in pins if pin.name in {other for other, _ in served}]
        assert shared
        assert [pin.version for pin in shared if pin.version not in versions] == []


def test_the_projects_own_tests_pass_in_its_own_environment_and_each_is_told(
    project: Path, engine: ProcessEngine, tmp_path: Path
) -> None:
    tree = copy_tree(project, tmp_path / "tree")
    heard = Listener(lambda told: None)
    own = config.parse((tree / config.FILE).read_text())
    bench = Bench(Project.find(tree), own, tmp_path, engine, heard.tell)
    assert "7 passed" in dict(checks([bench]))["tests"]().why
    assert [case.outcome for case in heard.cases] == [CaseOutcome.PASSED] * 7
    assert {case.file.partition("/")[0] for case in heard.cases} == {"tests"}
