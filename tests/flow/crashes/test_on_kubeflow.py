"""`kill -9` of `tagline ci` at the requests that it makes on a Kubeflow platform: the next call ends as if nothing was.

To the pipelines server, the store, the registry and the git host alike; at a change both before the server does it and
after, when only its answer is lost.
"""

from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from tests.flow.on_kubeflow import START, Cluster, Saved, cluster
from tests.flow.stage import Result

NIGHTLY = "nightly: {cron: '0 2 * * *', time_zone: Asia/Tokyo, parameters: {seconds: 1.0}}"
FIRST_TICK, DAY = START + 9 * 3600, 24 * 3600  # 2027-01-15 17:00 UTC
CHANGES = ("kfp POST", "kfp DELETE", "registry PUT", "git POST /tiny.git/git-receive-pack")
ENDED_WELL = {
    0,
    16,
    95,
    121,
}  # done all the same, or told that git, the registry or the server does not answer
Point = tuple[int, bool]
After = Callable[[Cluster], Result]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("killed"), NIGHTLY) as made:
        yield made


@pytest.fixture(scope="module")
def merged(place: Cluster) -> Saved:
    """A merge that nobody has acted on."""
    return place.save()


@pytest.fixture(scope="module")
def trained(place: Cluster, merged: Saved) -> Saved:
    """Its training has ended on the server, and is not registered."""
    place.restore(merged)
    done = place.tagline("ci")
    assert done.code == 0, done
    place.trained("0.1.0")
    return place.save()


@pytest.fixture(scope="module")
def moving(place: Cluster, trained: Saved) -> Saved:
    """The next merge, whose release takes the schedule over."""
    place.restore(trained)
    done = place.tagline("ci")
    assert done.code == 0, done
    place.desk.change("src/serve.py", "int(", "float(")
    place.merge("feat: floats")
    return place.save()


def changes(lines: list[str], *words: str) -> list[int]:
    """The requests that change something, of those with one of the words."""
    mine = [number for number, line in enumerate(lines, 1) if line.startswith(CHANGES)]
    return [number for number in mine if not words or any(word in lines[number - 1] for word in words)]


def every(lines: list[str]) -> list[Point]:
    """Before each request, and after each that changes something: a read has nothing to lose after it."""
    return [(number, False) for number in range(1, len(lines) + 1)] + [
        (number, True) for number in changes(lines)
    ]


def again(place: Cluster) -> Result:
    return place.tagline("ci")


def check(
    place: Cluster,
    saved: Saved,
    points: Callable[[list[str]], list[Point]],
    then: After = again,
    *,
    spares: bool = False,
) -> None:
    """Killed at each of these requests, of those of a call that nobody kills, the next leaves what that one leaves.

    `then` is the next call, or several. With `spares` the call is refused that request, or loses its answer, instead.
    """
    place.restore(saved)
    done = again(place)
    lines = list(place.deaths.asked)
    if then is not again:
        place.restore(saved)
        done = then(place)
    assert done.code == 0, done
    expected = place.held()
    chosen = points(lines)
    assert chosen, lines
    for number, after in chosen:
        at = f"{'after' if after else 'before'} {lines[number - 1]}"
        place.restore(saved)
        killed = place.killed(number, "ci", after=after, spares=spares)
        assert killed.code == -9 or (spares and killed.code in ENDED_WELL), f"{at}: {killed}"
        ended = then(place)
        assert ended.code == 0, f"{at}: {ended}"
        assert place.held() == expected, at


def settled(place: Cluster) -> Result:
    """A tick passes before the next call, another after it; then nothing goes on, and the call after that tidies up."""
    place.kfp.advance(FIRST_TICK + 600 - place.kfp.now)
    _end_scheduled(place)
    done = again(place)
    if done.code:
        return done
    place.kfp.advance(FIRST_TICK + DAY + 3600 - place.kfp.now)
    _end_scheduled(place)
    assert ticks(place) == {FIRST_TICK: 1, FIRST_TICK + DAY: 1}
    return again(place)


def _end_scheduled(place: Cluster) -> None:
    for run in place.kfp.runs:
        if run.recurring_run_id:
            place.kfp.finish(run.id)


def ticks(place: Cluster) -> Counter[float]:
    """How many runs each tick has, of the server's own and of those started late."""
    late = [run.display_name for run in place.kfp.runs if "/full/s-nightly-" in run.display_name]
    days = [int(name.rpartition("-")[2][6:8]) - 15 for name in late]
    own = [run.scheduled_at for run in place.kfp.runs if run.recurring_run_id]
    return Counter([*own, *(FIRST_TICK + DAY * day for day in days)])


def test_a_merge_whose_answers_are_lost_with_the_process_is_completed_by_the_next_call(
    place: Cluster, merged: Saved
) -> None:
    def points(lines: list[str]) -> list[Point]:
        assert len(changes(lines)) == 11, lines
        smoke, full = changes(lines, "v2beta1/runs")
        (version,) = changes(lines, "upload_version")
        return [(smoke, True), (version, True), (full, True)]

    check(place, merged, points)


def test_a_training_is_registered_once_by_the_call_after_one_that_was_killed_at_its_push(
    place: Cluster, trained: Saved
) -> None:
    check(place, trained, lambda lines: [(number, True) for number in changes(lines, "receive-pack")])
    assert [event["event"] for event in place.desk.events()].count("trained") == 1


def test_a_schedule_that_moves_has_one_run_for_each_tick_although_the_call_is_killed_between(
    place: Cluster, moving: Saved
) -> None:
    check(place, moving, lambda lines: [(number, True) for number in changes(lines, ":disable")], settled)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_a_merge_killed_at_any_request_is_completed_by_the_next_call(place: Cluster, merged: Saved) -> None:
    check(place, merged, every)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_a_call_that_registers_killed_at_any_request_is_completed_by_the_next(
    place: Cluster, trained: Saved
) -> None:
    check(place, trained, every)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_a_merge_that_moves_a_schedule_killed_at_any_request_loses_and_doubles_no_tick(
    place: Cluster, moving: Saved
) -> None:
    check(place, moving, every, settled)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_a_merge_that_is_refused_a_request_or_loses_an_answer_is_completed_by_it_or_by_the_next_call(
    place: Cluster, merged: Saved
) -> None:
    check(place, merged, every, spares=True)


@pytest.mark.soak
def test_the_check_bites_where_the_next_call_cannot_find_the_run_that_was_started(
    place: Cluster, merged: Saved
) -> None:
    def blind(place: Cluster) -> Result:
        for run in place.kfp.runs:
            run.display_name = "somebody's"
        return again(place)

    with pytest.raises(AssertionError, match="v2beta1/runs"):
        check(
            place, merged, lambda lines: [(number, True) for number in changes(lines, "v2beta1/runs")], blind
        )
