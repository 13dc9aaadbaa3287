"""A machine for the commands of the documentation."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.machine import Machine, a_machine


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with a_machine(tmp_path) as machine:
        yield machine
