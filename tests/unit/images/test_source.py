"""What an image is made from is read inside the tree alone, and what cannot be read is named."""

from pathlib import Path

import pytest
from tagline import config
from tagline.errors import ConfigError
from tagline.images.making import Source, dockerfile_of

BASE = f"debian@sha256:{'a' * 64}"
SECRET = "https://someone:hunter2hunter2@git.example.com"


def source(tree: Path, **image: str) -> Source:
    files = [path.relative_to(tree) for path in tree.rglob("*") if path.is_file() or path.is_symlink()]
    listed = [name for name in files if name.parts[0] not in {".git", ".env"}]
    return Source(tree, listed, config.Config(pipeline="wine", image=config.Image(**image)), tree)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "home").mkdir()
    (tmp_path / "home/.git-credentials").write_text(f"FROM {SECRET}\n")
    (tmp_path / "tree/.git").mkdir(parents=True)
    (tmp_path / "tree/.git/config").write_text(f"FROM {SECRET}\n")
    (tmp_path / "tree/.env").write_text(f"FROM {SECRET}\n")
    return tmp_path / "tree"


@pytest.mark.parametrize("target", ["../home/.git-credentials", ".git/config", ".env", "Dockerfile"])
@pytest.mark.parametrize("key", ["dockerfile", "requirements"])
def test_a_link_to_what_is_not_the_project_s_is_refused_and_not_shown(
    tree: Path, target: str, key: str
) -> None:
    (tree / "Dockerfile").symlink_to(target)
    image = (
        {"dockerfile": "Dockerfile"} if key == "dockerfile" else {"base": BASE, "requirements": "Dockerfile"}
    )
    with pytest.raises(ConfigError, match="Dockerfile") as caught:
        dockerfile_of(source(tree, **image))
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("name", ["../home/.git-credentials", "/etc/passwd", "nowhere"])
@pytest.mark.parametrize("key", ["dockerfile", "requirements"])
def test_a_path_that_is_not_the_project_s_is_refused(tree: Path, name: str, key: str) -> None:
    image = {"dockerfile": name} if key == "dockerfile" else {"base": BASE, "requirements": name}
    with pytest.raises(ConfigError, match=r"is not there|not a file of the project"):
        dockerfile_of(source(tree, **image))


def test_a_link_to_a_file_of_the_project_is_read(tree: Path) -> None:
    (tree / "docker").mkdir()
    (tree / "Dockerfile").write_text(f"FROM {BASE}\n")
    (tree / "docker/Dockerfile").symlink_to("../Dockerfile")
    assert dockerfile_of(source(tree, dockerfile="docker/Dockerfile")) == f"FROM {BASE}\n"


def test_a_dockerfile_that_is_no_utf_8_is_named_with_its_line(tree: Path) -> None:
    (tree / "Dockerfile").write_bytes(b"FROM scratch\nLABEL name=\xe9\n")
    with pytest.raises(ConfigError, match="not UTF-8") as caught:
        dockerfile_of(source(tree, dockerfile="Dockerfile"))
    assert caught.value.where == "Dockerfile, line 2"
