"""Measures EAS, minute by minute of emulated time, evaluates the alarm rules on it, and hears of its events."""

import asyncio
from datetime import datetime

from emulator.services.cms.catalogue import EAS
from emulator.services.cms.evaluation import Evaluation
from emulator.services.cms.event_delivery import EventDelivery
from emulator.services.cms.notification import Notifier
from emulator.services.cms.points import MINUTE_S
from emulator.services.cms.state import CmsState
from emulator.services.eas.dataplane import background
from emulator.services.eas.metering.meter import Meter
from emulator.services.eas.state import EasState

LOOK_EVERY_S = 1.0
FORGET_EVERY_S = 3600


class Monitor:
    """Runs between `start` and `stop`.

    A minute of which the emulator saw some part is stored as soon as it is over, and rules are evaluated then. Minutes
    that the clock jumped over have no values, and no rule is evaluated for them.
    """

    def __init__(self, cms: CmsState, eas: EasState) -> None:
        self._cms, self._eas = cms, eas
        self._meter = Meter(eas)
        self._minute = self._begun(cms.now())
        self._forgotten_at = 0
        self._notifier = Notifier(cms)
        self._evaluation = Evaluation(cms, self._notifier)
        self._delivery = EventDelivery(cms, eas, self._notifier)
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._meter = Meter(self._eas)
        self._minute = self._begun(self._cms.now())
        self._eas.tell = self._delivery.heard
        self._task = background.start(self._run(), "monitor")

    async def stop(self) -> None:
        """What was measured of the current minute is kept."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None
            self._eas.tell = None
            self._meter.look()
            with self._cms.store.transaction():
                self._store(self._minute)
            await self._notifier.stop()

    def look(self) -> None:
        """Takes in what has happened until now; before the clock is moved, so that it belongs to its own minute."""
        if self._task is not None:
            self._meter.look()
            self._finish(self._cms.now())

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            self.look()

    def _finish(self, now: datetime) -> None:
        """Stores the minute that is over, if there is one."""
        minute = self._begun(now)
        if minute == self._minute:
            return
        over, self._minute = self._minute, minute
        with self._cms.store.transaction():
            self._store(over)
            self._evaluation.after_minute(over, minute)

    def _store(self, minute: int) -> None:
        for key, summaries in self._meter.close().items():
            dimensions = {"userId": self._cms.account_id, "serviceName": key.name, "regionId": key.region}
            for metric, summary in summaries.items():
                self._cms.points.add(EAS, metric, dimensions, minute, summary)
        if minute - self._forgotten_at >= FORGET_EVERY_S:
            self._cms.points.forget_old(minute)
            self._forgotten_at = minute

    @staticmethod
    def _begun(now: datetime) -> int:
        return int(now.timestamp() // MINUTE_S * MINUTE_S)
