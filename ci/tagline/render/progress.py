"""What is told while a command runs, line by line: plain in CI, overwritten in place on a terminal."""

from collections.abc import Callable
from typing import Any, TextIO

MARKS = {"done": "ok", "nothing to do": "--", "not run": "..", "failed": "!!"}
EVERY = 10


def teller(stream: TextIO) -> Callable[[object], None]:
    """A function that prints what the flow tells; a rollout's progress is thinned out to every tenth look."""
    return _Teller(stream).tell


class _Teller:
    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._looks = 0

    def tell(self, told: object) -> None:
        line = self._line(told)
        if line:
            print(line, file=self._stream, flush=True)

    def _line(self, told: Any) -> str:
        from tagline.flow.report import Said, StepReport
        from tagline.flow.results.results import Cases
        from tagline.platforms import TaskEvent

        match told:
            case Cases():
                return ""
            case Said():
                return str(told.text)
            case StepReport():
                took = f"  ({told.seconds:.1f} s)" if told.seconds >= 0.1 else ""
                return f"[{MARKS[told.outcome]}] {told.step}: {told.why}{took}"
            case TaskEvent():
                took = f" in {told.seconds:.1f} s" if told.seconds is not None else ""
                return f"     task {told.task} {told.state}{took}"
            case _:
                return self._rollout(told)

    def _rollout(self, told: Any) -> str:
        from tagline.rollout import told as said

        match told:
            case said.Deploying():
                return f"starting a server of {told.candidate}"
            case said.WeightMoved():
                return "weights: " + ", ".join(f"{name} {weight} %" for name, weight in told.weights.items())
            case said.StepEntered():
                return f"step {told.step} of {told.steps}: {told.weight} % for {told.seconds:g} s"
            case said.Progress():
                return self._progress(told)
            case said.NoTraffic():
                return f"no request for {told.seconds:.0f} s: a canary needs traffic; make some with: {told.hint}"
            case said.Blind():
                return f"no measurements for {told.seconds:.0f} s ({told.why}); weight 0 after {told.ttl:g} s"
            case said.Paused():
                return f"paused: {told.why}"
            case said.Resumed():
                return (
                    f"going on where an earlier call stopped: {told.phase}, {told.responses} responses known"
                )
            case said.Decided():
                return f"decided: {told.outcome.verdict}: {told.outcome.reason}"
            case said.Finished():
                return _finished(told.outcome)
            case said.Removed():
                return f"stopped the server of {told.version}"
            case _:
                return str(told)

    def _progress(self, told: Any) -> str:
        self._looks += 1
        if self._looks % EVERY != 1:
            return ""
        tally = told.tally
        needs = f", needs {told.needs} more requests" if told.needs else ""
        return (
            f"     {tally.canary} responses of the canary, {tally.canary_bad} bad; {tally.stable} of the stable model, "
            f"{tally.stable_bad} bad{needs}"
        )


def _finished(outcome: Any) -> str:
    tally = outcome.tally
    reacted = (
        f", weight 0 within {outcome.reaction:.1f} s of the first" if outcome.reaction is not None else ""
    )
    return (
        f"{outcome.candidate} {outcome.verdict}: {tally.canary_bad} bad responses of the canary{reacted}; "
        f"{tally.client_bad} seen by clients; {tally.requests} requests in {outcome.seconds:.0f} s"
    )
