"""With a key, the state folder is believed only where a tagline with the same key wrote it."""

import os
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tagline.engines import sandbox
from tagline.errors import ConfigError, StateNotSealed
from tagline.flow.agents.kept import Kept, StateFolder
from tagline.flow.agents.seal import KEY_VARIABLE, NO_SEAL, Seal, take
from tagline.flow.report import done
from tagline.secrets.scan import looks_secret
from tagline.secrets.sources import Names
from tagline_task.masking import Secret

KEY = "k" * 40
SEAL = Seal(Secret(KEY), "c" * 40)
FILE = "Check.json"


def written(folder: Path, seal: Seal) -> None:
    StateFolder(folder, "digest", seal).keep("Check", done("check", "6 checks passed"))


def test_what_a_tagline_with_the_key_wrote_is_read_by_one_that_has_it_too(tmp_path: Path) -> None:
    written(tmp_path, SEAL)
    assert StateFolder(tmp_path, "digest", SEAL).done == {"Check"}
    assert KEY not in (tmp_path / FILE).read_text()


@pytest.mark.parametrize(
    ("writer", "reader", "why"),
    [
        (NO_SEAL, SEAL, "carries no HMAC"),
        (SEAL, NO_SEAL, "is not set here"),
        (Seal(Secret("other" * 8), SEAL.commit), SEAL, "not made with"),
        (Seal(SEAL.key, "d" * 40), SEAL, "not made with"),
    ],
    ids=["forged without a key", "no key here", "another key", "another commit"],
)
def test_a_result_without_the_right_hmac_is_refused(
    tmp_path: Path, writer: Seal, reader: Seal, why: str
) -> None:
    written(tmp_path, writer)
    with pytest.raises(StateNotSealed, match=why) as refused:
        StateFolder(tmp_path, "digest", reader)
    assert KEY not in str(refused.value)


@pytest.mark.parametrize(
    "change", [{"plan": "other"}, {"step": "MakeRelease 0.2.0"}, {"report": done("check", "7")}]
)
def test_a_sealed_result_that_is_changed_is_refused_even_with_a_right_digest(
    tmp_path: Path, change: dict[str, object]
) -> None:
    written(tmp_path, SEAL)
    kept = msgspec.structs.replace(msgspec.json.decode((tmp_path / FILE).read_bytes(), type=Kept), **change)
    kept = msgspec.structs.replace(kept, sha256=kept.digest())
    (tmp_path / FILE).write_bytes(msgspec.json.encode(kept))
    with pytest.raises(StateNotSealed, match="not made with"):
        StateFolder(tmp_path, kept.plan, SEAL)


@given(st.text(max_size=8), st.text(max_size=8), st.text(max_size=8), st.text(max_size=8))
def test_commit_and_content_cannot_be_shifted_into_each_other(a: str, b: str, c: str, d: str) -> None:
    first = Kept(a, b, done("check", "fine"))
    second = Kept(c, d, done("check", "fine"))
    same = (a, b) == (c, d)
    assert (SEAL.hmac(first.content()) == SEAL.hmac(second.content())) == same


def test_the_key_is_taken_out_of_the_environment_and_names_itself_a_secret() -> None:
    environ = {KEY_VARIABLE: KEY, "PATH": "/bin"}
    assert take(environ).open() == KEY
    assert environ == {"PATH": "/bin"}
    assert not take(environ)
    assert looks_secret(KEY_VARIABLE)


def test_a_key_that_could_be_guessed_is_refused() -> None:
    with pytest.raises(ConfigError, match="32") as refused:
        take({KEY_VARIABLE: "short-key"})
    assert "short-key" not in str(refused.value)


def test_neither_the_sandbox_nor_a_tasks_wish_for_a_secret_gets_the_key(tmp_path: Path) -> None:
    outer = {**os.environ, KEY_VARIABLE: KEY}
    assert KEY not in sandbox.environment(outer, {}, tmp_path).values()
    assert Names(outer).get(KEY_VARIABLE) is None
