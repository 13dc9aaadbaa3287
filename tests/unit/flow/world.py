"""A flow's world in memory under real git: three models of one release, each promoted in its turn."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from tagline import config
from tagline.engines import sandbox
from tagline.flow.promoting.rollback import RolledBack, rollback
from tagline.flow.world import Sight, World
from tagline.git import events as ev
from tagline.git import facts
from tagline.git.ledger import Author, Batch
from tagline.git.objects import NewTag
from tagline.git.repo import Repo
from tagline.git.state import Place, Status
from tagline.platforms import UploadedVersion
from tagline.rollout.plan import Plan
from tagline.rollout.request import Request
from tagline.rollout.run import roll_out
from tagline.rollout.state import Outcome
from tagline.words import ModelVersion, Promotion, Release

from tests.fakes.repositories import Bare, Clone, linear
from tests.fakes.simulated_platform import ENV, MODEL, SimulatedPlatform, spec

POLICY = f"""pipeline: {MODEL}
serving: {{runtime: sklearn}}
gate:
  data: gate.csv
  label: quality
  sha256: '{"0" * 64}'
  metrics: {{error: {{max_drop: 0.1, floor: 0.5}}}}
"""
ONE, TWO, THREE = (ModelVersion.parse(f"0.1.0-r{n}") for n in (1, 2, 3))


class Stored:
    """The platform's pipelines: every release is uploaded with the policy as its own, nothing runs."""

    detached = False

    def __init__(self, folder: Path, commit: str) -> None:
        self.folder, self.commit = folder, commit
        (folder / "tagline.yaml").write_text(POLICY)

    def place(self, compiled: Path) -> None:
        pass

    def version(self, pipeline: str, release: Release) -> UploadedVersion:
        return UploadedVersion(
            pipeline, release, self.commit, "x", self.folder / "p.yaml", self.folder, "0" * 64
        )

    def versions(self, pipeline: str) -> list[UploadedVersion]:
        return []

    def runs(self, prefix: str) -> list[Any]:
        return []


@dataclass
class InMemory:
    """The platform that the flow sees."""

    serving: SimulatedPlatform
    rollouts: SimulatedPlatform
    pipelines: Stored
    name = "simulated"
    schedules = None
    serves = True
    machine = "here"


class Engine:
    """Environments that are there already."""

    name = "process"
    guards = sandbox.NO_GUARDS

    @dataclass
    class Ready:
        python: Path = Path("python")

    def build(self, source: Path, *, serving: bool = False) -> Ready:
        return self.Ready()


@dataclass
class Stage:
    """The world, what it stands on, and short ways to ask of prod/wine."""

    bare: Bare
    clone: Clone
    on: SimulatedPlatform
    world: World

    @property
    def main(self) -> ModelVersion | None:
        return self.on.route(ENV, MODEL).main

    @property
    def place(self) -> Place:
        self.world.refresh()
        return self.world.state().place(ENV, MODEL)

    def status(self, n: int) -> Status:
        self.world.refresh()
        return self.world.state().promotions[Promotion(ENV, MODEL, n)].status

    def kinds(self) -> list[str]:
        self.world.refresh()
        return [type(event).__name__ for event in self.world.ledger().events]

    def rollback(self, to: str = "") -> RolledBack:
        """The command from its beginning: a look at the remote, then the rollback."""
        self.world.refresh()
        return rollback(self.world, MODEL, ENV, to=to)

    def ask(self, n: int, version: ModelVersion) -> Promotion:
        """The tag of a promotion that has passed its gate."""
        promotion = Promotion(ENV, MODEL, n)
        self.clone.tag(str(promotion), message=f"Promote\n\nModel-Version: {version}\n")
        self.world.refresh()
        tag = self.world.facts.tags[str(promotion)].object
        self.world.append(lambda state: Batch(events=asked(n, version, self.clone.head(), tag)))
        return promotion

    def roll_out(self, promotion: Promotion, version: ModelVersion) -> Outcome:
        """What happens on the platform alone: nobody writes its end down."""
        serves = self.world.state().place(ENV, MODEL).serves
        plan = Plan(steps=(10, 25, 50), step_time=20, max_duration=1800, ttl=30)
        return roll_out(
            self.on, self.on, Request(promotion, spec(version), plan, serves), self.on, lambda told: None
        )


def asked(n: int, version: ModelVersion, commit: str, tag: str = "0" * 40) -> list[ev.AnyEvent]:
    """A promotion that was asked for and passed the gate."""
    place: dict[str, Any] = {"env": ENV, "model": MODEL, "n": n}
    request = ev.Asked(**place, tag=tag, commit=commit, model_version=str(version), reason="")
    return [request, ev.Gated(**place, verdict=ev.Verdict.PASSED, why="good")]


def promoted(n: int, version: ModelVersion) -> ev.Promoted:
    return ev.Promoted(env=ENV, model=MODEL, n=n, model_version=str(version), previous="")


def trained(version: ModelVersion, file: Path) -> ev.Trained:
    return ev.Trained(
        pipeline=MODEL,
        model=MODEL,
        model_version=str(version),
        owner=f"owner-{version}",
        uri=str(file),
        sha256="0" * 64,
        metrics={},
        data_sha256="",
    )


def stage(folder: Path, *, served: int = 3) -> Stage:
    """Versions ONE to THREE are trained; the first `served` were promoted one after another, the last serves."""
    bare, clone = linear(folder)
    clone.commit("feat: policy", {"tagline.yaml": POLICY})
    clone.push()
    repo = Repo.open(clone.path)
    on = SimulatedPlatform(lambda version, now: 0.0)
    (folder / "source").mkdir()
    (folder / "model").touch()
    platform = InMemory(on, on, Stored(folder / "source", clone.head()))
    world = World(
        repo,
        Sight(facts.read(repo)),
        config.parse(POLICY),
        cast(Any, platform),
        cast(Any, Engine()),
        folder / "home",
        Author("ada", "here"),
        lambda told: None,
    )
    made = Stage(bare, clone, on, world)
    head = clone.head()
    events: list[ev.AnyEvent] = [ev.Released(pipeline=MODEL, version="0.1.0", commit=head, identity="x")]
    events += [trained(version, folder / "model") for version in (ONE, TWO, THREE)]
    for n, version in enumerate((ONE, TWO, THREE)[:served], 1):
        events += [*asked(n, version, head), promoted(n, version)]
        on.deploy(ENV, spec(version))
        on.set_weights(ENV, MODEL, {version: 100})
    world.append(lambda state: Batch(events=events, tags=[NewTag("v0.1.0", head, "wine 0.1.0\n")]))
    return made
