"""What a test can do to the fake server: move time, end runs, break things, look behind the scenes."""

import copy
from collections.abc import Callable
from typing import Any

from tests.fakes.kfp import cluster, ticks
from tests.fakes.kfp.access import AUDIENCE, EDIT, a_token
from tests.fakes.kfp.objects import Recurring, Run
from tests.fakes.kfp.request import Request
from tests.fakes.kfp.world import World

LONG = 3600.0


class Levers:
    """Each lever is one call; `calm()` puts everything right again."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.asked: list[tuple[str, str]] = []
        self.spinning = 0
        self.pace = 0.0
        self._between: list[Callable[[], None]] = []

    @property
    def now(self) -> float:
        """The simulated time in seconds since 1970."""
        return self.world.now

    @property
    def runs(self) -> list[Run]:
        return list(self.world.runs.values())

    @property
    def recurring(self) -> list[Recurring]:
        return list(self.world.recurring.values())

    @property
    def workflows(self) -> list[dict[str, Any]]:
        return list(self.world.workflows.values())

    def orphans(self) -> list[dict[str, Any]]:
        """The Workflows that no run's row knows."""
        known = {run.workflow for run in self.world.runs.values()}
        return [one for one in self.workflows if one["metadata"]["name"] not in known]

    def advance(self, seconds: float) -> None:
        """Let time go by: schedules tick, runs start, cancelled ones end."""
        with self.world.lock:
            ticks.advance(self.world, seconds)

    def finish(self, run: str, state: str = "SUCCEEDED", error: str = "") -> None:
        """End a run, by its id or display name."""
        with self.world.lock:
            for one in self.world.runs.values():
                if run in (one.id, one.display_name):
                    if one.state == "PENDING":
                        cluster.enter(self.world, one, "RUNNING")
                    one.error = error
                    cluster.enter(self.world, one, state)

    def finish_by_itself(self, state: str = "SUCCEEDED", after: int = 2) -> None:
        """Each run ends in `state` at the `after`th GET of it."""
        self.world.ends = (state, after)

    def task_log(self, run: str, node: str, text: str) -> None:
        """What the log route gives for a task's pod."""
        self.world.logs[(run, node)] = text

    def fail_next(self, count: int = 1, status: int = 503) -> None:
        """The next `count` requests are answered with `status`, nothing done."""
        self.world.troubles.statuses += [status] * count

    def page(self, url: str, content: bytes) -> None:
        """What the server finds at a URL that it is told to fetch."""
        self.world.pages[url] = content
        self.world.fetches_plain_http = True

    def lose_answers(self, count: int = 1) -> None:
        """The next `count` changes are made, but their answers are lost."""
        self.world.troubles.lost_answers = count

    def hang(self) -> None:
        """No request but healthz is answered."""
        self.world.troubles.hanging = True

    def lose_database(self) -> None:
        """500 on everything; healthz stays 200."""
        self.world.troubles.database_lost = True

    def object_store_down(self) -> None:
        """Uploads are 500."""
        self.world.troubles.store_down = True

    def webhook_down(self) -> None:
        """Native store: a Pipeline is made, its PipelineVersion refused."""
        self.world.troubles.webhook_down = True

    def quota_refused(self, text: str = "compute, requested: cpu=1, used: cpu=8, limited: cpu=8") -> None:
        """Kubernetes refuses each Workflow: 500, and no run."""
        self.world.troubles.quota = text

    def login_page(self, html: str = "<!doctype html><title>Log in</title>") -> None:
        """Something else than the API answers: a proxy's log-in page, the UI."""
        self.world.troubles.page = html

    def expire_tokens(self) -> None:
        """Every token issued until now is refused as expired."""
        self.world.access.expired_before = self.now + 1

    def calm(self) -> None:
        """All troubles are over."""
        self.world.troubles = type(self.world.troubles)()

    def saved(self) -> dict[str, Any]:
        """All that the server holds now, for `restore`."""
        with self.world.lock:
            return copy.deepcopy(
                {name: held for name, held in vars(self.world).items() if name not in ("lock", "closing")}
            )

    def restore(self, saved: dict[str, Any]) -> None:
        """The server as it was when this was saved, its clock too; what was asked is forgotten."""
        with self.world.lock:
            vars(self.world).update(copy.deepcopy(saved))
            self.asked.clear()

    def change_while_listing(self, change: Callable[[], None]) -> None:
        """Call `change` before the next page after a first one is given."""
        self._between.append(change)

    def token(self, subject: str, audience: str = AUDIENCE, lives: float = LONG) -> str:
        """A ServiceAccount token, issued now."""
        return a_token(subject, audience, self.now, self.now + lives)

    def grant(self, user: str, namespace: str, role: str = EDIT) -> None:
        """`edit` or `view` in a namespace."""
        self.world.access.grant(user, namespace, role)

    def deny_cluster(self) -> None:
        """The Workflows' endpoint answers 403."""
        self.world.cluster_denied = True

    def want_token(self, token: str) -> None:
        """The Workflows' endpoint answers 401 to everybody else."""
        self.world.cluster_token = token

    def before_answer(self, request: Request) -> None:
        """Called under the lock before each request is routed."""
        if self.pace:
            ticks.advance(self.world, self.pace)
        if request.query.get("page_token") and self._between:
            self._between.pop(0)()
