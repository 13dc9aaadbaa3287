"""Replay a recording of a real Kubeflow Pipelines server on the fake: `replay.py FILE [--mode MODE] [--verbose]`.

Ends with `N equal, N differ, N not replayable`; exit 0 only where each difference has a written reason, in
`replay-reasons.json` beside this file (file name → label or number → reason).
"""

import argparse
import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
if __name__ == "__main__":
    sys.path.insert(0, str(HERE.parent.parent))

from tests.contract.replaying import following, masking, planting, preconditions, recording, sending  # noqa: E402
from tests.fakes.kfp import FakeKfp  # noqa: E402
from tests.fakes.kfp.world import MODES, Quirks  # noqa: E402

COUNTS = (".total_size", ".next_page_token")
LATEST = ".pipeline_version_reference.pipeline_version_id"
REASONS = HERE / "replay-reasons.json"


@dataclass
class Outcome:
    """The numbers, and each difference as (exchange, lines)."""

    equal: int = 0
    skipped: int = 0
    gaps: bool = False
    native: bool = False
    differing: list[tuple[recording.Exchange, list[str]]] = field(default_factory=list)

    def line(self) -> str:
        return f"{self.equal} equal, {len(self.differing)} differ, {self.skipped} not replayable"


class Replay:
    """One recording on one fake."""

    def __init__(self, fake: FakeKfp, exchanges: list[recording.Exchange]) -> None:
        self.fake = fake
        self.ordered = recording.in_order(exchanges)
        self.gaps = recording.gaps(exchanges)
        self.later = planting.seen(exchanges)
        self.waiting = planting.unmade(exchanges, self.later)
        self.ids = masking.Ids(sending.ids_in(json.dumps([one.answer for one in exchanges])))
        self.tokens: dict[str, str] = {}
        self.outcome = Outcome(gaps=self.gaps, native=fake.world.native)
        planting.stage(fake, exchanges)

    def run(self) -> Outcome:
        for place, one in enumerate(self.ordered):
            planting.due(self.fake, self.waiting, one.at)
            if self.gaps:
                preconditions.assume(self.fake, one, self.later)
            planting.prepare(self.fake, one, self.later)
            if self.gaps:
                following.catch_up(self.fake, one)
            self._one(place, one)
            planting.after(self.fake, one)
            self.fake.calm()
        return self.outcome

    def _one(self, place: int, one: recording.Exchange) -> None:
        if not one.replayable:
            self.outcome.skipped += 1
            return
        lines, answered = self._compared(one)
        elsewhere = self.gaps or self.fake.world.native  # kubectl's changes are in no recording of REST
        if lines and elsewhere and one.method == "GET" and self._forgotten(place, one, answered):
            lines, _ = self._compared(one)
        if lines:
            self.outcome.differing.append((one, lines))
        else:
            self.outcome.equal += 1

    def _forgotten(self, place: int, one: recording.Exchange, answered: Any) -> bool:
        """Where requests are left out, a list may lack what one of them deleted."""
        rest = json.dumps([[each.path, each.answer] for each in self.ordered[place + 1 :]])
        return following.forget(self.fake, one, answered, set(sending.ids_in(rest)))

    def _compared(self, one: recording.Exchange) -> tuple[list[str], Any]:
        """How the fake's answer differs, and that answer."""
        try:
            status, headers, body = sending.send(self.fake, one, self.ids, self.tokens)
        except sending.NoAnswer:
            self.fake.calm()
            return ([] if one.status is None else [f"no answer, recorded {one.status}"]), None
        if status != one.status:
            return [f"status: recorded {one.status}, answered {status}: {str(body)[:300]}"], body
        kind = headers.get("Content-Type", "").split(";")[0]
        said = f"Content-Type: recorded {one.content_type}, answered {kind}"
        lines = [] if kind == one.content_type else [said]
        if recording.elided(one.answer):
            return lines, body
        masking.learn(self.ids, one.answer, body)
        _learn_token(self.tokens, one.answer, body)
        body = json.loads(self.ids.to_recorded(json.dumps(body, ensure_ascii=False)))
        recorded, answered = masking.masked(one.answer), masking.masked(body)
        if self.fake.world.native:
            recorded, answered = masking.without_ties(recorded), masking.without_ties(answered)
        return lines + masking.differences(recorded, answered), body


def replay(path: Path, mode: str | None = None, quirks: Quirks | None = None) -> Outcome:
    """Every exchange of a file, on a fake of its mode."""
    exchanges = recording.load(path)
    mode = mode or recording.mode(path, exchanges)
    with FakeKfp(mode, namespace=recording.namespace(exchanges, mode)) as fake:
        fake.world.quirks = quirks or fake.world.quirks
        outcome = Replay(fake, exchanges).run()
    outcome.skipped += recording.others(path)
    return outcome


def _learn_token(tokens: dict[str, str], recorded: Any, answered: Any) -> None:
    if isinstance(recorded, dict) and isinstance(answered, dict) and "next_page_token" in recorded:
        tokens[recorded["next_page_token"]] = answered.get("next_page_token", "")


def reasons(path: Path) -> dict[str, str]:
    """Why exchanges may differ: of this file by number or label, of any by what kind of difference it is."""
    written: dict[str, dict[str, str]] = json.loads(REASONS.read_text())
    return written["any"] | written.get(path.name, {})


def reason(one: recording.Exchange, lines: list[str], of: Outcome, written: dict[str, str]) -> str:
    """The written reason for one difference, or nothing."""
    if of_file := written.get(str(one.seq)) or written.get(one.label):
        return of_file
    listed = one.method == "GET" and isinstance(one.answer, dict)
    if listed and of.gaps and all(line.startswith(COUNTS) for line in lines):
        return written["left-out"]
    if of.gaps and all(line.startswith(LATEST) for line in lines):
        return written["latest"]
    if listed and of.native and "next_page_token" in one.answer:
        return written["ties"]
    return ""


def unexplained(outcome: Outcome, written: dict[str, str]) -> list[tuple[recording.Exchange, list[str]]]:
    """The differences that nobody has given a reason for."""
    return [(one, lines) for one, lines in outcome.differing if not reason(one, lines, outcome, written)]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--mode", choices=MODES)
    given = parser.parse_args(arguments)
    outcome, written = replay(given.file, given.mode), reasons(given.file)
    for one, lines in outcome.differing:
        why = reason(one, lines, outcome, written)
        print(f"{one.seq} {one.label} {one.method} {one.path[:100]}{': because ' + why if why else ''}")
        for line in lines[:6]:
            print(f"    {line}")
    print(outcome.line())
    return 1 if unexplained(outcome, written) else 0


if __name__ == "__main__":
    sys.exit(main())
