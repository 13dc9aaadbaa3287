"""The plan is a pure function of what is known; it never comes out empty."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from tagline.flow.plan import Known, environments, only_env, plan
from tagline.flow.steps import (
    Check,
    CheckTag,
    FinishRelease,
    GoOnTraining,
    MakeRelease,
    Nothing,
    Promote,
    Register,
    Smoke,
    Train,
    Wake,
)
from tagline.git.occasion import Event
from tagline.words import Promotion, Release

RELEASE = Release(0, 2, 0)
ASKED = Promotion("prod", "wine", 3)


def kinds(known: Known) -> list[type]:
    return [type(step) for step in plan(known).steps]


def test_a_pull_request_is_checked_and_nothing_else() -> None:
    assert kinds(Known(Event.PR, "topic", next_release=RELEASE)) == [Check]


def test_a_pull_request_says_what_a_merge_would_release() -> None:
    known = Known(Event.PR, "topic", next_release=RELEASE, next_reason="1 feat commit")
    assert plan(known).steps[0].reason == "a merge would release 0.2.0: 1 feat commit"


def test_on_a_ci_host_a_tags_job_checks_the_tag_and_wakes_another_run() -> None:
    known = Known(Event.TAG, str(ASKED), promotion=ASKED, wakes=True, unregistered=2)
    assert kinds(known) == [CheckTag, Wake]
    assert "only a run of the default branch" in plan(known).steps[1].reason


def test_on_plain_git_the_same_tag_is_acted_on_at_once() -> None:
    assert kinds(Known(Event.TAG, str(ASKED), promotion=ASKED)) == [Promote]


def test_a_merge_that_affects_the_pipeline_is_checked_released_and_trained() -> None:
    assert kinds(Known(Event.MERGE, "main", next_release=RELEASE)) == [Check, Smoke, MakeRelease, Train]


def test_a_merge_with_manual_training_does_not_train() -> None:
    known = Known(Event.MERGE, "main", next_release=RELEASE, train_on_release=False)
    assert kinds(known) == [Check, Smoke, MakeRelease]


def test_a_merge_that_affects_nothing_says_why_it_does_nothing() -> None:
    made = plan(Known(Event.MERGE, "main", next_reason="contained in 1.5.0"))
    assert [type(step) for step in made.steps] == [Nothing]
    assert made.steps[0].reason == "contained in 1.5.0"


def test_a_claimed_release_without_upload_and_training_goes_on_where_it_stopped() -> None:
    assert kinds(Known(Event.MERGE, "main", claimed=RELEASE)) == [FinishRelease, Train]


def test_a_finished_release_is_left_alone() -> None:
    known = Known(Event.MERGE, "main", claimed=RELEASE, uploaded=True, trained=True)
    assert kinds(known) == [Nothing]


def test_a_finished_training_is_registered_instead_of_trained_again() -> None:
    known = Known(Event.MERGE, "main", claimed=RELEASE, uploaded=True, unregistered=1, awaited=True)
    assert kinds(known) == [Register]


def test_a_promotion_tag_is_acted_on() -> None:
    assert kinds(Known(Event.TAG, str(ASKED), promotion=ASKED)) == [Promote]


def test_a_release_tag_needs_nothing_more() -> None:
    assert kinds(Known(Event.TAG, "v0.2.0")) == [Nothing]


def test_the_schedule_finishes_registers_and_promotes() -> None:
    known = Known(Event.SCHEDULE, "main", open_promotions=[ASKED], unfinished=[RELEASE], unregistered=2)
    assert kinds(known) == [FinishRelease, Register, Promote]


known_things = st.builds(
    Known,
    event=st.sampled_from(list(Event)),
    ref=st.just("ref"),
    smoke_on_pr=st.booleans(),
    train_on_release=st.booleans(),
    next_release=st.none() | st.just(RELEASE),
    next_reason=st.text(max_size=9),
    claimed=st.none() | st.just(RELEASE),
    uploaded=st.booleans(),
    trained=st.booleans(),
    promotion=st.none() | st.just(ASKED),
    open_promotions=st.lists(st.just(ASKED), max_size=2),
    unfinished=st.lists(st.just(RELEASE), max_size=2),
    unregistered=st.integers(0, 2),
)


@given(known_things)
def test_every_plan_has_a_step_and_only_a_merge_makes_a_release(known: Known) -> None:
    made = plan(known)
    assert made.steps
    assert known.event is Event.MERGE or not any(isinstance(step, MakeRelease | Train) for step in made.steps)


@given(known_things)
def test_a_pull_request_never_holds_a_step_that_needs_a_credential(known: Known) -> None:
    if known.event is Event.PR:
        assert all(isinstance(step, Check) for step in plan(known).steps)


@given(known_things, st.sampled_from(["prod", "staging"]))
def test_one_environments_plan_acts_on_no_other(known: Known, env: str) -> None:
    known = msgspec.structs.replace(
        known,
        open_promotions=[ASKED, Promotion("staging", "wine", 1)],
        rolled_back=[("prod", "wine"), ("staging", "wine")],
    )
    made = only_env(plan(known), env)
    assert made.steps
    assert set(environments(made.steps)) <= {env}
    assert known.event is not Event.SCHEDULE or environments(made.steps) == [env]


def test_one_environments_plan_without_work_there_says_so_and_registers_nothing() -> None:
    known = Known(Event.SCHEDULE, "main", open_promotions=[ASKED], unregistered=1)
    (step,) = only_env(plan(known), "staging").steps
    assert step.reason == "no open promotion in staging"


def test_what_this_run_has_claimed_is_planned_as_at_its_beginning() -> None:
    before = Known(Event.MERGE, "main", next_release=RELEASE)
    after = msgspec.structs.replace(before, claimed=RELEASE, uploaded=True)
    assert kinds(after) == kinds(before)
    assert kinds(msgspec.structs.replace(after, trained=True)) == kinds(before)[:-1]


def test_a_training_of_another_release_that_waits_to_be_registered_does_not_stop_heads() -> None:
    known = Known(
        Event.MERGE, "main", claimed=Release(0, 3, 0), uploaded=True, next_reason="already", unregistered=2
    )
    assert [type(step) for step in plan(known).steps] == [Register, Train]


def test_a_schedule_goes_on_with_an_interrupted_training() -> None:
    known = Known(Event.SCHEDULE, "main", interrupted=Release(0, 3, 0))
    assert plan(known).steps == [
        GoOnTraining(release=Release(0, 3, 0), reason="its training was interrupted: it goes on")
    ]


def test_one_environments_plan_keeps_its_own_tags_wake_and_no_others() -> None:
    known = Known(Event.TAG, str(ASKED), promotion=ASKED, wakes=True)
    assert [type(step) for step in only_env(plan(known), "prod").steps] == [CheckTag, Wake]
    assert [type(step) for step in only_env(plan(known), "staging").steps] == [Nothing]
