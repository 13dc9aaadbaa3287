"""A desk on a Kubeflow platform without an engine: its image is in the registry already, so nothing is built.

git over HTTP, the S3 store and the command are real; the pipelines server and the registry are fakes. Every request
goes through a proxy that can kill the command at it.
"""

import hashlib
import json
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tagline import config
from tagline.flow.releasing.images import source_of
from tagline.images.making import recipe_of

from tests.fakes import git_http, registry
from tests.fakes.kfp import FakeKfp
from tests.fakes.kfp.objects import FINAL, Run
from tests.fakes.killing import Deaths, killing
from tests.fakes.repositories import git
from tests.flow.stage import Desk, Result, finish, new_desk
from tests.servers.s3 import S3
from tests.servers.s3 import server as s3_server

CLOCK = Path(__file__).parent / "clock"
START = 1_800_000_000.0
PLATFORM = """name: acme
kind: kubeflow
endpoints: {{pipelines: '{url}'}}
namespaces: {{training: mu-alice}}
access: {{user_header: {{user: alice@example.com}}}}
store: {{root: 's3://models/v2', endpoint: '{store}'}}
"""
DOCKERFILE = f"FROM 127.0.0.1:1/base@sha256:{'b' * 64}\nCOPY src/ /app/src/\nUSER 1000\n"
MODEL = b'{"threshold": 40}'
TYPE = "application/vnd.oci.image.manifest.v1+json"


@dataclass
class Saved:
    """A moment of the whole place, to come back to."""

    folder: Path
    kfp: dict[str, Any]
    manifests: dict[str, tuple[str, bytes]]


@dataclass
class Cluster:
    """The desk, what it talks to, and what kills it on the way; `remote` is the address of its repository."""

    desk: Desk
    kfp: FakeKfp
    s3: S3
    registry: registry.Server
    deaths: Deaths
    remote: str
    spare: Path
    places: list[Saved] = field(default_factory=list)

    def tagline(self, *words: str, **more: str) -> Result:
        """The command to its end, killed by nobody."""
        return self.killed(0, *words, **more)

    def killed(
        self, number: int, *words: str, after: bool = False, spares: bool = False, **more: str
    ) -> Result:
        """The command, killed at its request `number` (0: at none), before it is handled or `after`.

        One that is spared gets 503 for it, or no answer. Its clock is the server's.
        """
        self.deaths.at(number, after=after, spares=spares)
        own = {
            "TAGLINE_PLATFORM_FILE": str(self.desk.folder / "platform.yaml"),
            "PYTHONPATH": str(CLOCK),
            "CLOCK_AHEAD": str(self.kfp.now - time.time()),
        }
        child = self.desk.start(*words, **(self.s3.environ() | own | more))
        self.deaths.kills(child.pid)
        return finish(child)

    def with_image(self) -> None:
        """Lay the work tree's image into the registry, as somebody did who built it before."""
        own = config.parse((self.desk.clone.path / "tagline.yaml").read_text())
        tag = recipe_of(source_of(self.desk.clone.path, own)).tag
        body = json.dumps({"schemaVersion": 2, "mediaType": TYPE, "of": tag}).encode()
        for name in (tag, f"sha256:{hashlib.sha256(body).hexdigest()}"):
            self.registry.manifests[name] = (TYPE, body)

    def merge(self, message: str) -> None:
        """Commit and push what is in the work tree; its image is built."""
        self.with_image()
        self.desk.merge(message)

    def trained(self, release: str) -> None:
        """End the full training of a release on the server, with its model and facts in the store."""
        (run,) = [one for one in self.kfp.runs if f"{release}/full/" in one.display_name]
        self.kfp.finish(run.id, "SUCCEEDED")
        place = f"{run.runtime['pipeline_root'].removeprefix('s3://')}/tiny/{run.id}/train-model/77"
        self.s3.put(f"{place}/model", MODEL)
        facts = {"uri": f"s3://{place}/model", "sha256": hashlib.sha256(MODEL).hexdigest()}
        self.s3.put(f"{place}/facts", json.dumps(facts | {"metrics": {"wrong": 0.1}}).encode())

    def save(self) -> Saved:
        folder = self.spare / f"saved-{len(self.places)}"
        shutil.copytree(self.desk.folder, folder, symlinks=True)
        self.places.append(Saved(folder, self.kfp.saved(), dict(self.registry.manifests)))
        return self.places[-1]

    def restore(self, saved: Saved) -> None:
        for one in self.desk.folder.iterdir():
            shutil.rmtree(one) if one.is_dir() else one.unlink()
        shutil.copytree(saved.folder, self.desk.folder, symlinks=True, dirs_exist_ok=True)
        self.kfp.restore(saved.kfp)
        self.registry.manifests.clear()
        self.registry.manifests.update(saved.manifests)

    def held(self) -> dict[str, Any]:
        """All that anybody can see but the runs of ticks: versions, runs, schedules, tags, names of images, events."""
        world = self.kfp.world
        tags = [name for name in self.desk.refs() if name.startswith("refs/tags/")]
        return {
            "pipelines": Counter(one.name for one in world.pipelines.values()),
            "versions": Counter(f"{one.name} {one.description}" for one in world.versions.values()),
            "experiments": Counter(one.display_name for one in world.experiments.values()),
            "runs": Counter(_run(one) for one in world.runs.values() if not _of_a_tick(one)),
            "workflows without a row": len(self.kfp.orphans()),
            "schedules": Counter((one.display_name, one.mode) for one in world.recurring.values()),
            "tags": {name: git(self.desk.bare.path, "rev-parse", f"{name}^{{}}") for name in tags},
            "images": sorted(self.registry.manifests),
            "events": [_said(event) for event in self.desk.events()],
        }


def _run(run: Run) -> tuple[str, str, str]:
    """A run by its name, its end and its root."""
    return run.display_name, run.state if run.state in FINAL else "goes on", run.runtime["pipeline_root"]


def _of_a_tick(run: Run) -> bool:
    """Whether a schedule started it, or tagline in its place."""
    return bool(run.recurring_run_id) or "/full/s-" in run.display_name


def _said(event: dict[str, Any]) -> dict[str, Any]:
    """An event without what differs from call to call."""
    return {name: value for name, value in event.items() if name not in ("id", "run", "time", "at", "seq")}


@contextmanager
def cluster(
    folder: Path, schedules: str = "", change: Callable[[Desk], None] = lambda desk: None
) -> Iterator[Cluster]:
    """A tiny project on main with its image in the registry, and all that its `tagline ci` talks to.

    `change` is made to the work tree before it is committed.
    """
    deaths = Deaths()
    with ExitStack() as held:
        desk = new_desk(folder / "desk")
        kfp = held.enter_context(FakeKfp("multiuser", start=START))
        s3 = held.enter_context(s3_server(folder / "s3"))
        images = held.enter_context(registry.fake_registry())
        hosted, _ = held.enter_context(git_http.serving(desk.folder))
        git(desk.bare.path, "config", "http.receivepack", "true")
        urls = {
            name: held.enter_context(killing(name, url, deaths))
            for name, url in {
                "kfp": kfp.url,
                "s3": s3.address,
                "registry": f"http://{images.host}",
                "git": hosted,
            }.items()
        }
        text = PLATFORM.format(url=urls["kfp"], store=urls["s3"])
        (desk.folder / "platform.yaml").write_text(text)
        remote = f"{urls['git']}/{desk.bare.path.name}"
        desk.clone.git("remote", "set-url", "origin", remote)
        _on_docker(desk, urls["registry"].removeprefix("http://"), schedules)
        change(desk)
        kfp.pace = 5.0
        kfp.finish_by_itself(after=2)
        made = Cluster(desk, kfp, s3, images, deaths, remote, folder)
        made.merge("feat: an image of its own")
        yield made
        kfp.calm()
        desk.close()


def _on_docker(desk: Desk, host: str, schedules: str) -> None:
    tree = desk.clone.path
    (tree / "docker/base_image").mkdir()
    (tree / "src/requirements.txt").write_text("")
    (tree / "docker/base_image/Dockerfile").write_text(DOCKERFILE)
    with (tree / "tagline.yaml").open("a") as file:
        file.write(f"engine: docker\nimage: {{repository: {host}/team/tiny}}\n")
        file.write(f"schedules: {{{schedules}}}\n" if schedules else "")
