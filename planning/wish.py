"""What a plan is for."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from planning.backtest import Rule  # brings numpy, which a command line does without


class Aim(StrEnum):
    """`safe`: no more overload and no more hours than now. `economic`: the least cost at a price of overload."""

    SAFE = "safe"
    ECONOMIC = "economic"


class Renewal(StrEnum):
    """How often a plan is replaced: `daily`, `often` (every few minutes), or unknown, when it has to do for both."""

    DAILY = "daily"
    OFTEN = "often"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Wish:
    """What a plan is for. `overload_price` is what an hour with too little capacity costs, in replica-hours."""

    rule: "Rule"
    present_target: float = 0.7
    aim: Aim = Aim.ECONOMIC
    overload_price: float = 100.0
    renewal: Renewal = Renewal.UNKNOWN

    @property
    def price(self) -> float:
        """What floors take an hour of overload to cost; under `safe` it is tenfold."""
        return self.overload_price * (10 if self.aim is Aim.SAFE else 1)
