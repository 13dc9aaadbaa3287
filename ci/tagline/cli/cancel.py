"""How a person or a CI host stops a command: one interrupt, whichever signal asks first, and its exit code."""

import signal
from types import FrameType


class Cancel:
    """Turns the first SIGINT or SIGTERM into a KeyboardInterrupt; those that follow change nothing.

    Hosts send more than one (Jenkins SIGTERM twice, GitHub SIGINT and then SIGTERM): the second must not break
    what the first began, which takes a canary out of traffic.
    """

    def __init__(self) -> None:
        self.number = 0

    def install(self) -> None:
        """Listen from now on."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._hear)

    def heard(self) -> int:
        """Be deaf from now on, also while Python itself ends; returns the exit code."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        return self.exit_code

    def _hear(self, number: int, _frame: FrameType | None) -> None:
        if not self.number:
            self.number = number
            raise KeyboardInterrupt

    @property
    def exit_code(self) -> int:
        """130 for SIGINT, and where no signal asked (a prompt was left); 143 for SIGTERM."""
        return 128 + (self.number or signal.SIGINT)
