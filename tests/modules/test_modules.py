"""The Dagger modules without an engine: their arguments, their chains, and every line that the chains would run."""

import importlib.metadata
import inspect
import itertools
import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import dagger
import pytest
from tagline.cli.group import cli
from tagline.engines.dagger import chains
from tagline.errors import ConfigError
from tagline.secrets import scan

from tests.fakes.machine import ROOT
from tests.modules import chain
from tests.modules.chain import Function, Link

ALL = [one for name in chain.NAMES for one in chain.functions(name)]
CALLED = [one for one in ALL if one.name]
# what changes the world, what reads git's refs, and (all others) what is pure
NEVER = {"image.build", "image.push", "promote.ask"}
SESSION = {"pipeline.plan", "promote.preview", "train.smoke"}


def given(function: Function, *, all_: bool) -> dict[str, Any]:
    """Values for a function's arguments: all, or only those that it cannot do without."""
    cls = chain.main_object(function.module)
    defaults = {
        name
        for name, one in inspect.signature(getattr(cls, function.name)).parameters.items()
        if one.default is not one.empty
    }
    return {
        name: chain.sample(kind, name)
        for name, (kind, _) in function.arguments.items()
        if all_ or name not in defaults
    }


def call(function: Function, *, all_: bool) -> list[Link]:
    """The chain of one call, with all arguments or the fewest."""
    (constructor,) = [one for one in ALL if one.module == function.module and not one.name]
    fewest = {"wheelhouse": chain.sample(dagger.Directory, "wheelhouse")}
    full = {name: chain.sample(kind, name) for name, (kind, _) in constructor.arguments.items()}
    made = chain.main_object(function.module)(**(full if all_ else fewest))
    return chain.links(getattr(made, function.name)(**given(function, all_=all_)))


def executed(links: list[Link]) -> list[list[str]]:
    return [link.args["args"] for link in links if link.name == "withExec"]


def parse(line: list[str]) -> str:
    """The command's name, if the real command line understands the line; raises click's errors."""
    assert line[0] == "tagline"
    with cli.make_context("tagline", line[1:]) as context:
        name, command, rest = cli.resolve_command(context, [*context._protected_args, *context.args])
        assert name and command
        command.make_context(name, rest, parent=context).close()
        return name


VARIANTS = pytest.mark.parametrize("all_", [False, True], ids=["fewest", "all"])
EACH = pytest.mark.parametrize("function", CALLED, ids=lambda one: one.id)


def test_the_helper_reads_the_version_that_is_locked() -> None:
    assert importlib.metadata.version("dagger-io") == chain.READS


@VARIANTS
@EACH
def test_every_tagline_line_is_understood_by_the_real_command_line(function: Function, all_: bool) -> None:
    lines = [line for line in executed(call(function, all_=all_)) if line[0] == "tagline"]
    if function.name == "container":
        assert lines == []
        return
    (line,) = lines
    commands = {
        "check": "check",
        "image": "build",
        "pipeline": function.name,
        "promote": "promote",
        "train": "train",
    }
    assert parse(line) == commands[function.module]


def test_a_line_with_an_option_that_does_not_exist_is_not_understood() -> None:
    with pytest.raises(click.NoSuchOption):
        parse(["tagline", "compile", "--outputs=x"])


def test_a_value_that_looks_like_an_option_stays_a_value() -> None:
    made = chain.main_object("promote")(wheelhouse=chain.sample(dagger.Directory, ""))
    links = chain.links(made.preview(chain.sample(dagger.Directory, ""), "--to=prod", "--preview", "--json"))
    (line,) = [line for line in executed(links) if line[0] == "tagline"]
    with cli.make_context("tagline", line[1:]) as context:
        name, command, rest = cli.resolve_command(context, [*context._protected_args, *context.args])
        assert name and command
        with command.make_context(name, rest, parent=context) as inner:
            assert inner.params["model"] == "--to=prod"
            assert (inner.params["env"], inner.params["version"]) == ("--preview", "--json")


@pytest.mark.parametrize("function", ALL, ids=lambda one: one.id)
def test_every_argument_says_what_it_is(function: Function) -> None:
    unsaid = [name for name, (_, doc) in function.arguments.items() if not doc or not doc.endswith(".")]
    assert unsaid == []


@EACH
def test_every_function_and_module_says_what_it_is(function: Function) -> None:
    assert getattr(chain.main_object(function.module), function.name).__doc__
    assert chain.module(function.module).__doc__


@EACH
def test_a_function_is_cached_as_long_as_its_answer_holds(function: Function) -> None:
    expected = "never" if function.id in NEVER else "session" if function.id in SESSION else None
    assert (function.cache or None) == expected


@VARIANTS
@EACH
def test_what_asks_or_changes_the_world_is_run_anew_and_only_from_its_last_link_on(
    function: Function, all_: bool
) -> None:
    links = call(function, all_=all_)
    runs = [place for place, link in enumerate(links) if link.args.get("name") == chains.RUN_VARIABLE]
    if function.id not in NEVER | SESSION:
        assert runs == []
        return
    (place,) = runs
    assert links[place + 1].name == "withExec"
    assert links[place + 1].args["args"][0] == "tagline"
    (other,) = [one for one in call(function, all_=all_) if one.args.get("name") == chains.RUN_VARIABLE]
    assert other.args["value"] != links[place].args["value"]


@EACH
def test_a_pure_function_sees_no_history_of_git(function: Function) -> None:
    if function.id in NEVER | SESSION:
        return
    sources = [link for link in call(function, all_=True) if link.args.get("path") == chains.TREE]
    (tree,) = [link for link in sources if link.name == "withDirectory"]
    last = chain.links(tree.args["source"])[-1]
    assert (last.name, last.args) == ("withoutDirectory", {"path": ".git"})


@pytest.mark.parametrize("function", ALL, ids=lambda one: one.id)
def test_a_secret_goes_in_as_a_secret(function: Function) -> None:
    secret = {"token", "index", "login", "role_id", "secret_id"}
    for name, (kind, _) in function.arguments.items():
        is_secret = kind in (dagger.Secret, dagger.Secret | None)
        assert is_secret == (name in secret), name


def texts(links: list[Link]) -> Iterator[str]:
    for link in chain.inputs(links):
        for value in link.args.values():
            yield from [value] if isinstance(value, str) else value if isinstance(value, list) else []


@EACH
def test_no_secret_of_a_chain_is_text(function: Function) -> None:
    links = call(function, all_=True)
    variables = {link.args["name"]: link.args["value"] for link in links if link.name == "withEnvVariable"}
    assert scan.known_values(variables, {}) == {}
    named = [text for text in texts(links) if text.startswith("env://SAMPLE_")]
    assert named, "the sample secrets go in"
    held = [link.args["secret"] for link in links if link.name == "withSecretVariable"]
    held += [link.args["source"] for link in links if link.name == "withMountedSecret"]
    assert held and all(isinstance(one, dagger.Secret) for one in held)
    assert sorted(set(named)) == sorted({link.args["uri"] for one in held for link in chain.links(one)})


def test_a_secret_that_was_made_a_variable_is_seen() -> None:
    assert scan.known_values({"TAGLINE_PUSH_TOKEN": "0123456789abcdef"}, {})


def test_without_a_named_source_of_tagline_there_is_no_chain() -> None:
    made = chain.main_object("check")()
    with pytest.raises(ConfigError, match="where tagline comes from"):
        made.container(chain.sample(dagger.Directory, "source"))


def test_an_index_comes_with_the_lock_of_this_reference() -> None:
    made = chain.main_object("check")(index=chain.sample(dagger.Secret, "index"))
    links = chain.links(made.container(chain.sample(dagger.Directory, "source")))
    files = {link.args["path"]: link.args["contents"] for link in links if link.name == "withNewFile"}
    assert files["/opt/tagline/bootstrap.lock"] == (ROOT / "templates/bootstrap.lock").read_text()
    assert files["/opt/tagline/bootstrap.sh"] == (ROOT / "templates/bootstrap.sh").read_text()


def test_the_shell_that_installs_is_a_shells(tmp_path: Path) -> None:
    made = chain.main_object("check")(index=chain.sample(dagger.Secret, "index"))
    scripts = [
        line[2] for line in executed(chain.links(made.container(dagger.dag.directory()))) if line[0] == "sh"
    ]
    assert len(scripts) == 1
    done = subprocess.run(["sh", "-n", "-c", scripts[0]], capture_output=True, text=True, timeout=10)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_smoke_training_sees_gpus_only_where_it_is_told_to() -> None:
    (smoke,) = [one for one in CALLED if one.id == "train.smoke"]
    seen = {all_: [link.name for link in call(smoke, all_=all_)] for all_ in (False, True)}
    assert "experimentalWithAllGPUs" in seen[True]
    assert "experimentalWithAllGPUs" not in seen[False]


@pytest.mark.parametrize("name", [*chain.NAMES, "examples"])
def test_a_modules_lock_has_hashes_and_no_host(name: str) -> None:
    lines = (ROOT / "modules" / name / "requirements.lock").read_text().splitlines()
    pins = [line for line in lines if "==" in line and not line.startswith((" ", "#"))]
    assert len(pins) > 10
    assert all(line.endswith("\\") for line in pins)
    assert [
        line
        for line in lines
        if "://" in line or (line.lstrip().startswith("--") and "--hash=sha256:" not in line)
    ] == []
    assert [line for line in pins if line.startswith("dagger-io")] == [], "it comes from the engine"
    packages = {line.partition("==")[0] for line in pins}
    assert {"gql", "anyio"} <= packages
    assert ("msgspec" in packages) == (name in chain.NAMES)


@pytest.mark.parametrize("name", [*chain.NAMES, "examples"])
def test_a_module_is_of_the_locked_engine_and_of_an_image_that_a_mirror_can_serve(name: str) -> None:
    folder = ROOT / "modules" / name
    config = json.loads((folder / "dagger.json").read_text())
    project = tomllib.loads((folder / "pyproject.toml").read_text())
    assert config["engineVersion"] == f"v{chain.READS}"
    image = project["tool"]["dagger"]["base-image"]
    assert "@" not in image and image.startswith("docker.io/library/python:3.")
    assert project["tool"]["uv"] == {"pip": {"generate-hashes": True}}
    assert project["build-system"]["requires"] == [f"hatchling=={importlib.metadata.version('hatchling')}"]


@pytest.mark.parametrize("name", chain.NAMES)
def test_a_module_works_with_the_files_that_it_includes_alone(name: str, tmp_path: Path) -> None:
    folder = ROOT / "modules" / name
    included = json.loads((folder / "dagger.json").read_text())["include"]
    found = [sorted(folder.glob(pattern)) for pattern in included]
    assert all(found), "each pattern names something"
    for file in itertools.chain(*found, (folder / "src").rglob("*.py")):
        copy = tmp_path / file.resolve().relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(file.read_bytes())
    script = (
        f"import sys; sys.path[:0] = ['ci', 'modules/{name}/src']\n"
        f"import tagline, tagline_{name} as module, dagger\n"
        "print(tagline.__file__)\n"
        f"made = module.Tagline{name.capitalize()}(index=dagger.dag.secret('env://INDEX'))\n"
        "made._tagline()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(tmp_path / "ci/tagline/__init__.py")
