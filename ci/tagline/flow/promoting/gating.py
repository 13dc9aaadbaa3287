"""Brings the gate its data, its models and its scorer: what the policy pins, not what a commit brings."""

from tagline.errors import GateError, MissingKeys
from tagline.flow.promoting import resolve
from tagline.flow.promoting.overrides import Override
from tagline.flow.world import World
from tagline.model.contest import Limits, Match, contest
from tagline.model.gate import Verdict
from tagline.platforms import ServerSpec
from tagline.words import ModelVersion


def hold_contest(
    world: World, candidate: ServerSpec, served: ModelVersion | None, override: Override | None
) -> Verdict:
    """Judge the candidate against what is served, on the frozen data of the default branch's head.

    The served release's scorer judges both; the candidate's does at first, and where an override of
    the scorer says so. Raises `MissingKeys`, `GateDataChanged`, `GateError`, `ScorerMismatch`.
    """
    gate = world.policy.gate
    if gate is None:
        raise MissingKeys("the default branch's tagline.yaml has no gate:", fix="add gate: to it")
    stable = None
    if served is not None:
        stable = resolve.spec_of(world, world.state(), candidate.model_name, served)
    match = Match(candidate, stable, candidate_scores=bool(override and override.scorer))
    data = _frozen(world, gate.data)
    limits = Limits(hide=[world.repo.root / gate.data])
    with world.work_folder() as work:
        return contest(world.engine, gate, data, match, work, limits)


def _frozen(world: World, path: str) -> bytes:
    content = world.repo.show(world.facts.default_head, path)
    if content is None:
        raise GateError(
            f"the default branch's head has no file {path}",
            where="tagline.yaml, gate.data",
            fix="commit the frozen data, or mend gate.data",
        )
    return content
