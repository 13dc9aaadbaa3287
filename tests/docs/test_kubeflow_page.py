"""The page on Kubeflow: its platform file is one, each way to be somebody is one, its codes are the errors'."""

import re
from pathlib import Path

import pytest
from tagline import errors, platform_file
from tagline.kubeflow_keys import Access, Kubeflow

PAGE = Path(__file__).parents[2] / "docs/how-to/kubeflow.md"
WHOLE, *WAYS = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.S)


def read(text: str) -> Kubeflow:
    said = platform_file.parse(text, "page").file.kubeflow()
    assert said
    return said


def test_the_platform_file_by_example_says_everything_that_can_be_said() -> None:
    said = read(WHOLE)
    assert [key for key in Kubeflow.__struct_fields__ if not re.search(rf"^{key}:", WHOLE, re.M)] == []
    assert said.training == "ml-train"


@pytest.mark.parametrize("way", WAYS)
def test_each_way_to_be_somebody_is_one(way: str) -> None:
    without = re.sub(r"^access:\n.*\n", "", WHOLE, flags=re.M)
    assert len(read(without + way).access.chosen()) == 1


def test_every_way_to_be_somebody_is_on_the_page() -> None:
    assert [key for key in Access.__struct_fields__ if f"{key}:" not in PAGE.read_text()] == []


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (121, errors.KfpUnavailable),
        (122, errors.KfpNotLetIn),
        (123, errors.KfpForbidden),
        (124, errors.KfpNotAServer),
        (22, errors.NotYetSupported),
    ],
)
def test_the_codes_of_the_page_are_the_errors(code: int, kind: type[errors.TaglineError]) -> None:
    assert kind.exit_code == code
    assert str(code) in PAGE.read_text()
