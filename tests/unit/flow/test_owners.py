"""Owner keys: no key is ever used for two trainings."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from tagline.flow.releasing.owners import next_owner
from tagline.platforms import Run, RunState

PREFIX = "wine/0.1.0/full/"
ENDED = st.sampled_from([RunState.SUCCEEDED, RunState.FAILED])


def run(number: int, state: RunState) -> Run:
    return Run(str(number), f"{PREFIX}{number}", state, Path("out"))


def test_the_first_training_has_number_1() -> None:
    assert next_owner(PREFIX, []) == f"{PREFIX}1"


def test_an_interrupted_training_is_taken_up_again() -> None:
    assert next_owner(PREFIX, [run(1, RunState.SUCCEEDED), run(2, RunState.INTERRUPTED)]) == f"{PREFIX}2"


def test_a_new_machine_goes_on_after_what_the_ledger_knows() -> None:
    recorded = [f"{PREFIX}1", f"{PREFIX}2", "wine/0.2.0/full/7"]
    assert next_owner(PREFIX, [], recorded) == f"{PREFIX}3"
    assert next_owner(PREFIX, [run(2, RunState.INTERRUPTED)], recorded) == f"{PREFIX}3"


def test_a_run_of_a_schedule_that_goes_on_is_nobodys_training_to_take_up() -> None:
    late = Run("9", f"{PREFIX}s-nightly-20270115T1700Z", RunState.RUNNING, Path("out"))
    assert next_owner(PREFIX, [late]) == f"{PREFIX}1"
    assert next_owner(PREFIX, [run(1, RunState.RUNNING), late]) == f"{PREFIX}1"
    assert next_owner(PREFIX, [run(1, RunState.FAILED), late]) == f"{PREFIX}2"


@given(
    st.lists(st.tuples(st.integers(1, 30), ENDED), unique_by=lambda one: one[0]), st.sets(st.integers(1, 30))
)
def test_the_next_key_is_new(before: list[tuple[int, RunState]], recorded: set[int]) -> None:
    runs = [run(number, state) for number, state in sorted(before)]
    owners = {f"{PREFIX}{number}" for number in recorded}
    assert next_owner(PREFIX, runs, owners) not in owners | {one.owner for one in runs}
