"""`tagline adopt`: a person settles the promotion tags that the ledger does not know."""

from tagline.errors import BadWord
from tagline.flow.resolve import machine_of
from tagline.flow.world import World
from tagline.git import tags
from tagline.git.events import Adopted
from tagline.git.ledger import Batch
from tagline.git.state import State
from tagline.words import Promotion


def adopt(world: World, reason: str) -> str:
    """Record every open promotion as settled, with what the platform serves; returns a sentence.

    Tags that nobody can read are named and ignored from then on. Again is a no-op.
    """
    settled: list[str] = []

    def make(state: State) -> Batch:
        settled.clear()
        newest, unread = _newest(world, state)
        events = []
        for (env, model), number in sorted(newest.items()):
            serves = world.platform.serving.route(env, model).main
            settled.append(f"{env}/{model} up to number {number}: {serves or 'nothing'} serves")
            events.append(
                Adopted(
                    env=env, model=model, n=number, reason=reason, serves=str(serves or ""), ignored=unread
                )
            )
        return Batch(events=events)

    world.append(make, may_be_missing=True)
    return "adopted " + "; ".join(settled) if settled else "nothing to do: no promotion tag is unsettled"


def _newest(world: World, state: State) -> tuple[dict[tuple[str, str], int], list[str]]:
    """The highest unsettled number of each (environment, model), and the names of unreadable tags.

    A place that another machine served is unsettled too: adopting takes it over.
    """
    newest: dict[tuple[str, str], int] = {}
    unread: list[str] = []
    for name in world.facts.tags:
        if not tags.is_request(name) or name in state.ignored:
            continue
        promotion = _read(name)
        if promotion is None:
            unread.append(name)
        elif not state.ended(promotion):
            place = (promotion.env, promotion.model)
            newest[place] = max(newest.get(place, 0), promotion.n)
    for env, model in state.places:
        if machine_of(world, env, model) not in {"", world.platform.machine}:
            newest.setdefault((env, model), state.last_number(env, model))
    return newest, sorted(unread)


def _read(name: str) -> Promotion | None:
    try:
        return tags.parse(name)
    except BadWord:
        return None
