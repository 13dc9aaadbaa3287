"""Drives a rollout on a platform: act, save, tell, and never leave an unproven canary alone."""

import contextlib
from collections.abc import Callable
from typing import assert_never

from tagline.errors import (
    ModelDoesNotLoad,
    PlatformError,
    PlatformUnavailable,
    PutDown,
    RepositoryError,
    RolloutError,
)
from tagline.platforms import Block, Counts, Rollouts, Serving
from tagline.rollout import machine, resume
from tagline.rollout.news import news
from tagline.rollout.reading import is_fresh
from tagline.rollout.request import Clock, Request
from tagline.rollout.state import Outcome, Phase, State, dump
from tagline.rollout.told import Blind, Deploying, Paused, Removed, Resumed, Told, WeightMoved
from tagline.words import Promotion

SETTLED_WITHIN = 60.0
STABLE_WITHIN = 120.0


class Driver:
    """The hands of the machine: a method for each phase's action."""

    def __init__(
        self,
        serving: Serving,
        rollouts: Rollouts,
        request: Request,
        clock: Clock,
        told: Callable[[Told], None],
    ) -> None:
        self.serving, self.rollouts, self.request = serving, rollouts, request
        self.clock, self.told = clock, told
        self.env, self.model = request.promotion.env, request.promotion.model
        self.looked = self.answered = clock.now()

    def start(self, old: State | None) -> State:
        """The state to go on from."""
        asked, candidate = self.request.promotion, self.request.spec.version
        blocks = self.rollouts.blocks(self.env, self.model)
        route = self.serving.route(self.env, self.model)
        if old:
            resume.check_same(old, candidate)
            going_on = resume.taken_up(old, route, blocked=resume.is_blocked(candidate, blocks))
            if going_on:
                self.told(Resumed(going_on.phase, going_on.step + 1, going_on.evidence.canary))
                return going_on
        resume.check_block(candidate, asked, blocks)
        return resume.fresh(self.request, route)

    def to_end(self, state: State) -> Outcome:
        """Act until the end; whatever goes wrong, the canary is out of traffic or its verdict stands."""
        self.state = state
        try:
            self.keep(state)
            while self.state.phase is not Phase.DONE:
                self.advance()
        except BaseException as why:
            self.pause(why)
            raise
        if self.state.outcome is None:
            raise RolloutError("the rollout ended without an outcome", where=str(state.promotion))
        return self.state.outcome

    def keep(self, state: State) -> None:
        """Save first, then believe it: a crash in between repeats the action, never skips it."""
        ttl = state.plan.ttl
        self.rollouts.save(self.env, self.model, dump(state), canary=state.at_risk, ttl=ttl)
        self.state = state

    def advance(self) -> None:
        """Carry out what is due; a platform that does not answer is asked again, `ttl` seconds long."""
        before = self.state
        try:
            self.keep(self.act())
        except PutDown:
            raise  # a person wants it down: nobody waits for it, and nobody starts it again
        except PlatformUnavailable as why:
            blind = self.clock.now() - self.answered
            if blind > before.plan.ttl:
                raise
            self.told(Blind(blind, before.plan.ttl, why.what))
            self.clock.sleep(self.request.tick)
            return
        self.answered = self.clock.now()
        for fact in news(before, self.state, self.request.hint):
            self.told(fact)

    def act(self) -> State:
        """The state after the action of its phase."""
        state = self.state
        match state.phase:
            case Phase.DEPLOYING:
                self.told(Deploying(state.candidate))
                self.deploy()
                self.await_stable()
            case Phase.MOVING:
                self.move()
                self.looked = self.clock.now()
                return machine.moved(state, self.counts())
            case Phase.WATCHING:
                return machine.watched(state, self.look())
            case Phase.LETTING_IN:
                return self.let_in()
            case Phase.TAKING_BACK:
                begun = self.clock.now()
                self.move()
                return machine.carried_out(state, self.clock.now() - begun)
            case Phase.BLOCKING:
                self.block()
            case Phase.SETTLING:
                return self.settle()
            case Phase.REMOVING:
                self.remove()
            case Phase.PAUSED | Phase.DONE:
                pass
            case _:
                assert_never(state.phase)
        return machine.carried_out(state)

    def deploy(self) -> None:
        """Have a warm server of the candidate; one that does not load leaves nothing behind."""
        try:
            self.serving.deploy(self.env, self.request.spec)
        except ModelDoesNotLoad:
            with contextlib.suppress(PlatformError):
                self.serving.remove(self.env, self.model, self.state.candidate)
            raise

    def await_stable(self) -> None:
        """Wait until what serves is ready too: after a start of the platform its failures are not the model's."""
        until = self.clock.now() + STABLE_WITHIN
        while self.state.stable is not None:
            route = self.serving.route(self.env, self.model)
            arm = next((arm for arm in route.arms if arm.version == self.state.stable), None)
            if arm is None or arm.ready:
                return
            if self.clock.now() > until:
                raise PlatformError(
                    f"{arm.version} serves {self.env}/{self.model} and is not ready", fix="tagline local logs"
                )
            self.clock.sleep(self.request.tick)
            self.counts()

    def counts(self) -> Counts:
        return self.serving.counts(self.env, self.model)

    def move(self) -> None:
        """Set the weights that the state asks for."""
        weights = machine.weights(self.state, self.serving.route(self.env, self.model))
        self.serving.set_weights(self.env, self.model, weights)
        self.told(WeightMoved({str(version): weight for version, weight in weights.items()}))

    def let_in(self) -> State:
        """Give everything to the candidate, unless somebody blocked it: asked before, and again right after.

        A rollback writes its block before its weights, so one that comes between is seen after.
        """
        state, route = self.state, self.serving.route(self.env, self.model)
        others = [
            arm for arm in route.arms if arm.weight and arm.version not in (state.candidate, state.stable)
        ]
        if not self.blocked():
            self.move()
            if not self.blocked():
                return machine.carried_out(state)
        elif others:
            return machine.replaced(state, route)
        return machine.blocked(state)

    def blocked(self) -> bool:
        """Whether somebody has blocked the candidate here."""
        return resume.is_blocked(self.state.candidate, self.rollouts.blocks(self.env, self.model))

    def look(self) -> machine.Seen:
        """Wait a tick and see. A reading that is not newer than the last is none: time does not count."""
        self.clock.sleep(self.request.tick)
        counts, route = self.counts(), self.serving.route(self.env, self.model)
        if not is_fresh(self.state.last, counts):
            raise PlatformUnavailable("the router's counters are not newer than at the last look")
        blocked, now = self.blocked(), self.clock.now()
        elapsed, self.looked = min(now - self.looked, 2 * self.request.tick), now
        return machine.Seen(counts, route, elapsed, blocked=blocked, newer=self.newer())

    def newer(self) -> Promotion | None:
        """A promotion that takes this one's place; a remote that does not answer is asked at the next look."""
        with contextlib.suppress(RepositoryError):
            newest = self.request.newer()
            return newest if newest is not None and newest.n > self.request.promotion.n else None
        return None

    def block(self) -> None:
        """Write the block that every promoter obeys."""
        state = self.state
        reason = state.outcome.reason if state.outcome else ""
        block = Block(str(state.candidate), self.request.by, reason, str(state.promotion))
        self.rollouts.block(self.env, self.model, block)

    def settle(self) -> State:
        """Wait until the version that goes has answered its last request, as its counter shows."""
        going = machine.going(self.state)
        before, waited = self.counts(), 0.0
        while going is not None:
            self.clock.sleep(self.request.tick)
            now, waited = self.counts(), waited + self.request.tick
            moved_on = self.serving.route(self.env, self.model).weight(going) > 0
            if moved_on or before.arms.get(str(going)) == now.arms.get(str(going)):
                return machine.settled(self.state, now)
            if waited > SETTLED_WITHIN:
                raise PlatformError(
                    f"{going} has weight 0 and still answers requests after {waited:.0f} s",
                    where=f"{self.env}/{self.model}",
                    fix="tagline local status; the rollout goes on from here when it is called again",
                )
            before = now
        return machine.settled(self.state, before)

    def remove(self) -> None:
        """Drain and stop what is left over."""
        for version in machine.leftovers(self.state, self.serving.route(self.env, self.model)):
            self.serving.remove(self.env, self.model, version)
            self.told(Removed(version))

    def pause(self, why: BaseException) -> None:
        """Take an unproven canary out of traffic. Where that fails the dead-man switch, still armed, does.

        On a platform that was put down the switch falls as soon as it is up again, before anything is routed.
        """
        with contextlib.suppress(PlatformError):
            out, before = machine.paused(self.state), self.state
            weighs = before.at_risk and self.serving.route(self.env, self.model).weight(before.candidate)
            if weighs and not isinstance(why, PutDown):
                weights = machine.weights(out, self.serving.route(self.env, self.model))
                self.serving.set_weights(self.env, self.model, weights)
            if not before.phase.decided and before.stable is not None:
                self.keep(out)
                if weighs and isinstance(why, PutDown):
                    self.rollouts.save(self.env, self.model, dump(out), canary=before.candidate, ttl=0.0)
                self.told(Paused(str(why) or type(why).__name__))
