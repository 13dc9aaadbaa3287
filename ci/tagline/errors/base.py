"""What every error of tagline carries: what happened, where, and the way out."""

from typing import ClassVar

INTERNAL = 3
INTERRUPTED = 130
TERMINATED = 143


class TaglineError(Exception):
    """What happened, where, and what to do next; `exit_code` is the process's answer.

    `what` is one sentence; `where` a place (file:line, ref, URL); `fix` a command or an instruction.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, what: str, *, where: str = "", fix: str = "") -> None:
        super().__init__(what)
        self.what, self.where, self.fix = what, where, fix

    @classmethod
    def of_exit_code(cls, code: int) -> "type[TaglineError]":
        """The class with that exit code, this one where there is none."""
        classes = [cls]
        for each in classes:
            classes += each.__subclasses__()
        return next((each for each in classes if each.exit_code == code), cls)

    def __str__(self) -> str:
        place = f"\n  where: {self.where}" if self.where else ""
        way_out = f"\n  fix:   {self.fix}" if self.fix else ""
        return f"{self.what}{place}{way_out}"
