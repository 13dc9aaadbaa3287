"""Carries one promotion to its outcome, however often the process that does it is killed."""

from collections.abc import Callable

from tagline.errors import ConfigError
from tagline.platforms import Rollouts, Serving
from tagline.rollout import resume
from tagline.rollout.driver import Driver
from tagline.rollout.request import Clock, Request
from tagline.rollout.state import Outcome, Phase, State, read
from tagline.rollout.told import Told


def saved(rollouts: Rollouts, env: str, model: str) -> State | None:
    """The rollout last saved here, finished or not; raises `StateBroken`."""
    state = rollouts.load(env, model)
    return None if state is None else read(state)


def roll_out(
    serving: Serving, rollouts: Rollouts, request: Request, clock: Clock, told: Callable[[Told], None]
) -> Outcome:
    """Carry a promotion to its outcome, from wherever an earlier call of it was left.

    The verdict is in the outcome; `state.error_of` gives its error. Raises `Blocked` before anything moved,
    `Locked`, `ModelDoesNotLoad`, `PlatformUnavailable` after `ttl` without an answer, `PlatformError` where
    traffic does not follow its weights. An exception or Ctrl-C leaves the canary at weight 0 and the rollout
    paused with its evidence; a verdict that stands already is carried out by the next call.
    """
    if not 0 < request.tick <= request.plan.ttl / 3:
        raise ConfigError("the rollout's ttl must be at least three ticks", fix=f"ttl: {3 * request.tick:g}s")
    env, model = request.promotion.env, request.promotion.model
    with rollouts.lock(env, model):
        driver = Driver(serving, rollouts, request, clock, told)
        old = saved(rollouts, env, model)
        if old and old.promotion.n > request.promotion.n:
            return resume.outdated(old, request.promotion, request.spec.version)
        if old and old.promotion == request.promotion and old.outcome and old.phase is Phase.DONE:
            return old.outcome
        if old and old.promotion != request.promotion:
            if old.phase is not Phase.DONE:
                driver.to_end(resume.closing(old, serving.route(env, model), request.promotion))
            old = None
        return driver.to_end(driver.start(old))
