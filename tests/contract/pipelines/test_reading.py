"""What the local platform reads: Dockerfiles, settings of its home, secrets' names, the handed-on pipeline."""

import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tagline import foreign
from tagline.errors import ConfigError, PipelineError, StateBroken
from tagline.pipeline import compiled
from tagline.platforms.local import home, secrets, spec
from tagline.platforms.local.image import Image, read_image

DOCKERFILE = """
FROM python:3.11 AS base
# WORKDIR /wrong
WORKDIR /opt
WORKDIR app
COPY src/ .
COPY ["conf", "/etc/app"]
COPY src/serve.py tool.py /usr/local/bin/
COPY --from=base /x /app/x
ENV A=1 PYTHONPATH=/opt/app/lib:/usr/lib \\
    HOME_PAGE="two words"
ENV OLD style
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("src/lib/config.py", "src/serve.py", "conf/a.yaml", "tool.py", "docker/base_image/x"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    (tmp_path / "docker/base_image/Dockerfile").write_text(DOCKERFILE)
    return tmp_path


@pytest.mark.parametrize(
    ("inside", "outside"),
    [
        ("/opt/app/lib/config.py", "src/lib/config.py"),
        ("/opt/app/serve.py", "src/serve.py"),
        ("/etc/app/a.yaml", "conf/a.yaml"),
        ("/usr/local/bin/tool.py", "tool.py"),
        ("/opt/app/not-there", "not-there"),
    ],
)
def test_a_path_of_the_container_is_found_in_the_tree(tree: Path, inside: str, outside: str) -> None:
    assert read_image(tree).host_path(inside, tree) == str(tree / outside)


@pytest.mark.parametrize("word", ["/bin/sh", "python", "--flag=/opt/app/x", "", "/opt/application/x"])
def test_any_other_word_stays_as_it_is(tree: Path, word: str) -> None:
    assert read_image(tree).host_path(word, tree) == word


def test_the_image_s_environment_is_the_task_s_but_for_path(tree: Path) -> None:
    assert read_image(tree).host_env(tree) == {
        "A": "1",
        "PYTHONPATH": f"{tree}/src/lib:/usr/lib",
        "HOME_PAGE": "two words",
        "OLD": "style",
    }


def test_a_tree_without_a_dockerfile_has_an_empty_image(tmp_path: Path) -> None:
    assert read_image(tmp_path) == Image()


def test_the_home_is_made_and_named_by_its_variable(tmp_path: Path) -> None:
    assert home.tagline_home({"TAGLINE_HOME": str(tmp_path / "a/b")}) == tmp_path / "a/b"
    assert home.tagline_home({"HOME": str(tmp_path)}) == tmp_path / ".local/share/tagline"
    assert (tmp_path / "a/b").is_dir()


def test_a_home_that_cannot_be_made_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot make the local platform's folder"):
        home.tagline_home({"TAGLINE_HOME": str(tmp_path / "file/home")})


def test_several_homes_may_share_one_folder_of_environments(tmp_path: Path) -> None:
    assert home.venvs_folder(tmp_path, {}) == tmp_path / "venvs"
    assert home.venvs_folder(tmp_path, {"TAGLINE_VENVS": "/shared"}) == Path("/shared")


def test_the_machine_s_name_stays_and_another_home_has_another(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    name = home.machine(tmp_path)
    assert home.machine(tmp_path) == name
    assert name.startswith(socket.gethostname()[:3])
    assert home.machine(tmp_path / "other") != name


def test_a_machine_s_name_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "machine").write_text("")
    with pytest.raises(StateBroken):
        home.machine(tmp_path)


def test_the_port_is_the_variable_s_or_8470() -> None:
    assert home.tagline_port({}) == 8470
    assert home.tagline_port({"TAGLINE_PORT": "9001"}) == 9001
    for wrong in ("0", "65536", "http", "-1"):
        with pytest.raises(ConfigError, match="not a port"):
            home.tagline_port({"TAGLINE_PORT": wrong})


def test_a_secret_s_variable_is_its_name_and_key_in_capitals() -> None:
    assert secrets.variable("vault-approle", "role.id") == "TAGLINE_SECRET_VAULT_APPROLE_ROLE_ID"


@pytest.mark.parametrize("before", [1, 65_531, 65_535, 131_070, 200_000])
def test_a_secret_is_masked_wherever_in_a_long_line_it_stands(tmp_path: Path, before: int) -> None:
    log = foreign.append(tmp_path / "log")
    with log, secrets.masked_log(log, ["SUPERSECRETVALUE"]) as path, path.open("wb") as file:
        file.write(b"x" * before + b"SUPERSECRETVALUE" + b"y" * 70_000)
    assert (tmp_path / "log").read_bytes() == b"x" * before + b"***" + b"y" * 70_000


@given(
    st.lists(st.text(alphabet="ab", min_size=8, max_size=10), min_size=1, max_size=3),
    st.lists(st.text(alphabet="abc", max_size=6), max_size=5),
    st.integers(0, 9),
)
def test_no_secret_survives_however_it_is_written_bit_by_bit(
    tmp_path_factory: pytest.TempPathFactory, hidden: list[str], around: list[str], which: int
) -> None:
    log = tmp_path_factory.mktemp("masked") / "log"
    opened = foreign.append(log)
    with opened, secrets.masked_log(opened, hidden) as path, path.open("wb", buffering=0) as file:
        for letter in "".join([*around, hidden[which % len(hidden)], *around]):
            file.write(letter.encode())
    assert not any(value in log.read_text() for value in hidden)


def test_a_whole_number_is_handed_on_as_the_float_that_the_pipeline_wants() -> None:
    text = "root: {inputDefinitions: {parameters: {n: {parameterType: NUMBER_DOUBLE}, k: {parameterType: STRING}}}}"
    found = spec.parameters(compiled.parse(text, "p.yaml"), {"n": 0, "k": "0"})
    assert found == {"n": 0.0, "k": "0"} and isinstance(found["n"], float)


@pytest.mark.parametrize("text", ["", "{{{", "a: 1", "root: {dag: {tasks: {}}}"])
def test_a_file_that_is_no_pipeline_is_an_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "p.yaml").write_text(text)
    with pytest.raises(PipelineError):
        spec.read_pipeline(tmp_path / "p.yaml")
