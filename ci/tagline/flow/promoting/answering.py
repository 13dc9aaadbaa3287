"""Whether the version that traffic was switched to answers: asked through the route, for a bounded time."""

from tagline.errors import DidNotAnswer, PlatformUnavailable
from tagline.flow.report import Said
from tagline.flow.world import World
from tagline.rollout.request import Clock, RealClock
from tagline.words import ModelVersion

LIMIT = 30.0
PAUSE = 0.5
CLOCK = RealClock()
HOW = "its server says through the route that the model is ready; no prediction was asked of it"


def see_answer(
    world: World, env: str, model: str, target: ModelVersion, clock: Clock = CLOCK
) -> DidNotAnswer | None:
    """None once the target has answered through the route, which is told; else the error to end with.

    Asks again for `LIMIT` s by the clock, and at least once.
    """
    began = clock.now()
    while True:
        if (last := _heard(world, env, model)) == target:
            world.told(Said(f"{target} serves {env}/{model}: {HOW}"))
            return None
        if clock.now() - began >= LIMIT:
            return _unanswered(world, env, model, target, last)
        clock.sleep(PAUSE)


def _heard(world: World, env: str, model: str) -> ModelVersion | None:
    try:
        return world.platform.serving.answers(env, model)
    except PlatformUnavailable:
        return None


def _unanswered(
    world: World, env: str, model: str, target: ModelVersion, heard: ModelVersion | None
) -> DidNotAnswer:
    main = world.platform.serving.route(env, model).main
    said = f"{heard} answers instead" if heard else "nothing answers"
    return DidNotAnswer(
        f"{target} did not answer through the route of {env}/{model} within {LIMIT:g} s of the switch: {said}; "
        f"all traffic is set to {main or 'nothing'}",
        fix=f"tagline local logs; another version: tagline rollback {model} --env {env} --to VERSION",
    )
