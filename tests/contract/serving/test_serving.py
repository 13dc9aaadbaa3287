"""Versions behind a route, on real KServe servers."""

import json
import signal
import time

import pytest
from tagline.errors import ContentDiffers, ModelDoesNotLoad, PlatformError
from tagline.platforms.local.serving import LocalServing, procs, status

from tests.contract.serving.conftest import V1, V2, V3, Place, eventually, under_load


def test_a_version_is_deployed_warm_with_weight_0_and_serves_once_it_has_weight(place: Place) -> None:
    place.serving.deploy("prod", place.spec(V1))
    arm = place.serving.route("prod", "wine").arms[0]
    assert (arm.version, arm.weight, arm.ready) == (V1, 0, True)
    assert place.predict()[0] == 503
    place.serving.set_weights("prod", "wine", {V1: 100})
    assert place.predict() == (200, b'{"predictions":[1.0]}', "0.1.0-r1")
    route = place.serving.route("prod", "wine")
    assert (route.main, route.stable, route.up) == (V1, V1, True)


def test_which_version_answers_is_heard_through_the_route_and_counted_nowhere(warm: Place) -> None:
    before = warm.serving.counts("prod", "wine").arms
    assert warm.serving.answers("prod", "wine") == V1
    warm.serving.set_weights("prod", "wine", {V1: 0, V2: 100})
    assert warm.serving.answers("prod", "wine") == V2
    procs.send(warm.identity("prod/wine/v0-2-0-r1"), signal.SIGSTOP)
    try:
        assert warm.serving.answers("prod", "wine") is None
    finally:
        procs.send(warm.identity("prod/wine/v0-2-0-r1"), signal.SIGCONT)
    assert warm.serving.answers("prod", "unknown") is None
    assert warm.serving.counts("prod", "wine").arms == before


def test_a_warm_server_is_used_again_by_every_repeated_call(warm: Place) -> None:
    server = warm.identity("prod/wine/v0-1-0-r1")
    began = time.monotonic()
    warm.serving.deploy("prod", warm.spec(V1))
    warm.serving.set_weights("prod", "wine", {V1: 100})
    assert time.monotonic() - began < 1.0
    assert warm.identity("prod/wine/v0-1-0-r1") == server


def test_a_version_that_is_there_with_another_digest_is_refused(warm: Place) -> None:
    with pytest.raises(ContentDiffers):
        warm.serving.deploy("prod", warm.spec(V1, "nan"))
    assert warm.predict()[0] == 200


def test_weights_move_under_load_without_a_lost_request(warm: Place) -> None:
    generations = set()
    with under_load(warm) as seen:
        for weight in (10, 25, 50, 95, 0, 100):
            warm.serving.set_weights("prod", "wine", {V1: 100 - weight, V2: weight})
            generations.add(warm.serving.counts("prod", "wine").generation)
            time.sleep(0.3)
    assert (seen.lost, seen.bad()) == ([], [])
    assert {version for _, version in seen.answers[-5:]} == {"0.2.0-r1"}
    assert len(generations) == 6


def test_after_a_weight_change_returns_no_new_request_is_drawn_by_the_old_weights(warm: Place) -> None:
    for _ in range(10):
        warm.serving.set_weights("prod", "wine", {V2: 100})
        assert warm.predict()[2] == "0.2.0-r1"
        warm.serving.set_weights("prod", "wine", {V1: 100})
        assert warm.predict()[2] == "0.1.0-r1"


@pytest.mark.parametrize(("told", "kind"), [("fails", "5xx"), ("nan", "non_finite")])
def test_a_canary_that_fails_costs_no_client_an_answer(place: Place, told: str, kind: str) -> None:
    place.serve(V1)
    place.serving.deploy("prod", place.spec(V2, told))
    place.serving.set_weights("prod", "wine", {V1: 50, V2: 50})
    answers = [place.predict() for _ in range(60)]
    counts = place.serving.counts("prod", "wine")
    assert {answer[0] for answer in answers} == {200}
    canary, stable = counts.arms[str(V2)], counts.arms[str(V1)]
    assert canary.served == canary.bad == canary.kinds[kind] > 0
    assert (stable.bad, stable.served + canary.served, counts.client_bad) == (0, 60, 0)


def test_an_answer_slower_than_its_bound_is_counted_for_both_versions_alike(place: Place) -> None:
    place.serving.deploy("prod", place.spec(V1, "slow", slower_than=0.1))
    place.serving.set_weights("prod", "wine", {V1: 100})
    assert place.predict()[0] == 200
    counts = place.serving.counts("prod", "wine")
    assert (counts.arms[str(V1)].kinds, counts.client_bad) == ({"slow": 1}, 1)


def test_a_model_that_does_not_load_says_why_and_leaves_nothing(place: Place) -> None:
    place.serve(V1)
    with pytest.raises(ModelDoesNotLoad, match="these weights are for another shape") as caught:
        place.serving.deploy("prod", place.spec(V2, "broken"))
    assert caught.value.exit_code == 82
    assert [arm.version for arm in place.serving.route("prod", "wine").arms] == [V1]
    assert len(procs.marked(place.home)) == 3  # supervisor, router, the one server
    assert place.predict()[0] == 200


def test_a_model_that_is_not_ready_in_time_is_ended_and_named(place: Place) -> None:
    with pytest.raises(ModelDoesNotLoad, match=r"not ready within 2 s .waited for http://127.0.0.1:"):
        LocalServing(place.home, ready_limit=2.0).deploy("prod", place.spec(V1, "sleepy"))
    assert place.serving.routes() == []
    assert len(procs.marked(place.home)) == 2


def test_a_version_with_weight_cannot_be_removed(warm: Place) -> None:
    with pytest.raises(PlatformError, match="still takes 100 percent"):
        warm.serving.remove("prod", "wine", V1)
    assert warm.predict()[0] == 200


def test_removing_what_is_not_there_changes_nothing(warm: Place) -> None:
    warm.serving.remove("prod", "wine", V3)
    warm.serving.remove("prod", "other", V3)
    assert warm.predict()[0] == 200


def test_a_removed_version_answers_what_it_has_and_its_process_ends(place: Place) -> None:
    place.serve(V1, "slow")
    place.serving.deploy("prod", place.spec(V2))
    server = place.identity("prod/wine/v0-1-0-r1")
    with under_load(place) as seen:
        eventually(lambda: len(seen.answers) > 3)
        place.serving.set_weights("prod", "wine", {V2: 100})
        place.serving.remove("prod", "wine", V1)
        assert not procs.alive(server)
    assert (seen.lost, seen.bad()) == ([], [])
    assert [arm.version for arm in place.serving.route("prod", "wine").arms] == [V2]


@pytest.mark.parametrize("weights", [{V1: 90}, {V1: 110, V2: -10}, {V1: 50, V3: 50}])
def test_weights_that_make_no_sense_are_refused(warm: Place, weights: dict[object, int]) -> None:
    with pytest.raises(PlatformError):
        warm.serving.set_weights("prod", "wine", weights)  # type: ignore[arg-type]
    assert warm.predict()[0] == 200


def test_a_model_server_sees_no_secret_of_the_caller(place: Place) -> None:
    place.serve(V1, "environment")
    names = json.loads(place.predict()[1])["predictions"][0]
    assert "SECRET_OF_THE_CALLER" not in names
    assert "HOME" in names


def test_two_environments_serve_two_versions_on_one_port(place: Place) -> None:
    place.serve(V1)
    place.serving.deploy("staging", place.spec(V2))
    place.serving.set_weights("staging", "wine", {V2: 100})
    assert {(route.env, route.main) for route in place.serving.routes()} == {("prod", V1), ("staging", V2)}
    assert place.predict()[2] == "0.1.0-r1"
    assert len(status(place.home).processes) == 4
