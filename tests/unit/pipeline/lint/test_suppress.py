"""What is let stand: with a reason, at its line or for the whole pipeline; and what is wrong with letting stand."""

import pytest
from tagline.pipeline.lint.finding import Finding, Level
from tagline.pipeline.lint.fix import without_unused, without_v2
from tagline.pipeline.lint.suppress import in_source, judge

IN_TASK = Finding("image-latest", Level.WARNING, "train-2", "moves", "pin it", "pipeline.yaml")
IN_LINE = Finding("kfp-v2-module", Level.WARNING, "kfp.v2", "old", "renew it", "pipeline.py", 2)
REASON = "# tagline: ignore[image-latest] the platform team pins it"


def left(text: str, *findings: Finding, ignored: dict[str, str] | None = None) -> list[str]:
    judged = judge(findings, in_source(text, "pipeline.py"), ignored or {}, "tagline.yaml")
    return [each.rule for each in judged.findings]


def test_a_comment_silences_what_is_found_in_the_task_of_its_line() -> None:
    assert left(f"train(n=1)  {REASON}\n", IN_TASK) == []


def test_a_comment_on_its_own_line_speaks_of_the_next_line_of_code() -> None:
    assert left(f"{REASON}\n\n# and why\ntrain(n=1)\n", IN_TASK) == []


def test_a_comment_at_another_task_silences_nothing_and_is_unused() -> None:
    assert left(f"test(n=1)  {REASON}\n", IN_TASK) == ["image-latest", "suppression-unused"]


def test_a_comment_silences_its_own_rule_alone() -> None:
    text = "import x\nimport kfp.v2  # tagline: ignore[image-latest, kfp-v2-module] kfp 1 runs there\n"
    assert left(text, IN_LINE) == ["suppression-unused"]


def test_a_comment_in_a_text_is_none() -> None:
    assert left(f'train("{REASON}")\n', IN_TASK) == ["image-latest"]


def test_a_suppression_without_a_reason_is_an_error_and_silences_nothing() -> None:
    judged = judge([IN_TASK], in_source("train()  # tagline: ignore[image-latest]\n", "p.py"), {}, "")
    assert [(each.rule, each.level, each.line) for each in judged.findings] == [
        ("suppression-without-reason", Level.ERROR, 1),
        ("image-latest", Level.WARNING, 0),
    ]


def test_a_suppression_of_no_rule_is_an_error() -> None:
    assert left("train()  # tagline: ignore[image-latests] because\n") == ["suppression-unknown"]


def test_tagline_yaml_silences_a_rule_everywhere_and_says_why() -> None:
    judged = judge([IN_TASK], [], {"image-latest": "pinned elsewhere"}, "tagline.yaml")
    assert judged.findings == []
    assert judged.silenced == [(IN_TASK, "pinned elsewhere")]


def test_what_tagline_yaml_lets_stand_for_nothing_is_shown() -> None:
    assert left("", ignored={"image-latest": "why"}) == ["suppression-unused"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("from kfp.v2 import dsl\n", "from kfp import dsl\n"),
        ("from kfp.v2.dsl import component\n", "from kfp.dsl import component\n"),
        ("import kfp.v2.compiler as c  # kfp.v2\n", "import kfp.compiler as c  # kfp.v2\n"),
        ("kfp.v2.compiler.Compiler(); kfp.v2.dsl\n", "kfp.compiler.Compiler(); kfp.dsl\n"),
        ("x = 'kfp.v2'\nmy.kfp2.v2\n", "x = 'kfp.v2'\nmy.kfp2.v2\n"),
    ],
)
def test_fix_takes_v2_out_of_code_and_leaves_texts(old: str, new: str) -> None:
    assert without_v2(old) == new
    assert without_v2(new) == new


def test_fix_takes_an_unused_comment_out_and_a_line_of_its_own_with_it() -> None:
    text = f"{REASON}\na = 1  {REASON}\nb = 2  # tagline: ignore[kfp-v2-module] x\n"
    unused = [each for each in in_source(text, "p.py") if each.rule == "image-latest"]
    assert without_unused(text, unused) == "a = 1\nb = 2  # tagline: ignore[kfp-v2-module] x\n"


def test_fix_keeps_a_comment_that_is_used_for_one_of_its_rules() -> None:
    text = "a = 1  # tagline: ignore[image-latest, kfp-v2-module] both\n"
    assert without_unused(text, in_source(text, "p.py")[:1]) == text
