"""How a host fails, and what becomes of it: refused, unavailable, tried again, never done twice."""

import pickle
import subprocess
import time
from pathlib import Path

import pytest
from tagline.errors import HostRefused, HostUnavailable
from tagline.hosts.api.answers import message_of, next_page, wanted_wait
from tagline.hosts.api.comments import marker, place
from tagline.hosts.api.http import Patience, Request
from tagline.hosts.api.token import Token

from tests.contract.hosts.conftest import github_at, gitlab_at, jenkins_at
from tests.fakes.hosts.github import FakeGitHub
from tests.fakes.hosts.gitlab import FakeGitLab
from tests.fakes.hosts.jenkins import FakeJenkins
from tests.fakes.hosts.server import Fault

MARK = marker("fraud")
COMMENTS = "/comments$"


def bodies(host: FakeGitHub) -> list[str]:
    return [one["body"] for one in host.comments[7]]


def test_a_wrong_token_is_refused_and_never_shown(fake_github: FakeGitHub) -> None:
    token = "-".join(["ghp", "wrong", "secret"])
    with pytest.raises(HostRefused, match=r"401.*Bad credentials") as caught:
        place(github_at(fake_github, token), 7, "x", MARK)
    assert caught.value.status == 401
    assert token not in f"{caught.value}{caught.value.__cause__}{caught.getrepr(style='long')}"
    assert "permissions: pull-requests: write" in caught.value.fix


def test_a_token_that_the_host_echoes_is_hidden(fake_github: FakeGitHub) -> None:
    fake_github.faults.append(Fault("GET", COMMENTS, 400, {"message": "bad token ghs_app"}))
    with pytest.raises(HostRefused, match=r"bad token \*\*\*"):
        place(github_at(fake_github), 7, "x", MARK)


def test_a_token_shows_itself_nowhere() -> None:
    token = Token("s3cret")
    assert {str(token), repr(token), f"{token}", f"{token:>5}", f"{[token]}"} == {"***", "[***]"}
    with pytest.raises(TypeError):
        pickle.dumps(token)
    assert token.reveal() == "s3cret"


def test_a_missing_right_is_named_with_the_permission_that_gives_it(fake_github: FakeGitHub) -> None:
    with pytest.raises(HostRefused, match=r"403.*not accessible by integration") as caught:
        place(github_at(fake_github, "ghs_reader"), 7, "x", MARK)
    assert "pull-requests: write" in caught.value.fix
    with pytest.raises(HostRefused) as caught:
        github_at(fake_github, "ghs_reader").wake()
    assert "actions: write" in caught.value.fix


def test_a_pull_request_that_is_not_there_is_refused_with_404(fake_github: FakeGitHub) -> None:
    with pytest.raises(HostRefused) as caught:
        place(github_at(fake_github), 8, "x", MARK)
    assert caught.value.status == 404


def test_a_comment_that_is_too_long_is_refused_with_422(fake_github: FakeGitHub) -> None:
    with pytest.raises(HostRefused, match=r"422.*too long"):
        place(github_at(fake_github), 7, "x" * 70_000, MARK)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_host_in_trouble_is_asked_again_for_what_changes_nothing(
    fake_github: FakeGitHub, status: int
) -> None:
    fake_github.faults += [Fault("GET", COMMENTS, status)] * 2
    assert place(github_at(fake_github), 7, "x", MARK) == "made"


def test_a_host_that_stays_in_trouble_is_unavailable_after_bounded_tries(fake_github: FakeGitHub) -> None:
    fake_github.faults += [Fault("GET", COMMENTS, 502)] * 50
    with pytest.raises(HostUnavailable, match="502"):
        github_at(fake_github).ours(7, MARK)
    assert len(fake_github.asked) == 3


def test_a_comment_that_was_made_though_the_host_failed_is_not_made_twice(fake_github: FakeGitHub) -> None:
    fake_github.faults.append(Fault("POST", COMMENTS, 502, done=True))
    assert place(github_at(fake_github), 7, "x", MARK) == "kept"
    assert len(bodies(fake_github)) == 1


def test_a_busy_host_that_had_made_the_comment_is_looked_at_before_the_next_try(
    fake_github: FakeGitHub,
) -> None:
    fake_github.faults.append(Fault("POST", COMMENTS, 503, headers={"Retry-After": "0"}, done=True))
    assert place(github_at(fake_github), 7, "x", MARK) == "kept"
    assert len(bodies(fake_github)) == 1


def test_a_comment_whose_answer_never_came_is_not_made_twice(fake_gitlab: FakeGitLab) -> None:
    fake_gitlab.faults.append(Fault("POST", "/notes$", slow=0.7))
    place(gitlab_at(fake_gitlab), 7, "x", MARK)
    time.sleep(0.5)
    assert len(fake_gitlab.notes[7]) == 1


def test_without_the_look_before_the_second_try_it_would_be_made_twice(fake_github: FakeGitHub) -> None:
    fake_github.faults.append(Fault("POST", COMMENTS, 502, done=True))
    client = github_at(fake_github)
    for _ in range(2):
        try:
            client.create(7, f"x\n\n{MARK}")
        except HostUnavailable as error:
            assert error.maybe_done
    assert len(bodies(fake_github)) == 2


def test_a_comment_deleted_between_look_and_change_is_made_anew(fake_github: FakeGitHub) -> None:
    client = github_at(fake_github)
    place(client, 7, "x", MARK)
    fake_github.faults.append(Fault("PATCH", "", 404, {"message": "Not Found"}))
    fake_github.comments[7].clear()
    fake_github.comment("github-actions[bot]", f"x\n\n{MARK}")
    assert place(client, 7, "y", MARK) == "changed"


def test_retry_after_is_heeded(fake_github: FakeGitHub) -> None:
    fake_github.faults += [
        Fault("GET", COMMENTS, 429, headers={"Retry-After": "1"}),
        Fault("POST", COMMENTS, 403, {"message": "secondary rate limit"}, {"Retry-After": "0"}),
    ]
    client = github_at(fake_github)
    waits: list[float] = []
    client.api.sleep = waits.append
    assert place(client, 7, "x", MARK) == "made"
    assert waits == [1.0, 0.0]


def test_a_wait_longer_than_a_job_should_is_unavailable_at_once(fake_github: FakeGitHub) -> None:
    fake_github.faults.append(Fault("GET", COMMENTS, 429, headers={"Retry-After": "3600"}))
    with pytest.raises(HostUnavailable, match="wait 3600 s"):
        place(github_at(fake_github), 7, "x", MARK)
    assert len(fake_github.asked) == 1


@pytest.mark.parametrize(
    ("status", "headers", "wait"),
    [
        (429, {"retry-after": "7"}, 7.0),
        (429, {}, 60.0),
        (403, {}, None),
        (403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1030"}, 30.0),
        (403, {"x-ratelimit-remaining": "5", "x-ratelimit-reset": "1030"}, None),
        (503, {"retry-after": "2"}, 2.0),
        (503, {"retry-after": "Wed, 25 Nov 2026 01:00:00 GMT"}, None),
        (404, {"retry-after": "2"}, None),
    ],
)
def test_the_wait_a_host_asks_for(status: int, headers: dict[str, str], wait: float | None) -> None:
    assert wanted_wait(status, headers, 1000.0) == wait


def test_an_answer_cut_off_is_none(fake_github: FakeGitHub) -> None:
    fake_github.comment("ada", "hello")
    fake_github.faults += [Fault("GET", COMMENTS, half=True)] * 9
    with pytest.raises(HostUnavailable, match="cut off"):
        github_at(fake_github).ours(7, MARK)


def test_an_answer_cut_off_once_is_asked_for_again(fake_github: FakeGitHub) -> None:
    fake_github.comment("github-actions[bot]", f"x\n\n{MARK}")
    fake_github.faults.append(Fault("GET", COMMENTS, half=True))
    assert len(github_at(fake_github).ours(7, MARK)) == 1


def test_a_host_that_says_nothing_is_given_up_in_time(fake_github: FakeGitHub) -> None:
    fake_github.faults += [Fault("GET", COMMENTS, slow=1.0)] * 9
    begun = time.monotonic()
    with pytest.raises(HostUnavailable, match="no whole answer"):
        github_at(fake_github).ours(7, MARK)
    assert time.monotonic() - begun < 3


def test_a_host_that_drips_is_given_up_in_time(fake_github: FakeGitHub) -> None:
    fake_github.comment("ada", "x" * 500)
    fake_github.faults += [Fault("GET", COMMENTS, drip=0.05)] * 9
    begun = time.monotonic()
    with pytest.raises(HostUnavailable, match="takes too long"):
        github_at(fake_github).ours(7, MARK)
    assert time.monotonic() - begun < 5


def test_where_nobody_listens_the_host_is_unavailable() -> None:
    host = FakeGitHub()
    with host.running():
        client = github_at(host)
    with pytest.raises(HostUnavailable, match="refused"):
        client.ours(7, MARK)


def test_another_shape_of_answer_is_no_answer(fake_github: FakeGitHub) -> None:
    fake_github.faults += [Fault("GET", COMMENTS, 200, {"items": []}), Fault("GET", COMMENTS, 200, "<html>")]
    for _ in range(2):
        with pytest.raises(HostUnavailable, match="something else than its documentation says"):
            github_at(fake_github).ours(7, MARK)


def test_a_redirect_is_not_followed_with_the_token(fake_github: FakeGitHub, fake_gitlab: FakeGitLab) -> None:
    fake_github.faults.append(Fault("GET", COMMENTS, 302, headers={"Location": f"{fake_gitlab.url}/steal"}))
    with pytest.raises(HostRefused, match="302"):
        github_at(fake_github).ours(7, MARK)
    assert fake_gitlab.asked == []


def test_the_next_page_at_another_host_is_not_asked(fake_github: FakeGitHub, fake_gitlab: FakeGitLab) -> None:
    link = {"Link": f'<{fake_gitlab.url}/steal>; rel="next"'}
    fake_github.faults.append(Fault("GET", COMMENTS, 200, [], link))
    with pytest.raises(HostUnavailable, match="another host"):
        github_at(fake_github).ours(7, MARK)
    assert fake_gitlab.asked == []


def test_our_comment_is_found_on_the_third_page(fake_github: FakeGitHub) -> None:
    for number in range(230):
        fake_github.comment("ada", f"comment {number}")
    fake_github.comment("github-actions[bot]", f"x\n\n{MARK}")
    assert len(github_at(fake_github).ours(7, MARK)) == 1
    assert len(fake_github.seen("GET", COMMENTS)) == 3


@pytest.mark.parametrize(
    ("link", "url"),
    [
        ("", ""),
        ('<http://h/a?page=1>; rel="prev", <http://h/a?page=3>; rel="next"', "http://h/a?page=3"),
        ('<http://h/a?page=9>; rel="last"', ""),
        ("nonsense", ""),
    ],
)
def test_the_next_page_is_read_from_the_link_header(link: str, url: str) -> None:
    assert next_page(link) == url


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b'{"message": "401 Unauthorized"}', "401 Unauthorized"),
        (b'{"message": {"base": ["Reference not found"]}}', '{"base":["Reference not found"]}'),
        (
            b'{"error": "insufficient_scope", "error_description": "needs api"}',
            "insufficient_scope; needs api",
        ),
        (b"<html>", ""),
        (b"", ""),
        (b"[1]", "[1]"),
    ],
)
def test_the_hosts_own_words_are_told(body: bytes, text: str) -> None:
    assert message_of(body) == text


def test_anothers_comment_with_our_marker_is_never_touched(
    fake_github: FakeGitHub, fake_gitlab: FakeGitLab
) -> None:
    planted = fake_github.comment("mallory", f"planted\n\n{MARK}")
    place(github_at(fake_github), 7, "x", MARK)
    place(github_at(fake_github, "ghp_ada"), 7, "y", MARK)
    assert planted["body"].startswith("planted")
    assert len(bodies(fake_github)) == 3
    note = fake_gitlab.note(999, f"planted\n\n{MARK}")
    place(gitlab_at(fake_gitlab), 7, "x", MARK)
    assert note["body"].startswith("planted")


def test_a_workflow_that_cannot_be_woken_is_refused_with_what_it_needs(fake_github: FakeGitHub) -> None:
    with pytest.raises(HostRefused, match=r"422.*workflow_dispatch") as caught:
        github_at(fake_github, workflow="other.yml").wake()
    assert "on: workflow_dispatch in other.yml" in caught.value.fix
    with pytest.raises(HostRefused, match="404"):
        github_at(fake_github, workflow="none.yml").wake()


def test_gitlab_wakes_the_default_branch_and_nothing_else(fake_gitlab: FakeGitLab) -> None:
    gitlab_at(fake_gitlab).wake()
    gitlab_at(fake_gitlab, "glptt-ours").wake()
    assert fake_gitlab.pipelines == ["main", "main"]
    assert "private-token" not in fake_gitlab.asked[-1].headers


def test_gitlab_refuses_a_wrong_trigger_a_low_role_and_a_branch_that_is_not_there(
    fake_gitlab: FakeGitLab,
) -> None:
    for token, branch, said in (
        ("glptt-other", "main", "404"),
        ("glpat-reporter", "main", "403 Forbidden"),
        ("glpat-dev", "gone", "Reference not found"),
        ("glpat-nobody", "main", "401 Unauthorized"),
    ):
        with pytest.raises(HostRefused, match=said):
            gitlab_at(fake_gitlab, token, branch).wake()
    assert fake_gitlab.pipelines == []


def test_jenkins_builds_the_one_job_and_says_where_it_waits(fake_jenkins: FakeJenkins) -> None:
    assert jenkins_at(fake_jenkins).wake().url == f"{fake_jenkins.url}/queue/item/1/"
    assert fake_jenkins.built == ["fraud/main"]


def test_jenkins_refusals_name_the_right_that_is_missing(fake_jenkins: FakeJenkins) -> None:
    for user, password, status in (
        ("reader", "22bb", 403),
        ("stranger", "33cc", 404),
        ("tagline", "xx", 401),
    ):
        with pytest.raises(HostRefused) as caught:
            jenkins_at(fake_jenkins, user, password).wake()
        assert caught.value.status == status
        assert f"Job/Build on fraud/main for the user {user}" in caught.value.fix
    fake_jenkins.disabled = True
    with pytest.raises(HostRefused, match="409"):
        jenkins_at(fake_jenkins).wake()


def test_a_post_without_a_crumb_is_what_the_fake_refuses(fake_jenkins: FakeJenkins) -> None:
    client = jenkins_at(fake_jenkins)
    with pytest.raises(HostRefused, match="403"):
        client.api.ask(Request("POST", "/job/fraud/job/main/build", "to build", "x"))
    with pytest.raises(HostRefused, match="405"):
        client.api.ask(Request("GET", "/job/fraud/job/main/build", "to build", "x"))


def test_a_wake_is_repeated_where_the_host_failed(fake_github: FakeGitHub) -> None:
    fake_github.faults.append(Fault("POST", "/dispatches$", 502))
    github_at(fake_github).wake()
    assert fake_github.woken == ["ci.yml"]


def test_a_key_that_a_host_does_not_take_is_answered_as_its_documentation_says(
    fake_github: FakeGitHub, fake_gitlab: FakeGitLab
) -> None:
    path = "/repos/team/fraud/issues/7/comments"
    with pytest.raises(HostRefused, match=r'422.*"number" is not a permitted key'):
        github_at(fake_github).api.ask(Request("POST", path, "x", "x", json={"number": 7, "body": "x"}))
    with pytest.raises(HostRefused, match="405"):
        gitlab_at(fake_gitlab).api.ask(Request("PUT", "/projects/42/pipeline", "x", "x"))


def test_patience_is_bounded_by_default() -> None:
    patience = Patience()
    assert patience.whole * (len(patience.waits) + 1) + patience.longest * len(patience.waits) <= 300


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate that no authority vouches for, with its key."""
    file = tmp_path / "host.pem"
    subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    command = ["openssl", "req", "-x509", *kind, *subject, "-keyout", str(file), "-out", f"{file}.crt"]
    subprocess.run(command, check=True, capture_output=True, timeout=30)
    file.write_text(file.read_text() + Path(f"{file}.crt").read_text())
    return file


def test_a_host_that_nobody_vouches_for_gets_no_token_and_the_way_out_is_named(certificate: Path) -> None:
    host = FakeGitHub()
    with host.running(certificate), pytest.raises(HostUnavailable, match="certificate") as caught:
        github_at(host).ours(7, MARK)
    assert "SSL_CERT_FILE" in caught.value.fix
    assert host.asked == []


def test_a_companys_own_authority_is_taken_from_ssl_cert_file(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", f"{certificate}.crt")
    host = FakeGitHub()
    with host.running(certificate):
        assert place(github_at(host), 7, "x", MARK) == "made"
