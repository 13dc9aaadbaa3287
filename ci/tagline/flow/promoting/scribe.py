"""Writes a rollout's moves into the ledger beside the rollout, so that a slow remote never delays a look."""

import queue
import threading
from collections.abc import Callable
from types import TracebackType

from tagline.errors import TaglineError
from tagline.flow.report import Said
from tagline.flow.world import World
from tagline.git.events import WeightMoved
from tagline.git.ledger import Batch
from tagline.git.state import State
from tagline.rollout.told import Told
from tagline.rollout.told import WeightMoved as Moved
from tagline.words import ModelVersion, Promotion

CANCELLED_WITHIN = 2.0  # seconds for the last moves; a host that cancels waits 5


class Scribe:
    """Hears what the rollout tells; a weight goes to the ledger from a thread, everything to the person.

    A move that could not be written is said and left out: the ledger's truth is how the promotion ended.
    """

    def __init__(self, world: World, promotion: Promotion, version: ModelVersion) -> None:
        self._world, self._promotion, self._version = world, promotion, version
        self._moves: queue.Queue[int | None] = queue.Queue()
        self._last: int | None = None
        self._thread = threading.Thread(target=self._write, daemon=True)

    def __enter__(self) -> "Scribe":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._moves.put(None)
        cancelled = kind is not None and not issubclass(kind, Exception)
        self._thread.join(CANCELLED_WITHIN if cancelled else None)

    def told(self, news: Told) -> None:
        """Pass on; remember a change of the candidate's weight."""
        self._world.told(news)
        if isinstance(news, Moved):
            weight = news.weights.get(str(self._version), 0)
            if weight != self._last:
                self._last = weight
                self._moves.put(weight)

    def _write(self) -> None:
        while (weight := self._moves.get()) is not None:
            try:
                self._world.append(self._batch(weight))
            except TaglineError as error:
                self._world.told(Said(f"the weight {weight} % is not in the ledger: {error.what}"))

    def _batch(self, weight: int) -> Callable[[State], Batch]:
        place = self._promotion
        event = WeightMoved(
            env=place.env, model=place.model, n=place.n, model_version=str(self._version), weight=weight
        )

        def make(state: State) -> Batch:
            return Batch() if state.ended(place) else Batch(events=[event])

        return make
