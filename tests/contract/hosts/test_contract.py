"""What every host must do, the fake as the real one: one comment kept up to date, a run that is woken."""

from tagline.hosts.api.comments import marker, place
from tagline.hosts.api.github import GitHub
from tagline.hosts.api.gitlab import GitLab
from tagline.hosts.api.jenkins import Jenkins

from tests.contract.hosts.conftest import Subject

MARK = marker("contract-test")
TEXT = "Merging releases fraud 1.5.0 because of ``feat: <b>x</b> `tick` @everyone``.\n\n| a |\n|---|\n| `b` |"


def test_a_comment_is_made_once_then_kept_then_changed_in_place(subject: Subject) -> None:
    client, number = subject.client, subject.number
    for left in client.ours(number, MARK):
        client.delete(number, left)
    assert place(client, number, TEXT, MARK) == "made"
    (first,) = client.ours(number, MARK)
    assert first.body.startswith(TEXT)
    assert place(client, number, TEXT, MARK) == "kept"
    assert place(client, number, "Nothing to do.", MARK) == "changed"
    (second,) = client.ours(number, MARK)
    assert (second.id, second.body.splitlines()[0]) == (first.id, "Nothing to do.")


def test_a_second_comment_of_ours_is_taken_away(subject: Subject) -> None:
    client, number = subject.client, subject.number
    for left in client.ours(number, MARK):
        client.delete(number, left)
    for text in ("one", "two", "three"):
        client.create(number, f"{text}\n\n{MARK}")
    place(client, number, TEXT, MARK)
    (left,) = client.ours(number, MARK)
    assert left.body.startswith(TEXT)


def test_another_pipelines_comment_is_left_alone(subject: Subject) -> None:
    client, number, other = subject.client, subject.number, marker("contract-test-2")
    place(client, number, "first", MARK)
    place(client, number, "second", other)
    assert [one.body.splitlines()[0] for one in client.ours(number, MARK)] == ["first"]
    assert [one.body.splitlines()[0] for one in client.ours(number, other)] == ["second"]


def test_a_run_of_the_default_branch_is_woken(waking: GitHub | GitLab | Jenkins) -> None:
    assert waking.wake().url.startswith(("http", ""))
