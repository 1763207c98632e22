"""Short rises of the last days, which may come again at about the same time: jobs that start by the clock, say."""

from dataclasses import dataclass

import numpy as np

from planning.load import BLOCK_S
from planning.series import Floats, Series

# A surge is above the middle of the hour around it by this share of the load that is hardly ever exceeded.
_LEAST_SHARE = 0.1
_HARDLY_EXCEEDED = 0.99
_DAYS = 7
# It may come earlier or later by so many blocks, and higher by half: what came once is not the highest that comes.
_REACH = 3600 // BLOCK_S
_HIGHER = 1.5


@dataclass(frozen=True)
class Surges:
    """`heights[i]`: how far above the expected load, in qps, a surge may be in the i-th block of each coming day."""

    heights: Floats

    @classmethod
    def of(cls, history: Series) -> "Surges":
        """From the whole days of the last week of a history in blocks, at least one."""
        day, around = history.steps_per_day, _REACH // 2
        days = min(len(history) // day, _DAYS)
        qps = history.qps[-days * day :]
        hours = np.lib.stride_tricks.sliding_window_view(np.pad(qps, around, mode="edge"), 2 * around + 1)
        rises = qps - np.median(hours, axis=1)
        rises[rises < _LEAST_SHARE * peak_of(history)] = 0.0
        highest = rises.reshape(days, day).max(axis=0)
        near = np.stack([np.roll(highest, shift) for shift in range(-_REACH, _REACH + 1)])
        return cls(_HIGHER * near.max(axis=0))

    def ahead(self, blocks: int, skipped: int = 0) -> Floats:
        """Of the next blocks, after those that are skipped."""
        return np.asarray(self.heights[(skipped + np.arange(blocks)) % len(self.heights)])


def peak_of(history: Series) -> float:
    """The load, in qps, that is hardly ever exceeded."""
    return float(np.quantile(history.qps, _HARDLY_EXCEEDED))
