"""Under a platform file of kind kubeflow: doctor asks its server, and what is not there yet is refused by name."""

import json
from pathlib import Path

import pytest

from tests.fakes.kfp import FakeKfp
from tests.flow.stage import Desk

EDITOR = "system:serviceaccount:mu-alice:default-editor"


def platform_at(folder: Path, url: str, access: str = "") -> dict[str, str]:
    text = (
        f"name: acme\nkind: kubeflow\nendpoints: {{pipelines: '{url}'}}\nnamespaces: {{training: mu-alice}}\n"
    )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "platform.yaml").write_text(text + (f"access: {access}\n" if access else ""))
    return {"TAGLINE_PLATFORM_FILE": str(folder / "platform.yaml")}


def findings(desk: Desk, **more: str) -> dict[str, tuple[str, str]]:
    done = desk.tagline("doctor", "--json", **more)
    return {one["what"]: (one["level"], one["fix"]) for one in json.loads(done.out)}


def one_with(found: dict[str, tuple[str, str]], words: str) -> tuple[str, str]:
    fitting = [said for what, said in found.items() if words in what]
    assert len(fitting) == 1, (words, found)
    return fitting[0]


def test_doctor_says_what_answers_as_whom_and_what_it_cannot_do(desk: Desk, tmp_path: Path) -> None:
    with FakeKfp("multiuser") as kfp:
        token = kfp.token(EDITOR)
        variable = platform_at(tmp_path / "etc", kfp.url, "{service_account: {variable: CI_SERVICE_TOKEN}}")
        done = desk.tagline("doctor", "--json", **variable, CI_SERVICE_TOKEN=token)
        found = {one["what"]: (one["level"], one["fix"]) for one in json.loads(done.out)}
    assert one_with(found, "answers at http://127.0.0.1")[0] == "ok"
    assert "ok" in one_with(
        found, "lets the ServiceAccount mu-alice/default-editor look into namespace mu-alice"
    )
    assert one_with(found, "anyone may upload one") == (
        "note",
        "let the gateway refuse POST …/pipelines/upload without namespace=; tagline always names one",
    )
    assert "-n mu-alice" in one_with(found, "without a row")[1]
    assert token not in done.out + done.err
    assert token.split(".")[1] not in done.out + done.err


@pytest.mark.parametrize(
    ("environ", "what", "fix"),
    [
        ({}, "the ServiceAccount's token is not there (CI_SERVICE_TOKEN)", "set CI_SERVICE_TOKEN"),
        ({"CI_SERVICE_TOKEN": "garbage-of-a-token"}, "no ServiceAccount's token", "kubectl create token"),
    ],
)
def test_doctor_says_what_lets_nobody_in(
    desk: Desk, tmp_path: Path, environ: dict[str, str], what: str, fix: str
) -> None:
    with FakeKfp("multiuser") as kfp:
        variable = platform_at(tmp_path / "etc", kfp.url, "{service_account: {variable: CI_SERVICE_TOKEN}}")
        level, said = one_with(findings(desk, **variable, **environ), what)
    assert (level, fix in said) == ("missing", True)


def test_doctor_sees_a_lost_database_and_a_server_that_knows_nobody(desk: Desk, tmp_path: Path) -> None:
    with FakeKfp("multiuser") as kfp:
        variable = platform_at(tmp_path / "etc", kfp.url, "{user_header: {user: alice@example.com}}")
        kfp.lose_database()
        assert one_with(findings(desk, **variable), "cannot answer a question")[0] == "missing"
        kfp.calm()
        nobody = platform_at(tmp_path / "nobody", kfp.url)
        assert one_with(findings(desk, **nobody), "does not know a request without identity")[0] == "missing"


def test_promotion_there_is_refused_by_name_and_never_done_here_instead(desk: Desk, tmp_path: Path) -> None:
    variable = platform_at(tmp_path / "etc", "http://127.0.0.1:9")
    before = desk.refs()
    for command in (["promote", "tiny", "--to", "prod"], ["rollback", "tiny", "--env", "prod"]):
        refused = desk.tagline(*command, **variable)
        assert refused.code == 22, refused
        assert "kind kubeflow comes with a later version of tagline" in refused.err
    assert desk.refs() == before
    assert not (desk.home / "pipelines").exists()


def test_kubeflow_alone_is_no_platform_and_the_way_to_one_is_named(desk: Desk) -> None:
    with (desk.clone.path / "tagline.yaml").open("a") as file:
        file.write("platform: kubeflow\n")
    refused = desk.tagline("check")
    assert refused.code == 21, refused
    assert "no platform 'kubeflow' is installed" in refused.err
    assert "TAGLINE_PLATFORM_FILE to a platform file of kind kubeflow" in refused.err
