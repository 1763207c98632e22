"""Forecasts by ARIMA on a series whose seasons were taken out, by statsforecast."""

import warnings
from dataclasses import dataclass

import numpy as np

from planning.forecast import LEVELS, Forecast, needs_days
from planning.seasons import LogLoad
from planning.series import Floats, Series

# Beyond this a normal distribution's quantile would be infinite.
_HIGHEST = 0.999
# The time of a fit grows with the history.
_MOST_DAYS = 21


@dataclass(frozen=True)
class Arima:
    """Daily (and, from three weeks on, weekly) seasons by MSTL on logarithms; what is left by an automatic ARIMA.

    The order is chosen by AICc (Hyndman and Khandakar). Its intervals are those of the ARIMA alone: the seasons count
    as known.
    """

    name: str = "arima"

    def forecast(self, history: Series, steps: int) -> Forecast:
        needs_days(history, 3, self.name)
        from statsforecast.models import MSTL, AutoARIMA

        load, day = LogLoad.of(history.latest(_MOST_DAYS * history.steps_per_day).qps), history.steps_per_day
        seasons = [day, 7 * day] if len(load.values) >= 21 * day else [day]
        model = MSTL(seasons, trend_forecaster=AutoARIMA(seasonal=False, max_p=2, max_q=2, approximation=True))
        widths = sorted({_width(level) for level in LEVELS if _width(level) > 0})
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # an order that does not converge loses by its AICc
            found = model.forecast(y=load.values, h=steps, level=widths)  # type: ignore[arg-type] # shares of a percent
        columns = [_column(found, level) for level in LEVELS]
        return Forecast(load.to_qps(np.maximum.accumulate(np.column_stack(columns), axis=1)))


def _width(level: float) -> float:
    """Percent of the interval around the median that ends at this level."""
    return float(round(100 * abs(2 * min(level, _HIGHEST) - 1), 6))


def _column(found: dict[str, Floats], level: float) -> Floats:
    width = _width(level)
    return found["mean"] if width == 0 else found[f"{'lo' if level < 0.5 else 'hi'}-{width}"]
