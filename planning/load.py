"""A series as planning looks at it: minutes for the replay, and blocks of five minutes for forecasts."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from planning.backtest import TICK_S
from planning.series import Floats, Series

BLOCK_S = 300
BLOCK_TICKS = BLOCK_S // TICK_S
DAY_BLOCKS = 86_400 // BLOCK_S
_USUAL_DAYS = 7


@dataclass(frozen=True)
class Load:
    """`ticks` is the load of each minute; `blocks` the highest minute of each five, of which the last ends at `end`.

    Replicas have to be enough for the highest minute, so that is what is forecast. `blocks` have no silence, see
    `_without_silence`: it is replayed, and not forecast.
    """

    end: datetime
    ticks: Floats
    blocks: Series

    @classmethod
    def of(cls, series: Series) -> "Load":
        """Steps of more than five minutes are joined by lines, shorter ones hold for their minutes."""
        minutes = len(series) * series.step_s // TICK_S
        seconds = np.arange(minutes) * TICK_S
        if series.step_s > BLOCK_S:
            seconds = seconds // BLOCK_S * BLOCK_S
            ticks = np.interp(seconds / series.step_s, np.arange(len(series)), series.qps)
        elif series.step_s >= TICK_S:
            ticks = series.qps[seconds // series.step_s]
        else:
            ticks = np.add.reduceat(series.qps, seconds // series.step_s) / (TICK_S / series.step_s)
        whole = len(ticks) // BLOCK_TICKS * BLOCK_TICKS
        ticks = ticks[len(ticks) - whole :]
        end = series.end
        start = end - timedelta(seconds=whole * TICK_S)
        return cls(end, ticks, Series(start, BLOCK_S, _without_silence(ticks.reshape(-1, BLOCK_TICKS).max(axis=1))))

    def before(self, block: int) -> "Load":
        """What was known when block `block` began."""
        return Load(self.blocks.at(block), self.ticks[: block * BLOCK_TICKS], self.blocks.before(block))

    @property
    def days(self) -> float:
        return len(self.blocks) / DAY_BLOCKS


def _without_silence(qps: Floats) -> Floats:
    """Where a service has no load at all, but mostly had some at this time of the last week, it or its metrics were
    out: that tells nothing of other days, and the median of that week stands for it."""
    heard = qps.copy()
    for block in np.flatnonzero(qps <= 0):
        earlier = qps[block % DAY_BLOCKS : block : DAY_BLOCKS][-_USUAL_DAYS:]
        if len(earlier):
            heard[block] = float(np.median(earlier))
    return heard
