"""Events: written and read back the same, each a sentence; their fold, and what contradicts what."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tagline.errors import LedgerError
from tagline.git import events as ev
from tagline.git import wire
from tagline.git.event import Done, IntendedTag, Intent
from tagline.git.events import AnyEvent
from tagline.git.fold import Contradiction, after, fold
from tagline.git.state import State, Status
from tagline.words import ModelVersion, Promotion, Release

HASH = "a" * 40
PLACE = ("prod", "wine")
V1, V2, V3, V4 = (ModelVersion.parse(f"0.{n}.0-r1") for n in (1, 2, 3, 4))

name = st.text(string.ascii_lowercase, min_size=1, max_size=30)
release = st.builds(lambda a, b, c: f"{a}.{b}.{c}", *[st.integers(0, 99)] * 3)
version = st.builds(lambda r, n: f"{r}-r{n}", release, st.integers(1, 99))
words = st.text(max_size=40)
commit = st.text("0123456789abcdef", min_size=40, max_size=40)
counter = st.integers(1, 10_000)
numbers = st.dictionaries(words, st.floats(allow_nan=False, allow_infinity=False), max_size=3)
common = {"run": words, "actor": words, "machine": words, "at": words}
place = common | {"env": name, "model": name}
asking = place | {"n": counter}
block = place | {"model_version": version, "by": words, "why": words}
events = st.one_of(
    st.builds(ev.Released, **common, pipeline=name, version=release, commit=commit, identity=words),
    st.builds(ev.Uploaded, **common, pipeline=name, version=release, digest=words),
    st.builds(
        ev.Trained,
        **common,
        pipeline=name,
        model=name,
        model_version=version,
        owner=words,
        uri=words,
        sha256=words,
        metrics=numbers,
        data_sha256=words,
    ),
    st.builds(
        ev.Asked, **asking, tag=commit, commit=commit, model_version=version, reason=words, override=words
    ),
    st.builds(ev.Gated, **asking, verdict=st.sampled_from(ev.Verdict), why=words, numbers=numbers),
    st.builds(ev.WeightMoved, **asking, model_version=version, weight=st.integers(0, 100)),
    st.builds(ev.Promoted, **asking, model_version=version, previous=version | st.just("")),
    st.builds(
        ev.RolledBack,
        **asking,
        taken_back=version,
        to=version | st.just(""),
        by=st.sampled_from(ev.By),
        why=words,
        numbers=numbers,
    ),
    st.builds(ev.Inconclusive, **asking, why=words),
    st.builds(ev.Failed, **asking, why=words),
    st.builds(ev.Superseded, **asking, by=counter),
    st.builds(ev.Blocked, **block),
    st.builds(ev.Unblocked, **block),
    st.builds(
        ev.Adopted, **asking, serves=version | st.just(""), reason=words, ignored=st.lists(words, max_size=2)
    ),
    st.builds(
        Intent,
        **common,
        tags=st.lists(st.builds(IntendedTag, words, commit, commit, words), min_size=1, max_size=2),
        events=st.lists(words, max_size=2),
    ),
    st.builds(Done, **common, kept=st.booleans()),
)


@given(events)
def test_every_event_reads_back_as_it_was_written(event: AnyEvent) -> None:
    assert wire.decode(wire.encode(event)) == event


@given(events)
def test_every_event_prints_itself_as_a_sentence(event: AnyEvent) -> None:
    assert len(event.sentence().split()) >= 2


@given(st.text(max_size=300))
def test_any_other_message_is_refused_in_words(message: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        wire.decode(message)


@given(st.lists(events, max_size=8))
def test_a_fold_ends_in_a_state_or_names_the_first_contradiction(stream: list[AnyEvent]) -> None:
    try:
        fold(stream)
    except Contradiction as error:
        assert isinstance(fold(stream[: error.index]), State)


@given(st.lists(events, max_size=8))
def test_adding_events_one_by_one_is_the_same_as_folding_them(stream: list[AnyEvent]) -> None:
    kept: list[AnyEvent] = []
    state = State()
    for event in stream:
        try:
            state = after(state, event)
        except Contradiction:
            continue
        kept.append(event)
    assert fold(kept) == state


@pytest.mark.parametrize(
    "event",
    [
        ev.Released(pipeline="Wine", version="0.1.0", commit=HASH, identity=""),
        ev.Released(pipeline="wine", version="0.1.0\n", commit=HASH, identity=""),
        ev.Released(pipeline="wine", version="0.1.0", commit="HEAD", identity=""),
        ev.Failed(env="prod", model="wine", n=0, why=""),
        ev.WeightMoved(env="prod", model="wine", n=1, model_version="0.1.0-r1", weight=101),
        ev.Gated(env="prod", model="wine", n=1, verdict=ev.Verdict.PASSED, numbers={"x": float("nan")}),
    ],
)
def test_a_wrong_name_version_hash_or_number_is_refused_when_it_is_written(event: AnyEvent) -> None:
    with pytest.raises(LedgerError):
        wire.encode(event)


def asked(n: int, version: ModelVersion = V1) -> ev.Asked:
    return ev.Asked(env="prod", model="wine", n=n, tag=HASH, commit=HASH, model_version=str(version))


def gated(n: int, verdict: ev.Verdict = ev.Verdict.PASSED) -> ev.Gated:
    return ev.Gated(env="prod", model="wine", n=n, verdict=verdict, why="because")


def promoted(n: int, version: ModelVersion) -> list[AnyEvent]:
    done = ev.Promoted(env="prod", model="wine", n=n, model_version=str(version))
    return [asked(n, version), gated(n), done]


def back(n: int, taken: ModelVersion, to: ModelVersion | None, by: ev.By = ev.By.PERSON) -> ev.RolledBack:
    return ev.RolledBack(
        env="prod", model="wine", n=n, taken_back=str(taken), to=str(to or ""), by=by, why="bad", actor="ada"
    )


def failed(n: int) -> ev.Failed:
    return ev.Failed(env="prod", model="wine", n=n, why="x")


THREE = [*promoted(1, V1), *promoted(2, V2), *promoted(3, V3)]


def test_what_was_promoted_last_serves_and_the_one_before_is_the_rollbacks_target() -> None:
    state = fold(THREE)
    assert (state.place(*PLACE).serves, state.rollback_target(*PLACE)) == (V3, V2)


def test_after_a_rollback_the_version_is_blocked_and_the_next_goes_one_further() -> None:
    state = fold([*THREE, back(4, V3, V2)])
    assert (state.place(*PLACE).serves, state.rollback_target(*PLACE)) == (V2, V1)
    assert (state.place(*PLACE).blocks[V3].by, state.place(*PLACE).blocks[V3].why) == ("ada", "bad")
    assert fold([*THREE, back(4, V3, V2), back(5, V2, V1)]).rollback_target(*PLACE) is None


def test_a_version_taken_back_and_unblocked_is_not_gone_back_to() -> None:
    lifted = ev.Unblocked(env="prod", model="wine", model_version=str(V3), by="ada", why="mended")
    state = fold([*THREE, back(4, V3, V2), lifted])
    assert (state.place(*PLACE).blocks, state.rollback_target(*PLACE)) == ({}, V1)


def test_what_the_canary_takes_back_never_served_well() -> None:
    state = fold([*promoted(1, V1), asked(2, V2), gated(2), back(2, V2, V1, ev.By.CANARY)])
    assert (state.place(*PLACE).serves, state.place(*PLACE).good) == (V1, (V1,))
    assert state.promotions[Promotion("prod", "wine", 2)].status is Status.ROLLED_BACK


def test_a_blocked_version_is_passed_over_as_target() -> None:
    blocked = ev.Blocked(env="prod", model="wine", model_version=str(V2), by="ada", why="leaks")
    assert fold([*THREE, blocked]).rollback_target(*PLACE) == V1


def test_blocks_hold_for_one_environment() -> None:
    state = fold([*THREE, back(4, V3, V2)])
    assert state.place("staging", "wine").blocks == {}


def test_models_are_numbered_by_release_and_the_newest_unblocked_is_found() -> None:
    def trained(text: str) -> ev.Trained:
        return ev.Trained(
            pipeline="wine", model="wine", model_version=text, owner=f"wine/{text}", uri="u", sha256="s"
        )

    blocked = ev.Blocked(env="prod", model="wine", model_version="0.1.0-r2", by="ada", why="x")
    state = fold([trained("0.1.0-r1"), trained("0.1.0-r2"), trained("0.2.0-r1"), blocked])
    first = Release(0, 1, 0)
    assert str(state.next_version("wine", first)) == "0.1.0-r3"
    assert str(state.next_version("wine", Release(0, 3, 0))) == "0.3.0-r1"
    assert str(state.newest_model("prod", "wine", first)) == "0.1.0-r1"
    assert str(state.newest_model("staging", "wine", first)) == "0.1.0-r2"
    assert [one.model_version for one in state.trained_by("wine/0.2.0-r1")] == ["0.2.0-r1"]


def test_an_adoption_settles_numbers_and_says_what_serves() -> None:
    state = fold([ev.Adopted(env="prod", model="wine", n=7, reason="old", serves=str(V1))])
    assert (state.place(*PLACE).serves, state.last_number(*PLACE)) == (V1, 7)
    assert [state.ended(Promotion("prod", "wine", n)) for n in (7, 8)] == [True, False]


def test_a_lost_ledger_adopted_twice_keeps_the_higher_number() -> None:
    both = [ev.Adopted(env="prod", model="wine", n=n, reason="old") for n in (7, 3)]
    assert fold(both).place(*PLACE).adopted == 7


def test_the_machines_of_the_local_platform_are_remembered() -> None:
    assert fold([ev.Failed(env="prod", model="wine", n=1, why="", machine="box")]).machines == {"box"}


@pytest.mark.parametrize(
    ("verdict", "status"),
    [
        (ev.Verdict.PASSED, Status.PASSED),
        (ev.Verdict.OVERRIDDEN, Status.PASSED),
        (ev.Verdict.REFUSED, Status.REFUSED),
        (ev.Verdict.INCONCLUSIVE, Status.INCONCLUSIVE),
    ],
)
def test_the_gates_verdict_ends_a_promotion_or_lets_it_go_on(verdict: ev.Verdict, status: Status) -> None:
    known = fold([asked(1), gated(1, verdict)]).promotions[Promotion("prod", "wine", 1)]
    assert (known.status, known.status.terminal) == (status, status is not Status.PASSED)


@pytest.mark.parametrize(
    ("stream", "why"),
    [
        ([gated(1)], "was never asked"),
        ([back(1, V1, None, ev.By.CANARY)], "was never asked"),
        ([ev.Inconclusive(env="prod", model="wine", n=1, why="")], "was never asked"),
        ([asked(1), asked(1)], "was asked before"),
        ([asked(1), promoted(1, V1)[2]], "had not passed the gate"),
        (
            [asked(1), ev.WeightMoved(env="prod", model="wine", n=1, model_version=str(V1), weight=5)],
            "had not passed",
        ),
        ([asked(1, V1), gated(1), promoted(1, V2)[2]], "asked for 0.1.0-r1"),
        ([*promoted(1, V1), gated(1)], "had ended already (promoted)"),
        ([failed(1), asked(1)], "had ended already (failed)"),
        ([ev.Adopted(env="prod", model="wine", n=3, reason=""), asked(3)], "was settled"),
    ],
)
def test_an_event_that_cannot_follow_is_a_contradiction(stream: list[AnyEvent], why: str) -> None:
    with pytest.raises(Contradiction) as caught:
        fold(stream)
    assert caught.value.index == len(stream) - 1
    assert why in str(caught.value)


@pytest.mark.parametrize(
    "first",
    [
        ev.Released(pipeline="wine", version="0.1.0", commit=HASH, identity=""),
        ev.Uploaded(pipeline="wine", version="0.1.0", digest=""),
        ev.Trained(pipeline="wine", model="wine", model_version="0.1.0-r1", owner="a", uri="", sha256=""),
    ],
)
def test_a_version_is_released_uploaded_and_registered_once(first: AnyEvent) -> None:
    with pytest.raises(Contradiction, match="before"):
        fold([first, first])


def test_a_promotion_that_can_never_be_carried_out_ends_without_having_been_asked() -> None:
    state = fold([failed(1), ev.Superseded(env="prod", model="wine", n=2, by=3)])
    assert [one.status for one in state.promotions.values()] == [Status.FAILED, Status.SUPERSEDED]
