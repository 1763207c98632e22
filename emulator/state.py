"""Everything the emulator remembers, service by service."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from emulator.clock import Clock
from emulator.credentials import AccessKeys
from emulator.services.aiworkspace.state import WorkspaceState
from emulator.services.cms.monitor import Monitor
from emulator.services.cms.state import CmsState
from emulator.services.dsw.state import DswState
from emulator.services.eas.state import EasState
from emulator.services.oss.service import Oss
from emulator.services.ram.state import RamState
from emulator.services.sts.state import StsState
from emulator.store import Store


@dataclass(frozen=True)
class Settings:
    """How one emulator runs. `port` is where it listens, on the loopback; without `metrics` it measures nothing, and
    no alarm rule is evaluated."""

    data_dir: Path
    port: int
    account_id: str = "1234567890123456"
    region: str = "cn-hangzhou"  # of calls to the bare endpoint, which names none
    metrics: bool = True


class State:
    """Opens, or creates, the state under `settings.data_dir`."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.store = Store(settings.data_dir / "state.sqlite")
        self.clock = Clock(self.store)
        self.access_keys = AccessKeys(self.store, settings.account_id)
        self.oss = Oss(self.store, settings.data_dir, settings.region, settings.account_id)
        self.eas = EasState(
            self.store,
            settings.data_dir / "eas",
            lambda: self.clock.now(),
            self.oss,
            port=settings.port,
            account_id=settings.account_id,
        )
        self.ram = RamState(self.store)
        self.cms = CmsState(self.store, lambda: self.clock.now(), account_id=settings.account_id)
        self.monitor = Monitor(self.cms, self.eas)
        self.workspaces = WorkspaceState(self.store, settings.account_id)
        self.dsw = DswState(
            self.store,
            settings.data_dir / "dsw",
            lambda: self.clock.now(),
            self.oss,
            self.workspaces,
            account_id=settings.account_id,
        )
        self.sts = StsState(self.ram, self.access_keys)

    async def start(self) -> None:
        """Brings to life what was stored."""
        await self.eas.start()
        await self.dsw.start()
        if self.settings.metrics:
            self.monitor.start()

    async def stop(self) -> None:
        """Ends every process; what is stored stays."""
        await self.monitor.stop()
        await self.eas.stop()
        await self.dsw.stop()

    async def reset(self) -> None:
        """Forgets everything that was ever created."""
        await self.stop()
        self.store.clear()
        self.oss.reset()
        self.dsw.reset()
        self.clock = Clock(self.store)
        await self.start()

    def advance(self, seconds: float) -> datetime:
        """Moves the clock forward and returns the new time; what was measured until now belongs to the old one."""
        self.monitor.look()
        with self.store.transaction():
            now = self.clock.advance(seconds)
        self.monitor.look()
        self.eas.scaling.wake()
        return now
