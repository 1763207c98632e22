"""One instance of a service: a container's command as a process, started again when it dies, until it has to end."""

import asyncio
import os
import shlex
import shutil
import sys
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from emulator.processes.output import OutputLog
from emulator.processes.ports import free_port
from emulator.services.eas.config.containers import Container
from emulator.services.eas.config.service import ServiceConfig
from emulator.services.eas.dataplane import background
from emulator.services.eas.dataplane.backend import Backend
from emulator.services.eas.dataplane.faults import Faults
from emulator.services.eas.dataplane.host import Host
from emulator.services.eas.dataplane.mounts import MountError, mount
from emulator.services.eas.dataplane.probes import TCP_PROBE, Place, until_failed, until_healthy
from emulator.services.eas.dataplane.process import Process
from emulator.services.eas.dataplane.relocation import Relocation
from emulator.services.eas.records import Instance, LastState

READING_S = 0.1
NOT_PREPARED = "Nothing is installed here: python is the emulator's own, with the packages that it has"
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Observer(Protocol):
    """Who hears what happens to an instance."""

    def changed(self, replica: "Replica") -> None:
        """Its record or its readiness has changed; `gone` may be set now."""

    def event(self, replica: "Replica", reason: str, message: str, *, warning: bool = False) -> None: ...


class Replica:
    """Runs `instance` from its creation on. What it does is visible in `instance`, which it keeps up to date.

    `failures` counts ends of the container in a row that nobody asked for.
    """

    def __init__(self, instance: Instance, config: ServiceConfig, host: Host, home: Path, observer: Observer) -> None:
        self.instance = instance
        self.config = config
        self.backend = Backend(instance.name, config.metadata.rpc)
        self.faults = self.backend.faults = Faults()
        self.failures = 0
        self.gone = False
        self._host = host
        self._home = home
        self._observer = observer
        self._log = OutputLog(home / "log", host.now)
        self._mounts: dict[str, Path] | None = None
        self._process: Process | None = None
        self._ending = asyncio.Event()
        self._restarting = asyncio.Event()
        self._deadline = 0.0
        self._task = background.start(self._live(), f"instance {instance.name}")

    @property
    def ending(self) -> bool:
        return self._ending.is_set()

    @property
    def blocked(self) -> bool:
        """It failed, and will not be started again."""
        return self.instance.status == "Failed" and self.instance.reason != "CrashLoopBackOff"

    def terminate(self, *, grace_s: float | None = None) -> None:
        """Takes the instance out of traffic and ends it, at the latest after its grace period.

        With `rpc.enable_sigterm` its main process gets SIGTERM at once and is waited for. Without it, it is killed as
        soon as no request is in flight to it: the gateway is the only way to it, so nothing else need be waited for.
        """
        if self.ending:
            return
        grace = self.config.metadata.termination_grace_period if grace_s is None else grace_s
        self._deadline = asyncio.get_running_loop().time() + grace
        self._ending.set()
        self._update(status="Terminating", reason="Terminating", ready=False)
        self._observer.event(self, "Killing", "Stopping the container")

    def leave(self, at: datetime | None) -> None:
        """Says that the instance's machine is going away, at `at` where that is known."""
        when = "" if at is None else f" at {at:%Y-%m-%dT%H:%M:%SZ}"
        self._update(leaving=True, leaves_at=at)
        self._observer.event(
            self, "Evicting", f"The machine is taken away{when}; a replacement is started", warning=True
        )

    def restart_container(self) -> None:
        """Starts the container's command again without building the instance anew."""
        self._restarting.set()

    async def ended(self) -> None:
        """Returns when nothing of the instance runs any more."""
        await asyncio.wait([self._task])

    async def _live(self) -> None:
        try:
            while not self.ending:
                began = asyncio.get_running_loop().time()
                last_state = await self._run_container()
                if not self.ending:
                    if asyncio.get_running_loop().time() - began > self._host.backoff.forgotten_after_s:
                        self.failures = 0
                    await self._after(last_state)
        finally:
            self.faults.end_all()
            if self._process is not None:
                self._process.kill()
                await self._process.exited
            self._log.end()
            for directory in ("work", "tmp", "root"):
                await asyncio.to_thread(shutil.rmtree, self._home / directory, ignore_errors=True)
            self.gone = True
            self._update(pid=None, ready=False)

    async def _after(self, last_state: LastState) -> None:
        """What follows the end of a container: another start at once or later, or none until somebody asks for it."""
        if not self._restarting.is_set():
            self.failures += 1
            self._observer.event(self, last_state.reason, last_state.message, warning=True)
            if self.config.runtime.enable_crash_block and last_state.exit_code is not None:
                self._update(status="Failed", reason="CrashBlock", last_state=last_state)
                await self._asked(None)
            elif delay_s := self._host.backoff.delay_s(self.failures):
                message = f"Back-off {delay_s:g} s restarting failed container"
                self._observer.event(self, "BackOff", message, warning=True)
                self._update(status="Failed", reason="CrashLoopBackOff", last_state=last_state)
                await self._asked(delay_s)
        self._restarting.clear()
        self._update(last_state=last_state, restart_count=self.instance.restart_count + 1, reason="Restarting")

    async def _asked(self, timeout_s: float | None) -> None:
        """Returns when the instance has to end or to start again, or after `timeout_s`."""
        asked = [asyncio.create_task(event.wait()) for event in (self._ending, self._restarting)]
        try:
            await asyncio.wait(asked, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in asked:
                task.cancel()

    async def _run_container(self) -> LastState:
        """Runs the container once, to its end."""
        try:
            process, place = await self._start()
        except (MountError, OSError) as error:
            self._log.end()
            reason = "FailedMount" if isinstance(error, MountError) else "FailedToStart"
            return self._last_state(reason, str(error), None)
        health = asyncio.create_task(self._follow_health(place))
        asked = asyncio.create_task(self._asked(None))
        occasions: list[asyncio.Future[Any]] = [process.exited, health, asked]
        await asyncio.wait(occasions, return_when=asyncio.FIRST_COMPLETED)
        unhealthy = health.result() if health.done() else ""
        for task in (health, asked):
            task.cancel()
        if self.ending:
            await self._drain(process)
        else:
            self._update(ready=False)
        process.kill()
        code = await process.exited
        self._process = None
        self.faults.end_all()
        self._log.end()
        self._update(pid=None)
        if unhealthy:
            return self._last_state("Unhealthy", unhealthy, code)
        ended = f"was ended by signal {-code}" if code < 0 else f"exited with code {code}"
        return self._last_state("Error" if code else "Completed", f"The container {ended}", code)

    async def _drain(self, process: Process) -> None:
        """Lets the instance finish until its grace period ends, or it has exited, or, without SIGTERM, is idle."""
        loop = asyncio.get_running_loop()
        idle = asyncio.ensure_future(self.backend.idle())
        finished: list[asyncio.Future[Any]] = [process.exited, idle]
        if self.config.metadata.rpc.enable_sigterm:
            # A request that was sent this very moment must be read before the signal: many servers close their idle
            # connections on it.
            await asyncio.wait(finished, timeout=READING_S, return_when=asyncio.FIRST_COMPLETED)
            process.terminate()
            finished.remove(idle)
        left_s = max(0.0, self._deadline - loop.time())
        await asyncio.wait(finished, timeout=left_s, return_when=asyncio.FIRST_COMPLETED)
        idle.cancel()

    async def _start(self) -> tuple[Process, Place]:
        if not self.config.containers:
            raise MountError("the emulator runs containers; it has no prebuilt processors")
        container = self.config.containers[0]
        if self._mounts is None:
            if container.prepare.python_requirements or container.prepare.python_requirements_path:
                self._observer.event(self, "NotPrepared", NOT_PREPARED, warning=True)
            self._mounts = dict(await mount(self.config.storage, self._home / "root", self._host.objects))
        relocation = Relocation(container.port, free_port(), self._mounts)
        place = Place(relocation, self._environment(container, relocation), self._home / "work")
        output = self._log.begin()
        try:
            process = Process.start(_command(container, relocation), place.env, place.directory, output)
        finally:
            os.close(output)
        self._process = process
        self.backend.move(relocation.port)
        self._update(
            status="Running",
            reason="Starting",
            port=relocation.port,
            pid=process.pid,
            process_started=process.started,
            started_at=self._host.now(),
        )
        self._observer.event(self, "Started", "Started the container")
        return process, place

    def _environment(self, container: Container, relocation: Relocation) -> dict[str, str]:
        """What the container declares, on a minimal base; nothing of the emulator's own environment."""
        for directory in ("work", "tmp"):
            (self._home / directory).mkdir(parents=True, exist_ok=True)
        base = {
            "PATH": f"{Path(sys.executable).parent}:{SYSTEM_PATH}",
            "HOME": str(self._home / "work"),
            "TMPDIR": str(self._home / "tmp"),
            "LANG": "C.UTF-8",
        }
        return base | {variable.name: relocation.text(variable.value) for variable in container.env}

    async def _follow_health(self, place: Place) -> str:
        """Keeps `ready` as the probes say; returns why the container must be started again."""
        container = self.config.containers[0]
        if container.startup_check is not None:
            problem = await until_healthy(container.startup_check, place, give_up=True)
            if problem:
                return f"Startup probe failed: {problem}"
        readiness = asyncio.create_task(self._follow_readiness(place))
        try:
            if container.liveness_check is None:
                await readiness
            assert container.liveness_check is not None  # noqa: S101 - readiness is followed for ever
            await asyncio.sleep(container.liveness_check.initial_delay_seconds)
            return f"Liveness probe failed: {await until_failed(container.liveness_check, place)}"
        finally:
            readiness.cancel()

    async def _follow_readiness(self, place: Place) -> None:
        probe = self.config.containers[0].readiness or TCP_PROBE
        while True:
            await until_healthy(probe, place, give_up=False)
            self._update(ready=True, reason="Running")
            problem = await until_failed(probe, place)
            self._update(ready=False, reason="Unhealthy")
            self._observer.event(self, "Unhealthy", f"Readiness probe failed: {problem}", warning=True)

    def _last_state(self, reason: str, message: str, exit_code: int | None) -> LastState:
        return LastState(
            reason=reason,
            message=message,
            exit_code=exit_code,
            started_at=self.instance.started_at,
            finished_at=self._host.now(),
        )

    def _update(self, **changes: object) -> None:
        self.instance = self.instance.model_copy(update=changes)
        self._observer.changed(self)


def _command(container: Container, relocation: Relocation) -> list[str]:
    if container.script is not None:
        return ["sh", "-c", relocation.text(container.script), "sh", *map(relocation.text, container.args)]
    assert container.command is not None  # noqa: S101 - one of the two is always there
    return [relocation.text(word) for word in [*shlex.split(container.command), *container.args]]
