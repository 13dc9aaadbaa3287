"""Which row goes into which part: shares kept, the same for the same seed everywhere, blocks never torn.

A block is what must stay together: a row, the rows of a group, the rows of one moment. The order of blocks is that of
a digest over the seed and the block's name, so no random generator of a library decides. All arithmetic is of whole
numbers.
"""

import hashlib
import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

from tagline_task.errors import ContractError
from tagline_task.values import shown

PARTS = ("train", "validation", "test")
Rows = list[int]


class Shares(NamedTuple):
    """Whole-number weights of train, validation and test; a row weighs their sum."""

    weights: tuple[int, int, int]

    @property
    def row(self) -> int:
        return sum(self.weights)

    def quotas(self, rows: int) -> list[int]:
        """What each part should get of so many rows, in weights: divided by `row` it is rows."""
        return [rows * weight for weight in self.weights]


def shares(validation: float, test: float) -> Shares:
    """The shares of the three parts, taken as the decimals that they are written as: 0.1 is a tenth.

    Raises `ContractError` for one that is not in 0..1, and where nothing is left to train with.
    """
    given = {"validation_share": validation, "test_share": test}
    for name, value in given.items():
        if not math.isfinite(value) or not 0 <= value <= 1:
            raise ContractError(f"argument {name} wants a share from 0 to 1, got {shown(value)}")
    low, high = (Fraction(repr(float(value))) for value in given.values())
    rest = 1 - low - high
    if rest <= 0:
        raise ContractError(
            f"validation_share {validation} and test_share {test} leave nothing to train with: their sum is below 1"
        )
    whole = math.lcm(*(each.denominator for each in (rest, low, high)))
    train, first, second = (int(each * whole) for each in (rest, low, high))
    return Shares((train, first, second))


def at_random(rows: int, wanted: Shares, seed: int) -> list[Rows]:
    """Each part's rows, in their order: as many as its share says, to less than one row more or two fewer."""
    made, _ = _filled([[row] for row in _shuffled(range(rows), seed)], wanted.quotas(rows), wanted)
    return [sorted(part) for part in made]


def stratified(classes: Sequence[Hashable], wanted: Shares, seed: int) -> list[Rows]:
    """As `at_random` within each class; what one class could not divide evenly is made good by the next.

    A part has of each class less than three rows more or fewer than its share.
    """
    made: list[Rows] = [[], [], []]
    carried = [0, 0, 0]
    for members in sorted(_grouped(classes).values(), key=lambda rows: (-len(rows), rows[0])):
        quotas = [own + over for own, over in zip(wanted.quotas(len(members)), carried, strict=True)]
        filled, carried = _filled([[row] for row in _shuffled(members, seed)], quotas, wanted)
        made = [part + more for part, more in zip(made, filled, strict=True)]
    return [sorted(part) for part in made]


def by_group(groups: Sequence[Hashable], wanted: Shares, seed: int) -> list[Rows]:
    """Each group whole in one part; no part has more than its share by as much as the largest group."""
    members = _grouped(groups)
    order = sorted(members, key=lambda name: _digest(seed, f"{type(name).__name__} {name!r}"))
    made, _ = _filled([members[name] for name in order], wanted.quotas(len(groups)), wanted)
    return [sorted(part) for part in made]


def by_time(moments: Sequence[Hashable], wanted: Shares) -> list[Rows]:
    """The oldest rows to train, the newest to test; rows of one moment stay together.

    A border lies where it is nearest to the share, at most half a moment's rows away.
    """
    members = _grouped(moments)
    made: list[Rows] = [[], [], []]
    first, second = wanted.weights[0], wanted.weights[0] + wanted.weights[1]
    past, total = 0, len(moments)
    for moment in sorted(members):  # type: ignore[type-var]  # moments have an order
        middle = (2 * past + len(members[moment])) * wanted.row  # twice the block's middle, in weights
        part = 0 if middle <= 2 * first * total else 1 if middle <= 2 * second * total else 2
        made[part] += members[moment]
        past += len(members[moment])
    return [sorted(part) for part in made]


def _filled(blocks: Iterable[Rows], quotas: list[int], wanted: Shares) -> tuple[list[Rows], list[int]]:
    """Each block to the part that lacks most, the first of equals; and what each lacks in the end."""
    made: list[Rows] = [[], [], []]
    lack = list(quotas)
    for block in blocks:
        part = lack.index(max(lack))
        made[part] += block
        lack[part] -= len(block) * wanted.row
    return made, lack


def _grouped(names: Sequence[Hashable]) -> dict[Hashable, Rows]:
    found: dict[Hashable, Rows] = {}
    for row, name in enumerate(names):
        found.setdefault(name, []).append(row)
    return found


def _shuffled(rows: Iterable[int], seed: int) -> Rows:
    return sorted(rows, key=lambda row: _digest(seed, str(row)))


def _digest(seed: int, name: str) -> bytes:
    return hashlib.blake2b(f"{seed}\0{name}".encode(), digest_size=16).digest()


def empty(made: Sequence[Rows], wanted: Shares) -> Mapping[str, int]:
    """The parts that were asked for and got no row, each with its share in weights."""
    pairs = zip(PARTS, wanted.weights, made, strict=True)
    return {name: weight for name, weight, rows in pairs if weight and not rows}
