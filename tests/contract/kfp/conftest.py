"""The server under test: the fake, or the real one whose address TAGLINE_REAL_KFP gives.

No __init__.py stands here: the package would be named kfp and hide the SDK.
"""

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract.kfp.asking import START
from tests.contract.kfp.under_test import Server
from tests.fakes.kfp import FakeKfp

REAL = "TAGLINE_REAL_KFP"


@pytest.fixture
def server(record_property: Any) -> Iterator[Server]:
    """A server with nothing of this test's names on it, before and after."""
    address = os.environ.get(REAL)
    if address:
        yield from _served(address.rstrip("/"), None, record_property)
        return
    with FakeKfp("database-utf8mb4") as fake:
        yield from _served(fake.url, fake, record_property)


def _served(url: str, fake: FakeKfp | None, record_property: Any) -> Iterator[Server]:
    made = Server(url, fake, {})
    made.met = made.ask("GET", "/healthz")
    record_property("kfp", json.dumps(made.met))
    print(f"met {'the fake' if fake else url}: {made.met}")
    try:
        yield made
    finally:
        if fake:
            fake.calm()
        made.clear()


@pytest.fixture
def fake() -> Iterator[FakeKfp]:
    """The fake alone, at a midnight."""
    with FakeKfp("database-utf8mb4", start=START) as kfp:
        yield kfp
