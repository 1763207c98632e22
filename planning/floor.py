"""How many replicas to hold, given the chances of the load: the least cost of replicas and of too little capacity."""

from collections.abc import Sequence

import numpy as np

from planning.backtest import Counts, Rule
from planning.forecast import Forecast
from planning.load import BLOCK_TICKS
from planning.series import Floats


def chances_of_overload(forecast: Forecast, rule: Rule) -> Floats:
    """Steps x (most + 1): the chance that the load is more than so many replicas can take."""
    return forecast.chance_above(np.arange(rule.most + 1, dtype=np.float64) * rule.capacity)


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
