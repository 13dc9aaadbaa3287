"""The fake's own time: it stands still until a test moves it."""

import time


class Clock:
    """Seconds since 1970; starts now, and goes on only by `advance`."""

    def __init__(self, start: float | None = None) -> None:
        self.now = float(int(time.time() if start is None else start))

    def advance(self, seconds: float) -> None:
        self.now += seconds
