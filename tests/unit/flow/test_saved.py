"""A plan file and its state folder say what they were given, or are refused."""

import random
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tagline.errors import CallError, PlanDiffers, StateTampered
from tagline.flow.agents.kept import StateFolder
from tagline.flow.agents.saved import Saved, SavedStep, key, kind, read, require_same, subject, todo
from tagline.flow.releasing.release import Built
from tagline.flow.report import done
from tagline.flow.steps import AnyStep, Check, MakeRelease, Promote, Register, Smoke, Train
from tagline.git.occasion import Event
from tagline.words import Promotion, Release

RELEASE = Release(0, 2, 0)
WHY = {"reason": "why"}
STEPS: list[AnyStep] = [
    Check(smoke=False, **WHY),
    Smoke(release=RELEASE, **WHY),
    MakeRelease(release=RELEASE, **WHY),
    Train(release=RELEASE, **WHY),
]
texts = st.text(max_size=12)


def saved(steps: list[AnyStep], **more: object) -> Saved:
    given: dict[str, object] = {
        "run": "a1b2",
        "event": Event.MERGE,
        "ref": "main",
        "head": "h" * 40,
        "policy": "p",
        "refs": {"refs/tags/v0.1.0": "1"},
        "steps": [SavedStep(kind(step), subject(step)) for step in steps],
    }
    return Saved(**{**given, **more})  # type: ignore[arg-type]


def test_a_plan_file_reads_back_as_it_was_written(tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    file.write_bytes(msgspec.json.encode(saved(STEPS)))
    assert read(file) == saved(STEPS)


@pytest.mark.parametrize("text", ["", "{}", "[]", "{", '{"run": 1}', "\udcff"])
def test_a_file_that_is_no_plan_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "plan.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(CallError):
        read(tmp_path / "plan.json")


def test_a_plan_file_with_a_key_that_is_not_its_own_or_of_another_form_is_refused(tmp_path: Path) -> None:
    plain = msgspec.to_builtins(saved(STEPS))
    for more in ({"command": "rm -rf /"}, {"format": 2}, {"run": "a.b"}):
        (tmp_path / "plan.json").write_bytes(msgspec.json.encode({**plain, **more}))
        with pytest.raises(CallError):
            read(tmp_path / "plan.json")


@given(st.dictionaries(texts, texts, max_size=3), st.dictionaries(texts, texts, max_size=3), texts, texts)
def test_plans_are_the_same_only_with_the_same_head_policy_and_refs(
    one: dict[str, str], other: dict[str, str], head: str, policy: str
) -> None:
    planned, own = saved(STEPS, refs=one), saved(STEPS, refs=other, head=head, policy=policy)
    if (planned.refs, planned.head, planned.policy) == (own.refs, own.head, own.policy):
        require_same(planned, own)
    else:
        with pytest.raises(PlanDiffers):
            require_same(planned, own)


@given(st.sets(st.sampled_from([key(step) for step in STEPS])))
def test_what_is_left_is_the_own_plan_without_what_is_done(finished: set[str]) -> None:
    left = todo(saved(STEPS), STEPS, finished)
    assert left == [step for step in STEPS if key(step) not in finished]


@pytest.mark.parametrize(
    "changed", [STEPS[1:], [STEPS[0], STEPS[2]], STEPS[:2]], ids=["check", "smoke", "claim"]
)
def test_a_planned_step_that_this_agent_does_not_plan_is_refused_unless_it_is_done(
    changed: list[AnyStep],
) -> None:
    with pytest.raises(PlanDiffers):
        todo(saved(STEPS), changed, set())
    assert todo(saved(STEPS), changed, {key(step) for step in STEPS}) == []


@pytest.mark.parametrize("extra", [Promote(promotion=Promotion("prod", "wine", 1), **WHY), *STEPS[:3]])
def test_a_step_that_the_file_does_not_plan_is_refused(extra: AnyStep) -> None:
    with pytest.raises(PlanDiffers):
        todo(saved([]), [extra], set())


def test_a_step_that_looks_at_the_platform_first_may_come_and_go() -> None:
    assert todo(saved(STEPS), STEPS[:3], set()) == STEPS[:3]
    register = Register(**WHY)
    assert todo(saved(STEPS), [register, *STEPS], set())[0] is register


def filled(folder: Path) -> StateFolder:
    kept = StateFolder(folder, "digest")
    kept.keep(key(STEPS[0]), done("check", "6 checks passed"))
    kept.keep(key(STEPS[1]), done("smoke", "it ran"), Built("c" * 40, "wine", "env:sha256:1", "text: ä\n"))
    return kept


def test_results_read_back_as_they_were_kept(tmp_path: Path) -> None:
    filled(tmp_path)
    again = StateFolder(tmp_path, "digest")
    assert again.done == {"Check", "Smoke 0.2.0"}
    assert again.built == {"wine": Built("c" * 40, "wine", "env:sha256:1", "text: ä\n")}


def test_without_a_folder_results_last_as_long_as_the_call() -> None:
    kept = StateFolder(None, "digest")
    kept.keep("Check", done("check", "fine"))
    assert kept.done == {"Check"}


def test_a_result_is_never_read_for_another_plan_or_another_step(tmp_path: Path) -> None:
    filled(tmp_path)
    with pytest.raises(StateTampered, match="another plan"):
        StateFolder(tmp_path, "other digest")
    (tmp_path / "Check.json").rename(tmp_path / "MakeRelease__0.2.0.json")
    with pytest.raises(StateTampered, match="holds the result of 'Check'"):
        StateFolder(tmp_path, "digest")


def test_a_half_written_draft_counts_for_nothing(tmp_path: Path) -> None:
    filled(tmp_path)
    (tmp_path / ".MakeRelease__0.2.0.json.77").write_text("{")
    assert StateFolder(tmp_path, "digest").done == {"Check", "Smoke 0.2.0"}


def test_no_byte_of_a_result_can_be_changed_or_cut_off_unnoticed(tmp_path: Path) -> None:
    filled(tmp_path)
    file = tmp_path / "Smoke__0.2.0.json"
    whole, known = file.read_bytes(), StateFolder(tmp_path, "digest")
    chance = random.Random(7)
    for place in chance.sample(range(len(whole)), 150):
        for broken in (whole[:place], whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]):
            file.write_bytes(broken)
            try:
                again = StateFolder(tmp_path, "digest")
            except StateTampered:
                continue
            assert (again.done, again.built) == (known.done, known.built)  # white space between values
