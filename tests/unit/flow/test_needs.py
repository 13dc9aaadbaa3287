"""What an agent must have follows from the step and the policy alone."""

import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tagline.errors import BadWord, UnknownName
from tagline.flow.agents.handover import Agent, share
from tagline.flow.agents.needs import (
    Kind,
    Need,
    Wants,
    here,
    needs,
    next_needs,
    parse_list,
    written,
)
from tagline.flow.plan import environments
from tagline.flow.steps import (
    AnyStep,
    Check,
    FinishRelease,
    FinishRollback,
    GoOnTraining,
    MakeRelease,
    Nothing,
    Promote,
    Register,
    Smoke,
    Train,
)
from tagline.words import Promotion, Release

RELEASE = Release(0, 2, 0)
GPU, PUSH, PLATFORM = (Need(kind) for kind in (Kind.GPU, Kind.PUSH, Kind.PLATFORM))
names = st.from_regex(r"[a-z]([-a-z0-9]{0,8}[a-z0-9])?", fullmatch=True)
all_needs = st.sampled_from([kind for kind in Kind if kind is not Kind.CREDENTIAL]).map(Need) | names.map(
    lambda env: Need(Kind.CREDENTIAL, env)
)
wants = st.builds(Wants, gpu=st.booleans(), docker=st.booleans(), trains_here=st.booleans())
why = {"reason": "why"}
steps: st.SearchStrategy[AnyStep] = st.one_of(
    st.booleans().map(lambda smoke: Check(smoke=smoke, **why)),
    st.sampled_from(
        [
            *(
                kind(release=RELEASE, **why)
                for kind in (Smoke, MakeRelease, FinishRelease, Train, GoOnTraining)
            ),
            Register(**why),
            Nothing(**why),
        ]
    ),
    names.map(lambda env: FinishRollback(env=env, model="wine", **why)),
    names.map(lambda env: Promote(promotion=Promotion(env, "wine", 1), **why)),
)


@given(all_needs)
def test_a_need_reads_back_as_it_is_written(need: Need) -> None:
    assert Need.parse(str(need)) == need


@given(st.frozensets(all_needs))
def test_a_list_of_needs_reads_back_as_it_is_written(found: frozenset[Need]) -> None:
    assert parse_list(written(found) if found else "") == found


@pytest.mark.parametrize("text", ["credential", "gpu:prod", "credential:", "credential:Prod"])
def test_a_malformed_need_is_refused(text: str) -> None:
    with pytest.raises(BadWord):
        Need.parse(text)


def test_an_unknown_need_names_the_nearest() -> None:
    with pytest.raises(UnknownName) as caught:
        Need.parse("gpus")
    assert "'gpu'" in str(caught.value)


@given(steps, wants)
def test_only_what_acts_on_an_environment_needs_its_credential(step: AnyStep, wanted: Wants) -> None:
    credentials = [need.env for need in needs(step, wanted) if need.kind is Kind.CREDENTIAL]
    assert credentials == environments([step])


@given(steps, wants)
def test_a_gpu_is_needed_only_where_something_trains_that_wants_one(step: AnyStep, wanted: Wants) -> None:
    if GPU in needs(step, wanted):
        assert wanted.gpu
        assert isinstance(step, Smoke | Train | GoOnTraining | Check)
        assert not isinstance(step, Train | GoOnTraining) or wanted.trains_here


@given(wants)
def test_the_claim_never_needs_what_the_smoke_training_needs(wanted: Wants) -> None:
    smoke, claim = (needs(kind(release=RELEASE, **why), wanted) for kind in (Smoke, MakeRelease))
    assert not smoke & claim
    assert claim == {PUSH, PLATFORM}


@given(wants, st.booleans())
def test_a_pull_request_needs_neither_push_nor_a_credential(wanted: Wants, smoke: bool) -> None:
    kinds = {need.kind for need in needs(Check(smoke=smoke, **why), wanted)}
    assert not kinds & {Kind.PUSH, Kind.PLATFORM, Kind.CREDENTIAL}


agents = st.builds(Agent, have=st.frozensets(all_needs), only=st.none() | all_needs)


@given(st.lists(steps, max_size=5), wants, agents, st.booleans())
def test_an_agent_does_what_it_can_and_nothing_that_it_cannot(
    left: list[AnyStep], wanted: Wants, agent: Agent, independent: bool
) -> None:
    mine, others = share(left, wanted, agent, independent)
    assert len(mine) + len(others) == len(left)
    assert all(agent.can(needs(step, wanted)) for step in mine)
    if not independent:
        passed = itertools.takewhile(
            lambda step: agent.can(needs(step, wanted)) or isinstance(step, FinishRollback), left
        )
        assert [step for step in passed if agent.can(needs(step, wanted))] == mine


def test_a_release_does_not_wait_for_the_record_of_a_rollback_that_needs_a_credential() -> None:
    steps = [FinishRollback(env="prod", model="m", **why), Check(smoke=False, **why), Register(**why)]
    mine, others = share(steps, Wants(), Agent(have=frozenset()), independent=False)
    assert mine == [steps[1]]
    assert next_needs(others) == {PUSH, PLATFORM}, "what environments wait for comes last"


@given(st.lists(st.frozensets(all_needs), min_size=1))
def test_the_next_agent_gets_a_credential_only_where_nothing_else_is_left(
    left: list[frozenset[Need]],
) -> None:
    chosen = next_needs(left)
    assert chosen in left
    bound = [any(one.kind is Kind.CREDENTIAL for one in needed) for needed in left]
    assert any(one.kind is Kind.CREDENTIAL for one in chosen) == all(bound)


def test_a_gpu_is_here_where_its_device_is(tmp_path: Path) -> None:
    assert GPU not in here(["prod"], tmp_path)
    (tmp_path / "nvidiactl").touch()
    assert GPU not in here(["prod"], tmp_path)
    (tmp_path / "nvidia0").touch()
    assert {GPU, PUSH, Need(Kind.CREDENTIAL, "prod")} <= here(["prod"], tmp_path)
