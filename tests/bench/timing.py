"""Whole processes timed in turn, so that a busy machine slows both sides alike."""

import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

RUNS = 20


def wall(argv: Sequence[str], cwd: Path, env: Mapping[str, str]) -> float:
    """Milliseconds from start to end of one process; a failing process is an error."""
    begun = time.perf_counter()
    subprocess.run(argv, cwd=cwd, env=env, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return (time.perf_counter() - begun) * 1000


def side_by_side(
    commands: Mapping[str, Sequence[str]], cwd: Path, env: Mapping[str, str], runs: int = RUNS
) -> str:
    """A Markdown table: minimum, median and maximum of each command in ms, and its ratio to the first."""
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(runs):
        for name, argv in commands.items():
            times[name].append(wall(argv, cwd, env))
    base = statistics.median(next(iter(times.values())))
    rows = ["| command | min ms | median ms | max ms | ratio |", "|---|---|---|---|---|"]
    for name, taken in times.items():
        median = statistics.median(taken)
        rows.append(f"| {name} | {min(taken):.0f} | {median:.0f} | {max(taken):.0f} | {median / base:.1f} |")
    return "\n".join(rows)
