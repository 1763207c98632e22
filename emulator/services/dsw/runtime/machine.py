"""The reconciler of one instance: has it run, or not, as is wanted."""

import asyncio
import logging
import shutil
from typing import TYPE_CHECKING

from emulator.services.dsw.records import DOWN, Instance
from emulator.services.dsw.runtime.saving import save_stopping
from emulator.services.dsw.runtime.session import Session, SessionError

if TYPE_CHECKING:
    from emulator.services.dsw.state import DswState

GRACE_S = 10.0
GRACE_AT_THE_END_S = 2.0

logger = logging.getLogger(__name__)


class Machine:
    """Runs between its creation and `stop`, or until the instance is deleted.

    It is level-triggered: each time it is woken it looks at what is stored, so it can be made again at any time.
    """

    def __init__(self, state: "DswState", instance_id: str) -> None:
        self._state, self._id = state, instance_id
        self._home = state.home(instance_id)
        self._changed = asyncio.Event()
        self._closing = False
        self.session: Session | None = None
        self._task = asyncio.create_task(self._live(), name=f"instance {instance_id}")

    def wake(self) -> None:
        self._changed.set()

    async def stop(self) -> None:
        """Ends the processes and leaves what is wanted as it is: the emulator is going down."""
        self._closing = True
        self.wake()
        await self._task

    async def _live(self) -> None:
        while not self._closing:
            self._changed.clear()
            instance = self._stored()
            if instance.target == "deleted":
                await self._delete()
                return
            if instance.target == "running":
                await self._run(instance)
                continue
            if instance.status not in DOWN:
                self._state.set_status(self._id, "Stopped")
            await self._changed.wait()

    async def _run(self, instance: Instance) -> None:
        """Runs the instance until something else is wanted, or it fails."""
        try:
            self.session = Session(self._state, instance, self._home)
        except (ValueError, KeyError) as error:
            self._state.fail(self._id, "FailedMount", str(error))
            return
        work = asyncio.create_task(self.session.run())
        while not work.done() and self._is_wanted():
            self._changed.clear()
            woken = asyncio.create_task(self._changed.wait())
            await asyncio.wait([work, woken], return_when=asyncio.FIRST_COMPLETED)
            woken.cancel()
        if not work.done() and not self._closing and self._stored().save_before_stop:
            await save_stopping(self._state, self._stored())
        work.cancel()
        await asyncio.wait([work])
        await self.session.end(GRACE_AT_THE_END_S if self._closing else GRACE_S)
        self.session = None
        if not work.cancelled():
            self._tell_failure(work)

    def _tell_failure(self, work: "asyncio.Task[None]") -> None:
        error = work.exception()
        if isinstance(error, SessionError):
            self._state.fail(self._id, error.code, str(error))
        elif error is not None:
            logger.error("instance %s", self._id, exc_info=error)
            self._state.fail(self._id, "InternalError", f"{type(error).__name__}: {error}")

    async def _delete(self) -> None:
        await asyncio.to_thread(shutil.rmtree, self._home, ignore_errors=True)
        self._state.forget(self._id)

    def _is_wanted(self) -> bool:
        return not self._closing and self._stored().target == "running"

    def _stored(self) -> Instance:
        instance = self._state.instances.get(self._id)
        assert instance is not None  # noqa: S101 - only this task removes it
        return instance
