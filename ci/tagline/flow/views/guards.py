"""What the code's host lets happen to promotion tags, and the rules to paste where it lets too much."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import assert_never

from tagline.config import Config
from tagline.errors import CallError
from tagline.flow import platforms
from tagline.flow.views.doctor import Finding
from tagline.hosts import Host, detect
from tagline.hosts.api import TagRule, access
from tagline.words import Promotion

HOW = "docs/explanation/credentials.md"
_PARTS = re.compile(r"\*\*/|\*\*|\*|\?|[^*?]+")


def look(folder: Path, environ: Mapping[str, str] | None = None) -> Iterator[Finding]:
    """Ask the host's API who may push promotion tags, or say that and why it was not asked."""
    environ = os.environ if environ is None else environ
    host, own = detect(environ), platforms.of_work_tree(folder, environ, "pipeline")
    rules = _rules(environ)
    if isinstance(rules, str):
        yield Finding(
            "note", f"who may push promotion tags: not checked ({rules})", snippet(host, environ, own)
        )
        return
    findings = [*judge(rules, own)]
    yield from findings
    if any(finding.level == "note" for finding in findings):
        yield Finding("note", "the host's rules can be set with:", snippet(host, environ, own))


def _rules(environ: Mapping[str, str]) -> list[TagRule] | str:
    asked = access.guarding(environ)
    if isinstance(asked, access.Absent):
        return asked.why
    try:
        return asked.tag_rules()
    except CallError as error:
        return f"{error.what}; {error.fix}"


def judge(rules: Iterable[TagRule], own: Config) -> Iterator[Finding]:
    """For each environment: who may create its promotion tags, and whether they stay as they were made."""
    rules = list(rules)
    for env in own.environments:
        tags = [str(Promotion(env, model, 1)) for model in own.model_names()]
        over = [rule for rule in rules if all(matches(rule, tag) for tag in tags)]
        creators = [who for rule in over if rule.creators is not None for who in rule.creators]
        if any(rule.creators is not None for rule in over):
            yield Finding("ok", f"promote/{env}/**: created by {', '.join(creators) or 'nobody'} only")
        else:
            yield Finding("note", f"promote/{env}/**: everybody who may push may ask for a promotion")
        if not any(rule.keeps for rule in over):
            yield Finding("note", f"promote/{env}/**: these tags may be moved and deleted")


def matches(rule: TagRule, tag: str) -> bool:
    """Whether a rule is for a tag, by the host's own reading of its pattern."""
    if rule.pattern == "~ALL":
        return True
    name = f"refs/tags/{tag}" if rule.pattern.startswith("refs/") else tag
    star = ".*" if rule.slashes else "[^/]*"
    words = {"**/": "(?:.*/)?", "**": ".*", "*": star, "?": "." if rule.slashes else "[^/]"}
    parts = [words.get(part) or re.escape(part) for part in _PARTS.findall(rule.pattern)]
    return re.fullmatch("".join(parts), name) is not None


def snippet(host: Host, environ: Mapping[str, str], own: Config) -> str:
    """The commands that set the host's rules: promote/** by few, each environment from the default branch only."""
    match host:
        case Host.GITHUB:
            return _github(environ.get("GITHUB_REPOSITORY", "OWNER/NAME"), own.environments)
        case Host.GITLAB:
            return _gitlab(environ, own.environments)
        case Host.JENKINS:
            return (
                "at the host of the code, let few create promote/** tags; in Jenkins, put an environment's "
                f"credentials into a folder that holds the job of the default branch alone: {HOW}"
            )
        case Host.GIT:
            return f"the host's own rules for promote/** tags and for the environments: {HOW}"
        case _:
            assert_never(host)


def _github(repository: str, environments: list[str]) -> str:
    rules = '[{"type": "creation"}, {"type": "update"}, {"type": "deletion"}]'
    above = '[{"actor_id": 5, "actor_type": "RepositoryRole", "bypass_mode": "always"}]'
    lines = [
        f"gh api --method POST repos/{repository}/rulesets --input - <<'JSON'",
        '{"name": "promotions", "target": "tag", "enforcement": "active",',
        ' "conditions": {"ref_name": {"include": ["refs/tags/promote/**/*"], "exclude": []}},',
        f' "rules": {rules},',
        f' "bypass_actors": {above}}}',
        "JSON",
    ]
    for env in environments:
        place = f"repos/{repository}/environments/{env}"
        policy = "deployment_branch_policy"
        lines += [
            f"gh api --method PUT {place} -F '{policy}[protected_branches]=false' "
            f"-F '{policy}[custom_branch_policies]=true'",
            f"gh api --method POST {place}/deployment-branch-policies -f name=main",
        ]
    return "\n".join(["", *lines])


def _gitlab(environ: Mapping[str, str], environments: list[str]) -> str:
    place = f"{environ.get('CI_API_V4_URL', 'https://GITLAB/api/v4')}/projects/{environ.get('CI_PROJECT_ID', 'ID')}"
    ask = 'curl --fail --request POST --header "PRIVATE-TOKEN: $TOKEN"'
    lines = [f'{ask} "{place}/protected_tags?name=promote/*&create_access_level=40"']
    for env in environments:
        body = f'{{"name": "{env}", "deploy_access_levels": [{{"access_level": 40}}]}}'
        lines.append(
            f"{ask} --header 'Content-Type: application/json' --data '{body}' \"{place}/protected_environments\""
        )
    return "\n".join(["", *lines])
