"""A replay of a service's load: how many replicas EAS's own rule and a plan hold, and where they are too few.

EAS's rule asks for ceil(replicas x load per replica / target), leaves what is within 10 % of the target alone, scales
out at once and in to the highest wish of the last 300 s:
https://www.alibabacloud.com/help/en/pai/user-guide/enable-or-disable-the-horizontal-auto-scaling-feature.
A plan is a floor under it. Replicas that are asked for serve a start-up later; those let go drain, and are paid for,
a while longer.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from planning.series import Floats

Counts = npt.NDArray[np.int64]

TICK_S = 60


@dataclass(frozen=True)
class Rule:
    """How a service scales. Times in seconds, whole ticks of 60 s; `capacity` in requests per second of a replica."""

    capacity: float
    least: int = 1
    most: int = 40
    start_up_s: int = 180
    drain_s: int = 30
    scale_in_window_s: int = 300
    tolerance: float = 0.1


@dataclass(frozen=True)
class Replayed:
    """What happened, by lane and tick: replicas that served, that were asked for, and that were let go."""

    load: Floats
    ready: Counts
    asked: Counts
    released: Counts
    rule: Rule

    def with_more_load(self, qps: Floats) -> "Replayed":
        """The same replicas under so much more load, before any of them could be asked for because of it."""
        return replace(self, load=self.load + qps)

    @property
    def short(self) -> npt.NDArray[np.bool_]:
        """Where there was more load than the replicas that served could take."""
        return self.load - self.ready * self.rule.capacity > 1e-9 * self.rule.capacity

    @property
    def short_hours(self) -> Floats:
        """Hours with too little capacity, by lane."""
        return np.asarray(self.short.sum(axis=-1) * (TICK_S / 3600))

    @property
    def replica_hours(self) -> Floats:
        """Paid replica-hours, by lane."""
        held, drained = self.asked.sum(axis=-1) * TICK_S, self.released.sum(axis=-1) * self.rule.drain_s
        return np.asarray((held + drained) / 3600)


def replay(load: Floats, rule: Rule, target: Floats | float, floor: Counts | None = None) -> Replayed:
    """Plays `load` (ticks, or lanes x ticks, in requests per second) against the rule at `target` and a floor.

    `target` is a share of a replica's capacity, by lane, or by lane and tick; at 0 the rule is off. The first tick is
    only seen: lanes begin at the second with what the rule would hold. The lanes do not touch each other: they may be
    days, policies, or both.
    """
    lanes = np.broadcast_shapes(load.shape[:-1], np.shape(target)[:1], () if floor is None else floor.shape[:-1])
    ticks = load.shape[-1]
    load = np.broadcast_to(load, (*lanes, ticks))
    held = np.broadcast_to(np.int64(0) if floor is None else floor, (*lanes, ticks))
    targets = np.asarray(target, dtype=float)
    targets = np.broadcast_to(targets if targets.ndim == len(lanes) + 1 else targets[..., None], (*lanes, ticks))
    ready, asked, released = (np.zeros((ticks - 1, *lanes), dtype=np.int64) for _ in range(3))
    state = _Replicas.at_start(load[..., 0], targets[..., 1], held[..., 1], rule)
    for tick in range(1, ticks):
        let_go = state.step(load[..., tick - 1], targets[..., tick], held[..., tick])
        ready[tick - 1], asked[tick - 1], released[tick - 1] = state.ready, state.current, let_go
    return Replayed(
        load[..., 1:], np.moveaxis(ready, 0, -1), np.moveaxis(asked, 0, -1), np.moveaxis(released, 0, -1), rule
    )


class _Replicas:
    """The replicas of every lane: those that serve, those that start, and what was wished for lately."""

    def __init__(self, ready: Counts, rule: Rule) -> None:
        self.rule = rule
        self.ready = ready
        self.current = ready.copy()
        self.starting = np.zeros((rule.start_up_s // TICK_S, *ready.shape), dtype=np.int64)
        self.wishes = np.repeat(ready[None], rule.scale_in_window_s // TICK_S + 1, axis=0)
        self.tick = 0

    @classmethod
    def at_start(cls, load: Floats, target: Floats, floor: Counts, rule: Rule) -> "_Replicas":
        need = np.ceil(load / (rule.capacity * np.where(target > 0, target, 1.0)) - 1e-9)
        return cls(np.clip(np.maximum(need, floor), rule.least, rule.most).astype(np.int64), rule)

    def step(self, seen: Floats, target: Floats, floor: Counts) -> Counts:
        """One tick after load `seen`; the replicas that are let go."""
        if len(self.starting):
            slot = self.tick % len(self.starting)
            self.ready = self.ready + self.starting[slot]
            self.starting[slot] = 0
        wish = self._wish(seen, target)
        self.wishes[self.tick % len(self.wishes)] = wish
        wish = np.where(wish < self.current, np.minimum(self.current, self.wishes.max(axis=0)), wish)
        wish = np.clip(np.maximum(wish, floor), self.rule.least, self.rule.most)
        change = wish - self.current
        self._start(np.maximum(change, 0))
        let_go = self._let_go(np.maximum(-change, 0))
        self.current = wish
        self.tick += 1
        return let_go

    def _wish(self, seen: Floats, target: Floats) -> Counts:
        on = target > 0
        ratio = seen / (self.current * self.rule.capacity) / np.where(on, target, 1.0)
        wish = np.where(
            np.abs(ratio - 1) <= self.rule.tolerance, self.current, np.ceil(self.current * ratio - 1e-9)
        ).astype(np.int64)
        return np.where(on, wish, self.rule.least)

    def _start(self, more: Counts) -> None:
        if len(self.starting):
            self.starting[self.tick % len(self.starting)] += more
        else:
            self.ready = self.ready + more

    def _let_go(self, fewer: Counts) -> Counts:
        """Those that started last go first; the ones that served already are returned."""
        if not fewer.any():
            return fewer
        for age in range(len(self.starting)):
            slot = (self.tick - age) % len(self.starting)
            stopped = np.minimum(fewer, self.starting[slot])
            self.starting[slot] -= stopped
            fewer = fewer - stopped
        self.ready = self.ready - fewer
        return fewer


def clairvoyant_hours(load: Floats, rule: Rule) -> float:
    """Replica-hours of the cheapest schedule that serves every tick of `load`, up to the most replicas there may be.

    Replica k is needed where the load needs k or more. A gap between two needs is bridged when keeping the replica
    costs no more than its drain and start-up. The layers are nested, so that their sum is the minimum.
    """
    need = np.clip(np.ceil(load / rule.capacity - 1e-9), rule.least, rule.most).astype(int)
    renewal = rule.start_up_s + rule.drain_s
    seconds = 0.0
    for layer in range(1, int(need.max()) + 1):
        on = np.flatnonzero(need >= layer)
        gaps = (np.diff(on) - 1) * TICK_S
        before, after = int(on[0]) * TICK_S, (len(need) - 1 - int(on[-1])) * TICK_S
        seconds += len(on) * TICK_S + np.minimum(gaps, renewal).sum()
        seconds += min(before, rule.start_up_s) + min(after, rule.drain_s)
    return float(seconds / 3600)


def ticks_per_step(step_s: int) -> int:
    """How many ticks of the replay a step of a series has."""
    return max(1, math.ceil(step_s / TICK_S))
