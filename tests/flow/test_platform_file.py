"""A platform file is found by a variable, in a package or in git, and its floors hold in every command."""

import shutil
from pathlib import Path

import pytest

from tests.fakes.repositories import Bare
from tests.flow.stage import Desk

FILE = "tagline.yaml"
PLATFORM = """\
name: acme
defaults:
  rollout: {max_duration: 10m}
floors:
  gate: true
  max_drop: 0.05
"""


def platform_at(folder: Path, text: str = PLATFORM) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "platform.yaml").write_text(text)
    return folder / "platform.yaml"


def package(folder: Path, text: str = PLATFORM) -> str:
    """A package as pip lays it down, with the entry point of a platform; it must not be imported."""
    platform_at(folder / "acme_platform", text)
    (folder / "acme_platform/__init__.py").write_text("raise SystemExit('the package was run')\n")
    info = folder / "acme_platform-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-platform\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[tagline.platforms]\nacme = acme_platform\n")
    return str(folder)


def in_git(folder: Path, text: str = PLATFORM) -> str:
    folder.mkdir()
    bare = Bare(folder / "platform.git")
    clone = bare.clone(folder / "work")
    clone.commit("feat: floors", {"platform.yaml": text})
    clone.push()
    clone.tag("v1")
    return f"git+file://{bare.path}@v1"


def named(desk: Desk, platform: str) -> None:
    with (desk.clone.path / FILE).open("a") as file:
        file.write(f"platform: {platform}\n")
    desk.merge("feat: on the company's platform")


def test_a_floor_from_the_cis_variable_holds_and_names_key_floor_value_and_place(
    desk: Desk, tmp_path: Path
) -> None:
    variable = {"TAGLINE_PLATFORM_FILE": str(platform_at(tmp_path / "etc"))}
    for command in (["ci"], ["check"], ["status"], ["plan"]):
        refused = desk.tagline(*command, **variable)
        assert refused.code == 20, refused
        assert (
            "gate.metrics.wrong.max_drop is 0.1, and the platform 'acme' allows at most 0.05" in refused.err
        )
        assert "floors.max_drop" in refused.err and "tagline.yaml:8:31" in refused.err
    desk.change(FILE, "max_drop: 0.10", "max_drop: 0.04")
    desk.merge("fix: within the floor")
    allowed = desk.tagline("status", **variable)
    assert allowed.code == 0, allowed


def test_a_pull_request_that_loosens_a_floor_fails_its_check(desk: Desk, tmp_path: Path) -> None:
    variable = {"TAGLINE_PLATFORM_FILE": str(platform_at(tmp_path / "etc"))}
    desk.change(FILE, "max_drop: 0.10", "max_drop: 0.04")
    desk.merge("fix: within the floor")
    desk.clone.git("switch", "--quiet", "-c", "topic")
    desk.change(FILE, "max_drop: 0.04", "max_drop: 0.50")
    desk.clone.commit("feat: looser")
    desk.clone.push()
    refused = desk.tagline("ci", **variable)
    assert refused.code == 20, refused
    assert "gate.metrics.wrong.max_drop is 0.5" in refused.err


@pytest.mark.parametrize("source", ["package", "git"])
def test_a_platform_named_in_tagline_yaml_is_found(desk: Desk, tmp_path: Path, source: str) -> None:
    more = {}
    if source == "package":
        more = {"PYTHONPATH": package(tmp_path / "site")}
        named(desk, "acme")
    else:
        named(desk, in_git(tmp_path / "host"))
    refused = desk.tagline("ci", **more)
    assert refused.code == 20, refused
    assert "floors.max_drop" in refused.err
    looked = desk.tagline("doctor", **more)
    assert "floors.max_drop" in looked.out, looked


def test_a_platform_that_is_not_installed_is_an_error_that_names_the_installed_ones(
    desk: Desk, tmp_path: Path
) -> None:
    site = package(tmp_path / "site")
    named(desk, "acmee")
    refused = desk.tagline("ci", PYTHONPATH=site)
    assert refused.code == 21, refused
    assert "known: acme, local" in refused.err and "main:tagline.yaml:10:11" in refused.err


def test_a_platform_file_from_git_that_cannot_be_read_stops_the_call(desk: Desk, tmp_path: Path) -> None:
    address = in_git(tmp_path / "host")
    named(desk, address.replace("@v1", "@v2"))
    refused = desk.tagline("ci")
    assert refused.code == 16, refused
    assert "v2" in refused.err


def test_a_person_who_looks_does_not_wait_for_the_platforms_git_host(desk: Desk, tmp_path: Path) -> None:
    named(desk, in_git(tmp_path / "host", "name: acme\ndefaults: {environments: [blue]}\n"))
    desk.change(FILE, "environments: [staging, prod]\n", "")
    desk.merge("feat: the company's environments")
    assert desk.tagline("plan").code == 0
    shutil.rmtree(tmp_path / "host")
    looked = desk.tagline("status", "--json")
    assert looked.code == 0, looked
    assert {place["env"] for place in looked.json()["places"]} == {"blue"}
    assert desk.tagline("ci").code == 16


@pytest.mark.parametrize("address", ["git+ext::sh@v1", "git+https://host/x", "git+http://host/x@v1"])
def test_an_address_that_is_no_git_reference_is_refused_before_git_sees_it(desk: Desk, address: str) -> None:
    named(desk, f'"{address}"')
    refused = desk.tagline("ci")
    assert refused.code == 20, refused
    assert "is not git+URL@REF" in refused.err


def test_the_cis_platform_rules_also_where_the_repository_names_another(desk: Desk, tmp_path: Path) -> None:
    variable = {"TAGLINE_PLATFORM_FILE": str(platform_at(tmp_path / "etc"))}
    named(desk, "local")
    assert "floors.max_drop" in desk.tagline("ci", **variable).err
    desk.change(FILE, "platform: local", "platform: other")
    desk.merge("feat: another platform")
    refused = desk.tagline("ci", **variable)
    assert refused.code == 20 and "platform is 'other'" in refused.err, refused


def test_a_platform_file_that_a_pull_request_could_change_is_refused(desk: Desk) -> None:
    platform_at(desk.clone.path)
    for path in ("platform.yaml", str(desk.clone.path / "platform.yaml")):
        refused = desk.tagline("ci", TAGLINE_PLATFORM_FILE=path)
        assert refused.code == 20, refused
        assert "outside the work tree" in refused.err


def test_a_policy_for_another_version_stops_every_command_with_the_command_to_run(desk: Desk) -> None:
    with (desk.clone.path / FILE).open("a") as file:
        file.write("tagline: 99.0.0\nnews: of version 99\n")
    desk.merge("feat: the next version")
    for command in (["ci"], ["status"], ["release"], ["check"], ["secrets", "check"]):
        refused = desk.tagline(*command)
        assert refused.code == 114, refused
        assert "the policy is for 99.0.0" in refused.err and "'tagline==99.0.0'" in refused.err


def test_a_pull_request_may_raise_the_version_of_the_policy(desk: Desk) -> None:
    desk.clone.git("switch", "--quiet", "-c", "topic")
    with (desk.clone.path / FILE).open("a") as file:
        file.write("tagline: 99.0.0\n")
    desk.clone.commit("feat: the next version")
    desk.clone.push()
    checked = desk.tagline("ci")
    assert checked.code == 0, checked


def test_a_platform_may_set_the_version(desk: Desk, tmp_path: Path) -> None:
    file = platform_at(tmp_path / "etc", "name: acme\ntagline: 98.0.0\n")
    refused = desk.tagline("status", TAGLINE_PLATFORM_FILE=str(file))
    assert refused.code == 114 and "98.0.0" in refused.err, refused
