"""The content digest: everything that goes in counts, nothing else does, and nothing else can get in."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tagline.config import Image
from tagline.errors import BaseNotPinned, ImageRefused
from tagline.images import recipe

PINNED = f"FROM debian@sha256:{'a' * 64}\n"
TEXT = PINNED + "ARG COLOUR\nCOPY src/ /app/src/\nCOPY *.toml /app/\nUSER 1000\n"
TREE = {"src/a.py": "a", "src/deep/b.py": "b", "x.toml": "x", "conf/y.toml": "y", "README.md": "r"}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name, text in TREE.items():
        (tmp_path / "tree" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "tree" / name).write_text(text)
    (tmp_path / "task").mkdir()
    (tmp_path / "task/__init__.py").write_text("")
    return tmp_path / "tree"


def made(tree: Path, text: str = TEXT, **args: str) -> recipe.Recipe:
    files = [path.relative_to(tree) for path in tree.rglob("*") if path.is_file() or path.is_symlink()]
    return recipe.recipe(tree, files, text, args, tree.parent / "task")


def test_what_an_instruction_copies_is_in_and_the_rest_is_not(tree: Path) -> None:
    names = [entry.path for entry in made(tree).files]
    assert names == [".tagline/tagline_task/__init__.py", "src/a.py", "src/deep/b.py", "x.toml"]


@pytest.mark.parametrize("name", ["src/a.py", "src/deep/b.py", "x.toml"])
def test_a_changed_file_is_another_content(tree: Path, name: str) -> None:
    before = made(tree).content
    (tree / name).write_text("other")
    assert made(tree).content != before


@pytest.mark.parametrize("name", ["conf/y.toml", "README.md"])
def test_a_file_that_nothing_copies_does_not_count(tree: Path, name: str) -> None:
    before = made(tree).content
    (tree / name).write_text("other")
    assert made(tree).content == before


def test_a_mode_a_name_an_argument_the_dockerfile_and_our_own_package_count(tree: Path) -> None:
    seen = {made(tree).content, made(tree, COLOUR="red").content, made(tree, TEXT + "# more\n").content}
    (tree / "src/a.py").chmod(0o755)
    seen.add(made(tree).content)
    (tree / "src/a.py").rename(tree / "src/c.py")
    seen.add(made(tree).content)
    (tree.parent / "task/__init__.py").write_text("# newer")
    seen.add(made(tree).content)
    assert len(seen) == 6


def test_times_owners_and_other_modes_do_not_count(tree: Path) -> None:
    before = made(tree).content
    (tree / "src/a.py").chmod(0o600)
    (tree / "src/a.py").touch()
    assert made(tree).content == before


def test_a_file_beyond_the_digest_never_reaches_the_builder(tree: Path, tmp_path: Path) -> None:
    to = tmp_path / "context"
    to.mkdir()
    (tree / "src/a.py").chmod(0o600)
    recipe.stage(made(tree), tree, tree.parent / "task", to)
    staged = sorted(str(path.relative_to(to)) for path in to.rglob("*") if path.is_file())
    assert staged == [entry.path for entry in made(tree).files]
    assert (to / "src/a.py").stat().st_mode & 0o777 == 0o644
    (entry,) = [entry for entry in made(tree).files if entry.path == "src/a.py"]
    assert (to / "src/a.py").stat().st_mtime == entry.time


def test_a_file_s_time_for_the_builder_is_its_bytes_alone(tree: Path) -> None:
    def time_of_a() -> int:
        return next(entry.time for entry in made(tree).files if entry.path == "src/a.py")

    before = time_of_a()
    (tree / "src/a.py").touch()
    assert time_of_a() == before
    (tree / "src/a.py").write_text("b")  # of the same size
    assert time_of_a() != before
    assert recipe.EPOCH < time_of_a() < (tree / "src/a.py").stat().st_mtime


def test_dockerignore_counts_and_cannot_shut_tagline_task_out(tree: Path, tmp_path: Path) -> None:
    before = made(tree).content
    (tree / ".dockerignore").write_text("*\n!src")
    assert made(tree).content != before
    to = tmp_path / "context"
    to.mkdir()
    recipe.stage(made(tree), tree, tree.parent / "task", to)
    assert (to / ".dockerignore").read_text().splitlines() == ["*", "!src", "!.tagline"]


def test_a_base_by_tag_is_refused_with_its_line(tree: Path) -> None:
    with pytest.raises(BaseNotPinned) as caught:
        made(tree, "# one\nFROM debian:12\n")
    assert caught.value.where == "line 2 of the Dockerfile"


def test_a_download_without_a_checksum_is_refused_and_with_one_is_not(tree: Path) -> None:
    line = "ADD {} https://example.org/x.tar /x\n"
    with pytest.raises(ImageRefused, match="network"):
        made(tree, PINNED + line.format(""))
    assert made(tree, PINNED + line.format(f"--checksum=sha256:{'b' * 64}")).content


REMOTE = {
    "an argument": "ARG URL=http://x/m\nADD $URL /x",
    "ENV": "ENV URL=http://x/m\nADD $URL /x",
    "ENV in its old form": "ARG URL=src\nENV URL http://x/m\nADD $URL /x",
    "in two parts": "ARG A=htt\nARG B=p://x/m\nADD $A${B} /x",
    "a default in place": "ADD ${URL:-src} /x",
    "an argument without a value": "ARG URL\nADD $URL /x",
    "a stage's": "FROM scratch\nADD $URL /x",
    "held back": "ONBUILD ADD http://x/m /x",
    "a repository": "ADD someone@host.example:x.git /x",
    "an empty checksum": "ARG SUM\nADD --checksum=$SUM http://x/m /x",
    "quoted": 'ADD "http://x/m" /x',
    "a substitution that is not known": "ARG URL=x/m\nADD ${URL/x/http://x} /x",
}


@pytest.mark.parametrize("text", REMOTE.values(), ids=REMOTE)
def test_a_download_is_refused_however_its_address_is_written(tree: Path, text: str) -> None:
    with pytest.raises(ImageRefused, match=r"network|nobody can tell"):
        made(tree, f"{PINNED}{text}\n")


def test_a_download_by_tagline_yaml_s_argument_is_refused_and_a_file_by_one_is_not(tree: Path) -> None:
    text = PINNED + "ARG FROM=x.toml\nADD $FROM /x\n"
    assert "x.toml" in [entry.path for entry in made(tree, text).files]
    with pytest.raises(ImageRefused, match="takes http://x/m from the network"):
        made(tree, text, FROM="http://x/m")


@pytest.mark.parametrize("target", ["/etc/passwd", "../../outside"])
def test_a_link_that_leaves_the_tree_is_refused(tree: Path, target: str) -> None:
    (tree / "src/link").symlink_to(target)
    with pytest.raises(ImageRefused, match="leaves the tree"):
        made(tree)


@pytest.mark.parametrize("name", ["src/link", ".dockerignore"])
def test_a_link_whose_text_stays_in_the_tree_and_which_leaves_it_is_refused(tree: Path, name: str) -> None:
    victim = tree.parent / "outside.txt"
    victim.write_text("mine")
    (tree / "a/b").mkdir(parents=True)
    (tree / "a/b/shallow").symlink_to("../../src")
    (tree / name).symlink_to(
        os.path.relpath(tree / "a/b/shallow", (tree / name).parent) + "/../../outside.txt"
    )
    assert (tree / name).read_text() == "mine"
    with pytest.raises(ImageRefused, match=r"leaves the tree|is a link"):
        made(tree)
    assert victim.read_text() == "mine"


def test_dockerignore_is_no_link_and_nothing_is_written_through_one(tree: Path, tmp_path: Path) -> None:
    (tree / ".dockerignore").symlink_to("README.md")
    with pytest.raises(ImageRefused, match=r"\.dockerignore is a link"):
        made(tree)
    (tree / ".dockerignore").unlink()
    to = tmp_path / "context"
    to.mkdir()
    entry = recipe.Entry(".dockerignore", False, "", str(tree / "README.md"))
    with pytest.raises(ImageRefused):
        recipe.stage(recipe.Recipe(TEXT, {}, [entry], "linux/amd64"), tree, tree.parent / "task", to)
    assert (tree / "README.md").read_text() == "r"


def test_a_file_that_lies_behind_a_link_to_a_folder_is_never_read(tree: Path) -> None:
    files = [Path("src/a.py"), Path("src/deep/b.py")]  # as git's index has them
    (tree.parent / "home").mkdir()
    (tree.parent / "home/b.py").write_text("a secret")
    (tree / "src/deep/b.py").unlink()
    (tree / "src/deep").rmdir()
    (tree / "src/deep").symlink_to("../../home")
    with pytest.raises(ImageRefused, match=r"src/deep/b\.py"):
        recipe.recipe(tree, files, TEXT, {}, tree.parent / "task")


def test_a_link_inside_the_tree_goes_in_as_a_link(tree: Path, tmp_path: Path) -> None:
    (tree / "src/link").symlink_to("a.py")
    to = tmp_path / "context"
    to.mkdir()
    recipe.stage(made(tree), tree, tree.parent / "task", to)
    assert (to / "src/link").readlink() == Path("a.py")


LINKED = {
    "a link to a file": ({"entry.py": "src/a.py"}, "COPY entry.py /app/", {"entry.py", "src/a.py"}),
    "a path through a link": ({"to": "src"}, "COPY to/a.py /app/", {"to", "src/a.py"}),
    "a pattern through a link": ({"to": "src"}, "COPY t*/*.py /app/", {"to", "src/a.py"}),
    "a link to a folder": ({"to": "src"}, "COPY to /app/", {"to", "src/a.py", "src/deep/b.py"}),
    "a chain": ({"one": "two", "two": "src/a.py"}, "COPY one /app/", {"one", "two", "src/a.py"}),
    "through a link's folder": (
        {"one": "to/up/README.md", "to": "src/deep", "src/deep/up": "../.."},
        "COPY one /app/",
        {"one", "to", "src/deep/up", "README.md"},
    ),
    "a link in a folder that is copied": (
        {"src/more": "../conf"},
        "COPY src /app/",
        {"src/a.py", "src/deep/b.py", "src/more", "conf/y.toml"},
    ),
}


@pytest.mark.parametrize(("links", "line", "expected"), LINKED.values(), ids=LINKED)
def test_what_a_link_names_goes_in_with_it(
    tree: Path, links: dict[str, str], line: str, expected: set[str]
) -> None:
    for name, target in links.items():
        (tree / name).symlink_to(target)
    names = {entry.path for entry in made(tree, f"{PINNED}{line}\n").files}
    assert names - {".tagline/tagline_task/__init__.py"} == expected


def test_a_link_to_itself_is_only_a_link(tree: Path) -> None:
    (tree / "loop").symlink_to("loop")
    assert "loop" in {entry.path for entry in made(tree, f"{PINNED}COPY loop /app/\n").files}


@pytest.mark.parametrize(
    "source", ["[^b]*.md", "[!R]*", "--parents ./**/b.py", "R\\*", "./", "/", "../x", "*/../README.md"]
)
def test_a_pattern_that_is_not_understood_takes_the_whole_tree(tree: Path, source: str) -> None:
    assert len(made(tree, f"{PINNED}COPY {source} /app/\n").files) == len(TREE) + 1


@pytest.mark.parametrize(
    ("source", "expected"),
    [("s*/a.py", {"src/a.py"}), ("/src/?.py", {"src/a.py"}), ("*.py", set())],
)
def test_a_pattern_counts_from_the_context_s_root(tree: Path, source: str, expected: set[str]) -> None:
    names = {entry.path for entry in made(tree, f"{PINNED}COPY {source} /app/\n").files}
    assert names - {".tagline/tagline_task/__init__.py"} == expected


def test_a_base_and_a_requirements_file_make_a_dockerfile_that_ends_without_root(tree: Path) -> None:
    text = recipe.generated(Image(base=f"debian@sha256:{'a' * 64}", requirements="requirements.txt"))
    (tree / "requirements.txt").write_text("")
    names = [entry.path for entry in made(tree, text).files]
    assert "requirements.txt" in names and "src/a.py" in names
    assert text.splitlines().index("USER 1000") > text.splitlines().index("USER root")


@given(st.dictionaries(st.text(min_size=1, max_size=8), st.text(max_size=8), max_size=4))
def test_two_recipes_have_one_content_only_if_they_are_the_same(args: dict[str, str]) -> None:
    one = recipe.Recipe(PINNED, args, [], "linux/amd64")
    other = recipe.Recipe(PINNED, {**args, "MORE!": "1"}, [], "linux/amd64")
    assert one.content == recipe.Recipe(PINNED, dict(reversed(args.items())), [], "linux/amd64").content
    assert one.content != other.content
