"""`tagline init --update`: a later template comes into an edited project, and no edit is lost."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tagline.errors import BadWord, DirtyTree, TemplateUnknown
from tagline.flow.desk import create, origin, update
from tagline.flow.desk.origin import Origin
from tagline.flow.desk.update import Fate, Updated
from tagline.flow.views import doctor

Later = Callable[[str, str], None]
README = "README.md"
GIT = ("git", "-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "core.hooksPath=/dev/null")


def git(folder: Path, *words: str) -> str:
    done = subprocess.run([*GIT, *words], cwd=folder, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout


def commit(folder: Path) -> None:
    git(folder, "add", "-A")
    git(folder, "commit", "--quiet", "--allow-empty", "-m", "feat: x")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    create.create(tmp_path / "wine", answers={"ci": "gitlab", "library": "tools/ml"}, defaults=True)
    commit(tmp_path / "wine")
    return tmp_path / "wine"


@pytest.fixture
def later(tmp_path: Path, project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a later template: a copy of ours, for a test to change."""
    shutil.copytree(create.CHECKOUT, tmp_path / "later")
    monkeypatch.setattr(create, "CHECKOUT", tmp_path / "later")
    return tmp_path / "later/template"


def fates(done: Updated) -> dict[str, Fate]:
    return {told.file: told.fate for told in done.files if told.fate is not Fate.KEPT or told.why}


def first_line(file: Path, text: str) -> None:
    file.write_text(text + file.read_text())


def last_line(file: Path, text: str) -> None:
    file.write_text(file.read_text() + text)


def test_with_nothing_newer_nothing_is_done(project: Path) -> None:
    last_line(project / README, "mine\n")
    commit(project)
    assert update.update(project, {}) == Updated(False, [])
    assert git(project, "status", "--porcelain") == ""


def test_a_changed_template_merges_into_an_edited_file(project: Path, later: Path) -> None:
    last_line(project / README, "mine\n")
    commit(project)
    first_line(later / "README.md.jinja", "theirs [[ name ]]\n")
    done = update.update(project, {})
    assert fates(done) == {README: Fate.CHANGED}
    text = (project / README).read_text()
    assert text.startswith("theirs wine\n")
    assert text.endswith("mine\n")
    assert {told.file for told in done.files} == set(origin.read(project).files)


def test_a_second_update_merges_from_the_template_of_the_first(project: Path, later: Path) -> None:
    last_line(project / README, "mine\n")
    for line in ("one\n", "two\n"):
        commit(project)
        first_line(later / "README.md.jinja", line)
        assert fates(update.update(project, {})) == {README: Fate.CHANGED}
    assert (project / README).read_text().startswith("two\none\n")
    commit(project)
    assert not update.update(project, {}).later


def test_lines_that_both_sides_changed_are_marked_and_both_are_there(project: Path, later: Path) -> None:
    (project / "tagline.yaml").write_text("mine: 1\n" + (project / "tagline.yaml").read_text())
    commit(project)
    first_line(later / "tagline.yaml.jinja", "theirs: 1\n")
    done = update.update(project, {})
    assert done.conflicts() == ["tagline.yaml"]
    text = (project / "tagline.yaml").read_text()
    assert "<<<<<<< project\nmine: 1\n=======\ntheirs: 1\n>>>>>>> template\n" in text


def test_what_the_project_deleted_stays_deleted(project: Path, later: Path) -> None:
    (project / README).unlink()
    commit(project)
    first_line(later / "README.md.jinja", "theirs\n")
    done = update.update(project, {})
    assert fates(done) == {README: Fate.KEPT}
    assert not (project / README).exists()


def test_a_new_file_of_the_template_comes_with_its_mode(project: Path, later: Path) -> None:
    (later / "tools").mkdir()
    (later / "tools/new").write_text("#!/bin/sh\n")
    (later / "tools/new").chmod(0o755)
    assert fates(update.update(project, {})) == {"tools/new": Fate.ADDED}
    assert os.access(project / "tools/new", os.X_OK)


def test_a_new_file_where_the_project_has_one_of_its_own_is_a_conflict(project: Path, later: Path) -> None:
    (project / "new.txt").write_text("mine\n")
    commit(project)
    (later / "new.txt").write_text("theirs\n")
    assert update.update(project, {}).conflicts() == ["new.txt"]
    assert {"mine", "theirs"} <= set((project / "new.txt").read_text().splitlines())


def test_what_the_template_dropped_goes_only_where_nobody_edited_it(project: Path, later: Path) -> None:
    last_line(project / "tests/test_tasks.py", "# mine\n")
    commit(project)
    for name in ("tests/test_tasks.py", "tests/test_pipeline.py"):
        (later / name).unlink()
    done = update.update(project, {})
    assert fates(done) == {"tests/test_tasks.py": Fate.KEPT, "tests/test_pipeline.py": Fate.REMOVED}
    assert (project / "tests/test_tasks.py").exists()


def test_what_is_no_text_is_never_merged(project: Path, later: Path) -> None:
    (project / "data/holdout.csv").write_bytes(b"\0mine")
    commit(project)
    first_line(later / "data/holdout.csv", "theirs\n")
    assert update.update(project, {}).conflicts() == ["data/holdout.csv"]
    assert (project / "data/holdout.csv").read_bytes() == b"\0mine"
    assert (project / "data/holdout.csv.from-template").read_text().startswith("theirs\n")


def test_nothing_is_written_through_a_link_out_of_the_project(
    project: Path, later: Path, tmp_path: Path
) -> None:
    shutil.move(project / "data", tmp_path / "elsewhere")
    (project / "data").symlink_to(tmp_path / "elsewhere")
    commit(project)
    before = (tmp_path / "elsewhere/holdout.csv").read_bytes()
    first_line(later / "data/holdout.csv", "theirs\n")
    assert update.update(project, {}).conflicts() == ["data/holdout.csv"]
    assert (tmp_path / "elsewhere/holdout.csv").read_bytes() == before


@pytest.mark.parametrize("name", [README, "note.txt"])
def test_a_dirty_work_tree_is_refused_and_left_as_it_is(project: Path, later: Path, name: str) -> None:
    (project / name).write_text("not committed\n")
    first_line(later / "README.md.jinja", "theirs\n")
    with pytest.raises(DirtyTree, match=name):
        update.update(project, {})
    assert (project / name).read_text() == "not committed\n"


def test_the_answers_of_init_hold_and_one_that_is_given_again_changes(project: Path) -> None:
    done = update.update(project, {"ref": "5" * 40})
    assert fates(done) == {".gitlab-ci.yml": Fate.CHANGED}
    text = (project / ".gitlab-ci.yml").read_text()
    assert "tools/ml" in text
    assert "5" * 40 in text


def test_a_project_without_a_record_or_with_a_damaged_one_is_told_so(project: Path) -> None:
    record = project / origin.FILE
    record.write_text(record.read_text().replace('"files": "', '"files": "AAAA'))
    commit(project)
    with pytest.raises(TemplateUnknown, match="damaged"):
        update.update(project, {})
    record.unlink()
    commit(project)
    with pytest.raises(TemplateUnknown, match="nothing says"):
        update.update(project, {})


@pytest.mark.parametrize(
    "name", ["../other", "a/../../other", ".git/config", "src/.GIT/config", "/{tmp}/other", ""]
)
def test_a_record_that_names_a_file_elsewhere_is_refused_and_nothing_is_removed(
    project: Path, name: str
) -> None:
    name = name.format(tmp=project.parent)
    (project.parent / "other").write_text("theirs")
    config = (project / ".git/config").read_bytes()
    known = origin.read(project)
    forged = {**known.files, name: config if "config" in name else b"theirs"}
    (project / origin.FILE).write_text(origin.text(Origin(known.answers, forged, known.version)))
    commit(project)
    with pytest.raises(TemplateUnknown, match="no template writes"):
        update.update(project, {})
    assert (project.parent / "other").read_text() == "theirs"
    assert (project / ".git/config").read_bytes() == config


def test_an_earlier_tagline_takes_nothing_back(project: Path) -> None:
    record = project / origin.FILE
    record.write_text(record.read_text().replace('"version": "0.', '"version": "99.'))
    commit(project)
    with pytest.raises(TemplateUnknown, match="99"):
        update.update(project, {})


def test_doctor_names_the_command_where_a_later_template_is_there(project: Path, later: Path) -> None:
    told = {found.what: found for found in doctor.examine(project)}
    assert "the project has the newest template that this tagline knows" in told
    first_line(later / "README.md.jinja", "theirs\n")
    told = {found.what: found for found in doctor.examine(project)}
    assert told["a later project template is there"].fix == "tagline init --update"


def tagline(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    argv = [str(Path(sys.executable).with_name("tagline")), "init", *words]
    return subprocess.run(argv, cwd=folder, capture_output=True, text=True, timeout=60)


def test_the_command_names_each_file_and_ends_with_28_where_conflicts_are_left(project: Path) -> None:
    assert tagline(project, "--update").stdout == "nothing to do: the template has nothing newer\n"
    file = project / ".gitlab-ci.yml"
    file.write_text(file.read_text().replace("@v1", "@mine"))
    commit(project)
    done = tagline(project, "--update", "--pin", "5" * 40)
    assert done.returncode == 28, done.stderr
    assert "conflict   .gitlab-ci.yml (both sides are in it, marked)\n" in done.stdout
    assert "left alone README.md\n" in done.stdout
    assert {"<<<<<<< project", ">>>>>>> template"} <= set(file.read_text().splitlines())


def test_comments_for_forks_are_githubs_alone(tmp_path: Path, project: Path) -> None:
    with pytest.raises(BadWord, match="GitHub"):
        create.create(tmp_path / "new", answers={"ci": "jenkins", "fork_comments": True}, defaults=True)
    with pytest.raises(BadWord, match="the CI named is gitlab"):
        update.update(project, {"fork_comments": True})


def test_comments_for_forks_come_into_a_project_that_is_there(tmp_path: Path) -> None:
    create.create(tmp_path / "new", answers={"ci": "github", "library": "acme/tagline"}, defaults=True)
    last_line(tmp_path / "new" / README, "mine\n")
    commit(tmp_path / "new")
    done = tagline(tmp_path / "new", "--update", "--fork-comments")
    assert done.returncode == 0, done.stderr
    assert "added      .github/workflows/tagline-forks.yml\n" in done.stdout
