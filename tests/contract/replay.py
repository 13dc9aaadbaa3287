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

from tests.contract.replaying import masking, planting, recording, sending  # noqa: E402
from tests.fakes.kfp import FakeKfp  # noqa: E402
from tests.fakes.kfp.world import MODES, Quirks  # noqa: E402

REASONS = HERE / "replay-reasons.json"


@dataclass
class Outcome:
    """The numbers, and each difference as (exchange, lines)."""

    equal: int = 0
    skipped: int = 0
    differing: list[tuple[recording.Exchange, list[str]]] = field(default_factory=list)

    def line(self) -> str:
        return f"{self.equal} equal, {len(self.differing)} differ, {self.skipped} not replayable"


def replay(path: Path, mode: str | None = None, quirks: Quirks | None = None) -> Outcome:
    """Every exchange of a file, on a fake of its mode."""
    exchanges = recording.load(path)
    mode = mode or recording.mode(path, exchanges)
    outcome, ids, tokens = Outcome(), masking.Ids(), dict[str, str]()
    later = planting.seen(exchanges)
    with FakeKfp(mode, namespace=recording.namespace(exchanges, mode)) as fake:
        fake.world.quirks = quirks or fake.world.quirks
        planting.stage(fake, exchanges)
        for one in recording.in_order(exchanges):
            planting.prepare(fake, one, later)
            if not one.replayable:
                outcome.skipped += 1
                planting.after(fake, one)
                continue
            lines = _compared(fake, one, ids, tokens)
            if lines:
                outcome.differing.append((one, lines))
            else:
                outcome.equal += 1
            planting.after(fake, one)
    return outcome


def _compared(fake: FakeKfp, one: recording.Exchange, ids: masking.Ids, tokens: dict[str, str]) -> list[str]:
    try:
        status, headers, body = sending.send(fake, one, ids, tokens)
    except sending.NoAnswer:
        fake.calm()
        return [] if one.status is None else [f"no answer, recorded {one.status}"]
    if status != one.status:
        return [f"status: recorded {one.status}, answered {status}: {str(body)[:300]}"]
    kind = headers.get("Content-Type", "").split(";")[0]
    lines = (
        [] if kind == one.content_type else [f"Content-Type: recorded {one.content_type}, answered {kind}"]
    )
    if recording.elided(one.answer):
        return lines
    masking.learn(ids, one.answer, body)
    _learn_token(tokens, one.answer, body)
    body = json.loads(ids.to_recorded(json.dumps(body, ensure_ascii=False)))
    return lines + masking.differences(masking.masked(one.answer), masking.masked(body))


def _learn_token(tokens: dict[str, str], recorded: Any, answered: Any) -> None:
    if isinstance(recorded, dict) and isinstance(answered, dict) and "next_page_token" in recorded:
        tokens[recorded["next_page_token"]] = answered.get("next_page_token", "")


def reasons(path: Path) -> dict[str, str]:
    """Why exchanges of this file may differ: by number, or by label."""
    written: dict[str, dict[str, str]] = json.loads(REASONS.read_text())
    return written.get(path.name, {})


def reason(one: recording.Exchange, written: dict[str, str]) -> str:
    return written.get(str(one.seq)) or written.get(one.label, "")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--mode", choices=MODES)
    given = parser.parse_args(arguments)
    outcome, written = replay(given.file, given.mode), reasons(given.file)
    unexplained = 0
    for one, lines in outcome.differing:
        why = reason(one, written)
        unexplained += not why
        print(f"{one.seq} {one.label} {one.method} {one.path[:100]}{': because ' + why if why else ''}")
        for line in lines[:6]:
            print(f"    {line}")
    print(outcome.line())
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
