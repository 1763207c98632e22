"""Made loads: a day with a rise, with and without noise."""

from datetime import datetime

import numpy as np

from planning.series import Series

START = datetime(2026, 3, 2)


def daily(days: int, *, step_s: int = 300, noise: float = 0.02, drift: float = 0.0, seed: int = 1) -> Series:
    """About 100 requests per second at night; a jump to 1000 at nine in the morning, back at six.

    `noise` is anew with every step, `drift` stays for some hours; both as shares of the load.
    """
    steps = 86_400 // step_s
    hour = np.tile(np.arange(steps) * step_s / 3600, days)
    qps = np.where((hour >= 9) & (hour < 18), 1000.0, 100.0) * (1 + 0.2 * np.sin(hour / 24 * 2 * np.pi))
    rng = np.random.default_rng(seed)
    away = rng.normal(0, noise, len(qps))
    lasting = rng.normal(0, drift, len(qps))
    for place in range(1, len(qps)):
        lasting[place] += 0.98 * lasting[place - 1]
    return Series(START, step_s, qps * np.exp(away + lasting))


def wandering(days: int, *, seed: int = 1) -> Series:
    """A random walk: no time of day tells anything."""
    steps = days * 288
    walk = np.cumsum(np.random.default_rng(seed).normal(0, 0.06, steps))
    return Series(START, 300, 100 * np.exp(walk - walk.mean()))
