"""The tree of errors: every way to end has its own exit code and says what happened, where and what to do."""

from collections.abc import Iterator

import pytest
from tagline import errors
from tagline.errors import INTERNAL, INTERRUPTED, TERMINATED, TaglineError

FAMILIES = {
    "RepositoryError": range(10, 20),
    "ConfigError": range(20, 30),
    "PipelineError": range(30, 40),
    "VersionError": range(40, 50),
    "LedgerError": range(50, 60),
    "GateError": range(60, 70),
    "RolloutError": range(70, 80),
    "PlatformError": range(80, 90),
    "EngineError": range(90, 100),
    "CallError": range(110, 120),
    "SecretsError": range(100, 110),
    "KfpError": range(120, 130),
}


def tree(root: type[TaglineError]) -> Iterator[type[TaglineError]]:
    yield root
    for child in root.__subclasses__():
        yield from tree(child)


CLASSES = [each for each in tree(TaglineError) if each.__module__.startswith("tagline.errors.")]


def test_no_two_errors_share_an_exit_code() -> None:
    codes = [each.exit_code for each in CLASSES]
    assert sorted(set(codes)) == sorted(codes)


def test_no_error_takes_a_code_that_means_something_else() -> None:
    assert not {each.exit_code for each in CLASSES} & {0, 2, INTERNAL, INTERRUPTED, TERMINATED}


@pytest.mark.parametrize("error", CLASSES, ids=lambda each: each.__name__)
def test_an_error_says_in_its_docstring_when_it_is_raised(error: type[TaglineError]) -> None:
    assert (error.__doc__ is not None and error.__doc__ != TaglineError.__doc__) or error is TaglineError
    assert error.__doc__.splitlines()[0].endswith(".")


@pytest.mark.parametrize(
    "error", [each for each in CLASSES if each is not TaglineError], ids=lambda each: each.__name__
)
def test_an_error_has_a_code_of_its_own_in_its_familys_range(error: type[TaglineError]) -> None:
    family = next(each for each in error.__mro__ if each.__name__ in FAMILIES)
    assert "exit_code" in vars(error)
    assert error.exit_code in FAMILIES[family.__name__]


def test_an_error_prints_what_where_and_the_way_out() -> None:
    error = errors.BadWord("'X' is not a name", where="tagline.yaml:1:1", fix="write x")
    assert str(error) == "'X' is not a name\n  where: tagline.yaml:1:1\n  fix:   write x"


def test_an_error_without_place_and_way_out_is_one_line() -> None:
    assert str(errors.PortTaken("port 8470 is taken")) == "port 8470 is taken"
