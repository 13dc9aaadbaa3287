"""What people let stand: `# tagline: ignore[rule-id] reason` in a source, `lint:` in tagline.yaml."""

import io
import re
import tokenize
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from tagline.pipeline.lint.finding import Finding, Level, Rule, Spot
from tagline.pipeline.lint.registry import BY_ID, ordered

_COMMENT = re.compile(r"#\s*tagline:\s*ignore\[(?P<rules>[^\]]*)\]\s*(?P<reason>.*)")
_COMMON = {"parameter", "variable", "of", "the", "pipeline"}
_FIX = "# tagline: ignore[rule-id] why it may stand"


class Suppression(msgspec.Struct, frozen=True):
    """One rule that a comment silences: at `target`, the line that it speaks of, whose words are `said`."""

    rule: str
    reason: str
    file: str
    line: int
    target: int = 0
    said: frozenset[str] = frozenset()

    def covers(self, finding: Finding) -> bool:
        """Whether it speaks of this finding: its line, or a line that names the task it was found in."""
        if finding.rule != self.rule:
            return False
        if finding.line:
            return finding.file == self.file and finding.line in (self.line, self.target)
        return bool((_words(finding.place) - _COMMON) & self.said)


class Judged(msgspec.Struct, frozen=True):
    """What stays of the findings, with those about the suppressions themselves, and what was silenced and why."""

    findings: list[Finding]
    silenced: list[tuple[Finding, str]]
    unused: list[Suppression]


def in_source(text: str, file: str) -> list[Suppression]:
    """Every suppression in a Python file; a comment on a line of its own speaks of the next line of code."""
    if "tagline:" not in text:
        return []
    lines = text.splitlines()
    found = []
    for number, comment in _comments(text):
        match = _COMMENT.search(comment)
        if not match:
            continue
        target = number if not lines[number - 1].lstrip().startswith("#") else _next_code(lines, number)
        said = frozenset(_words(lines[target - 1].partition("#")[0]))
        for rule in (each.strip() for each in match["rules"].split(",")):
            found.append(Suppression(rule, match["reason"].strip(), file, number, target, said))
    return found


def _comments(text: str) -> Iterator[tuple[int, str]]:
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                yield token.start[0], token.string
    except (tokenize.TokenError, SyntaxError):
        return  # ast says it better


def _next_code(lines: Sequence[str], number: int) -> int:
    for place in range(number, len(lines)):
        if lines[place].strip() and not lines[place].lstrip().startswith("#"):
            return place + 1
    return number


def _words(text: str) -> set[str]:
    """The names in a text, as Python writes them: `train-model-2` is also `train_model`."""
    found = {each.replace("-", "_") for each in re.findall(r"[A-Za-z_][\w-]*", text)}
    return found | {re.sub(r"_[0-9]+$", "", each) for each in found}


def judge(
    findings: Sequence[Finding], comments: Sequence[Suppression], ignored: Mapping[str, str], policy: str
) -> Judged:
    """The findings without those that are let stand for a reason, and what is wrong with the suppressions.

    `ignored` is `lint.ignore` of tagline.yaml, which `policy` names: rule → reason, for the whole pipeline.
    """
    sound = [each for each in comments if each.rule in BY_ID and each.reason]
    whole = [Suppression(rule, reason, policy, 0) for rule, reason in ignored.items()]
    kept, silenced, used = [], [], set()
    for finding in findings:
        covering = [each for each in sound if each.covers(finding)]
        covering += [each for each in whole if each.rule == finding.rule]
        used |= set(covering)
        if covering:
            silenced.append((finding, covering[0].reason))
        else:
            kept.append(finding)
    unused = [each for each in [*sound, *whole] if each not in used]
    about = [
        *_faults(comments),
        *(_say(UNUSED, each, f"nothing found by {each.rule} is there") for each in unused),
    ]
    return Judged(ordered([*kept, *about]), silenced, unused)


def _faults(comments: Sequence[Suppression]) -> Iterator[Finding]:
    for each in comments:
        if each.rule not in BY_ID:
            yield _say(UNKNOWN, each, f"no rule is called {each.rule!r}")
        elif not each.reason:
            yield _say(WITHOUT_REASON, each, f"it silences {each.rule} and does not say why")


def _say(rule: Rule, about: Suppression, reason: str) -> Finding:
    return Finding(rule.id, rule.level, "a suppression", reason, rule.fix, about.file, about.line)


def _never(_: object) -> Iterator[Spot]:
    yield from ()


WITHOUT_REASON = Rule(
    "suppression-without-reason",
    Level.ERROR,
    "Who reads it later cannot tell whether it may still stand.",
    _FIX,
    _never,
)
UNKNOWN = Rule(
    "suppression-unknown",
    Level.ERROR,
    "A suppression of no rule silences nothing.",
    "docs/reference/lint-rules.md lists the rules",
    _never,
)
UNUSED = Rule(
    "suppression-unused",
    Level.WARNING,
    "What it let stand is gone; it would hide the next one.",
    "take it out (`tagline lint --fix` does, in a source)",
    _never,
)
RULES = (WITHOUT_REASON, UNKNOWN, UNUSED)
