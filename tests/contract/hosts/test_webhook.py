"""The chat hears what happened to models; where it cannot, that is said, and nothing else comes of it."""

import time
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from tagline.config import Config
from tagline.flow.results.announcing import message, news, send
from tagline.git import events as ev
from tagline.hosts.api.http import Patience

from tests.fakes.hosts.server import Fault
from tests.fakes.hosts.slack import SECRET, FakeSlack

QUICK = Patience(piece=0.3, whole=0.6, waits=(0.01, 0.02), longest=1.0)
POLICY = Config(pipeline="fraud", webhook="CHAT")
PLACE: dict[str, Any] = {"env": "prod", "model": "fraud", "n": 3}
PROMOTED = ev.Promoted(**PLACE, model_version="1.5.0-r1", previous="1.4.0-r3")
TAKEN_BACK = ev.RolledBack(**PLACE, taken_back="1.5.0-r1", to="1.4.0-r3", by=ev.By.CANARY, why="5 of 9 bad")
REFUSED = ev.Gated(**PLACE, verdict=ev.Verdict.REFUSED, why="worse on 12 rows")


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    host = FakeSlack()
    with host.running():
        yield host


def told_by(slack: FakeSlack, *lines: str, url: str | None = None) -> list[str]:
    heard: list[object] = []
    send(POLICY, {"CHAT": slack.hook if url is None else url}, heard.append, list(lines), QUICK)
    return [str(one) for one in heard]


def test_people_hear_of_what_is_promoted_what_is_taken_back_and_what_needs_them() -> None:
    others = [
        ev.WeightMoved(**PLACE, model_version="1.5.0-r1", weight=10),
        ev.Gated(**PLACE, verdict=ev.Verdict.PASSED, why="good"),
        ev.Superseded(**PLACE, by=4),
    ]
    failed, blind = ev.Failed(**PLACE, why="it does not load"), ev.Inconclusive(**PLACE, why="too few")
    lines = news([PROMOTED, *others, TAKEN_BACK, REFUSED, failed, blind])
    assert [line.partition(":")[0] for line in lines] == ["promoted", "taken back", *["needs you"] * 3]
    assert lines[0] == "promoted: 1.5.0-r1 serves prod/fraud, after 1.4.0-r3"


def test_the_chat_takes_the_message(slack: FakeSlack) -> None:
    assert told_by(slack, *news([PROMOTED, TAKEN_BACK])) == []
    (text,) = slack.told
    assert text.splitlines()[0] == "fraud: promoted: 1.5.0-r1 serves prod/fraud, after 1.4.0-r3"
    assert len(text.splitlines()) == 2


def test_a_reason_written_by_somebody_calls_nobody_and_links_nowhere() -> None:
    why = "<!channel> <https://evil.example|ok> @here & @everyone"
    text = message("fraud", news([msgspec.structs.replace(REFUSED, why=why)]))["text"]
    assert "<" not in text
    assert "@here" not in text
    assert "&lt;!channel&gt;" in text


def test_a_chat_in_trouble_is_tried_again(slack: FakeSlack) -> None:
    slack.faults += [Fault("POST", "", 500), Fault("POST", "", 503)]
    assert told_by(slack, "x") == []
    assert slack.told == ["fraud: x"]


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Fault(status=500), "answered 500"),
        (Fault(status=404, body="no_service"), "answered 404"),
        (Fault(slow=0.5), "no whole answer"),
        (Fault(status=429, headers={"Retry-After": "600"}), "wait 600 s"),
        (Fault(status=302, headers={"Location": "http://127.0.0.1:9/"}), "answered 302"),
    ],
)
def test_a_chat_that_does_not_take_it_is_told_of_without_its_address(
    slack: FakeSlack, fault: Fault, said: str
) -> None:
    slack.faults += [fault] * 3
    begun = time.monotonic()
    (heard,) = told_by(slack, "x")
    assert "the webhook was not told" in heard
    assert said in heard
    assert "s3cr3tw0rd" not in heard
    assert slack.url not in heard
    assert time.monotonic() - begun < 4


@pytest.mark.parametrize(
    "url", ["", "no address", "file:///etc/passwd", "http://[x" + SECRET, "http://h/a b" + SECRET]
)
def test_what_is_no_address_is_said_and_not_shown(slack: FakeSlack, url: str) -> None:
    (heard,) = told_by(slack, "x", url=url)
    assert "the webhook was not told" in heard
    assert "s3cr3tw0rd" not in heard
    assert slack.asked == []


def test_where_nobody_listens_that_is_said() -> None:
    slack = FakeSlack()
    with slack.running():
        pass
    (heard,) = told_by(slack, "x")
    assert "s3cr3tw0rd" not in heard
    assert "refused" in heard
