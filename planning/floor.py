"""How many replicas to hold, given what is known of the load ahead, and when to ask for them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from planning.backtest import Counts, Rule
from planning.forecast import Forecast
from planning.load import BLOCK_TICKS
from planning.series import Floats


@dataclass(frozen=True)
class Outlook:
    """What is known of some blocks: their forecast, how high surges may be in them, and the load that is hardly ever
    exceeded; all in qps."""

    forecast: Forecast
    surges: Floats
    peak: float
    rule: Rule

    @cached_property
    def chances(self) -> Floats:
        """Blocks x (most + 1): the chance that the load is more than so many replicas can take."""
        return self.forecast.chance_above(np.arange(self.rule.most + 1, dtype=np.float64) * self.rule.capacity)


@dataclass(frozen=True)
class Floor:
    """What a floor makes sure of. It is the highest of three.

    `weight`: the number with the least of replicas + price x chance of overload, at this share of the price.
    `surges`: enough for the expected load and this share of a surge, where one may come.
    `margin`: enough for the expected load and this share of the peak.
    """

    weight: float = 0.0
    surges: float = 0.0
    margin: float = 0.0

    def needed(self, outlook: Outlook, price: float) -> Counts:
        """By block. `price` is what an hour of overload costs, in replica-hours."""
        rule = outlook.rule
        least_cost = replicas_for(outlook.chances, price * self.weight, rule)
        above = np.maximum(self.surges * outlook.surges, self.margin * outlook.peak)
        enough = np.ceil((outlook.forecast.median + above) / rule.capacity - 1e-9)
        enough = np.clip(np.where(above > 0, enough, 0), rule.least, rule.most).astype(np.int64)
        return np.maximum(least_cost, enough)


def replicas_for(chances: Floats, price: float, rule: Rule) -> Counts:
    """For each step the number with the least of replicas + price x chance of overload.

    `price` is what an hour of overload costs, in replica-hours; at 0 there is no floor but the least.
    """
    counts = np.arange(rule.most + 1)
    cost = counts + price * chances
    cost[:, : rule.least] = np.inf
    return np.asarray(np.argmin(cost, axis=1), dtype=np.int64)


def ask_in_time(needed: Counts, rule: Rule) -> Counts:
    """By tick, from a need by block: what is asked for now serves a start-up later, and what is let go is gone at once.

    So at each moment there has to be asked for the highest need from now until a start-up later. Blocks beyond the
    last need as much as it does.
    """
    ticks = np.repeat(needed, BLOCK_TICKS, axis=-1)
    lead = lead_ticks(rule)
    padded = np.concatenate([ticks, np.repeat(ticks[..., -1:], lead, axis=-1)], axis=-1)
    windows = np.stack([padded[..., shift : shift + ticks.shape[-1]] for shift in range(lead + 1)])
    return np.asarray(windows.max(axis=0))


def ask_with_every_block(needed: Sequence[Counts], rule: Rule) -> Counts:
    """By tick, for a plan that is renewed with every block: `needed[h]` is the need h blocks ahead, by block."""
    ticks = np.empty((len(needed[0]), BLOCK_TICKS), dtype=np.int64)
    for tick in range(BLOCK_TICKS):
        last = (tick + lead_ticks(rule)) // BLOCK_TICKS
        ticks[:, tick] = np.maximum.reduce(list(needed[: last + 1]))
    return ticks.reshape(-1)


def lead_ticks(rule: Rule) -> int:
    """Ticks from asking for a replica until it serves."""
    return rule.start_up_s // 60


def blocks_ahead(rule: Rule) -> int:
    """How many blocks after the present one a plan that is renewed with every block has to see."""
    return (BLOCK_TICKS - 1 + lead_ticks(rule)) // BLOCK_TICKS
