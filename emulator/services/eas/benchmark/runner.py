"""Runs stress tests: their agents are processes, which send to the gateway like any other client."""

import asyncio
import base64
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from emulator.errors import ApiError
from emulator.services.eas.benchmark.agent import Errand, Second
from emulator.services.eas.benchmark.records import BenchmarkTask, Status, task_key
from emulator.services.eas.benchmark.report import joined, report_of
from emulator.services.eas.benchmark.settings import BenchmarkSettings, Data
from emulator.services.eas.dataplane import background
from emulator.services.eas.dataplane.mounts import ObjectSource
from emulator.store import Store

_PROJECT = Path(__file__).resolve().parents[4]
# A second's line holds a number for each answer.
_LONGEST_LINE = 16 * 1024 * 1024


@dataclass
class Round:
    """One run of a task: what runs it, and its agents."""

    work: asyncio.Task[None] | None = None
    agents: list[asyncio.subprocess.Process] = field(default_factory=list)


class Benchmarks:
    """The tasks, and the runs of those that are under way."""

    def __init__(self, store: Store, now: Callable[[], datetime], objects: ObjectSource, port: int) -> None:
        self._tasks = store.collection("eas.benchmarks", BenchmarkTask)
        self._now, self._objects, self._port = now, objects, port
        self._rounds: dict[str, Round] = {}

    def start(self) -> None:
        """What was under way when an earlier emulator ended has no agents any more."""
        for task in self._tasks.values():
            if task.under_way:
                self._change(task.key, "Error", "The emulator ended during the stress test")

    async def stop(self) -> None:
        works = [work for each in self._rounds.values() if (work := each.work) is not None]
        for work in works:
            work.cancel()
        await asyncio.gather(*works, return_exceptions=True)

    def all(self, region: str) -> list[BenchmarkTask]:
        """Those that are still kept."""
        return [task for task in self._tasks.values(f"{region}/") if self._is_kept(task)]

    def get(self, region: str, name: str) -> BenchmarkTask | None:
        task = self._tasks.get(task_key(region, name))
        return task if task is not None and self._is_kept(task) else None

    def find(self, region: str, name: str) -> BenchmarkTask:
        if (task := self.get(region, name)) is None:
            message = f"Benchmark task [{name}] is not found in region [{region}]."
            raise ApiError("InvalidBenchmarkTask.NotFound", message, 404)
        return task

    def put(self, task: BenchmarkTask) -> None:
        self._tasks.put(task.key, task)

    def begin(self, task: BenchmarkTask, settings: BenchmarkSettings, token: str) -> None:
        """`token` goes with each request."""
        self.put(task)
        begun = self._rounds[task.key] = Round()
        begun.work = background.start(self._run(task.key, begun, settings, token), f"stress test {task.key}")

    def end(self, key: str) -> None:
        """The run ends with what it has by then."""
        self._change(key, "Stopping", "")
        for agent in self._rounds[key].agents:
            if agent.stdin is not None:
                agent.stdin.close()

    def remove(self, key: str) -> None:
        if key in self._rounds and (work := self._rounds[key].work) is not None:
            work.cancel()
        self._tasks.delete(key)

    def _is_kept(self, task: BenchmarkTask) -> bool:
        """What is not is forgotten."""
        if kept := task.kept_at(self._now()):
            return kept
        self._tasks.delete(task.key)
        return False

    async def _run(self, key: str, this: Round, settings: BenchmarkSettings, token: str) -> None:
        agents = this.agents
        try:
            path = f"/api/predict/{settings.service.service_name}"
            bodies = await self._bodies(settings.data)
            errand = Errand(port=self._port, path=path, token=token, bodies=bodies, settings=settings)
            for _ in range(settings.agents):
                agents.append(await _started(errand))
            began = time.time()
            self._change(key, "Running", "", agents=len(agents))
            seconds = await asyncio.gather(*(_seconds_of(agent) for agent in agents))
            self._change(key, "Stopped", "", report=report_of(joined(seconds), began))
        except RuntimeError as error:
            self._change(key, "Error", str(error))
        except Exception:
            self._change(key, "Error", "The emulator failed; its log says how")
            raise
        finally:
            for agent in agents:
                with suppress(ProcessLookupError):
                    agent.kill()
            await asyncio.gather(*(agent.wait() for agent in agents))
            if self._rounds.get(key) is this:  # else the next one has begun
                del self._rounds[key]

    async def _bodies(self, data: Data) -> list[bytes]:
        """One for each request, by turns."""
        if data.content is not None:
            contents = [base64.b64decode(data.content)]
        else:
            contents = [await self._object(path) for path in (data.path or "").split(",")]
        if data.multi_line:
            contents = [line for content in contents for line in content.splitlines() if line]
        if not contents:
            raise RuntimeError("The data of the stress test has no line")
        return contents

    async def _object(self, path: str) -> bytes:
        """A mount has the objects whose keys begin alike, by the rest of their keys: here the last character."""
        bucket, _, key = path.removeprefix("oss://").partition("/")
        with tempfile.TemporaryDirectory() as folder:
            try:
                await self._objects.materialise(bucket, key[:-1], Path(folder))
                return (Path(folder) / key[-1]).read_bytes()
            except (ApiError, ValueError, OSError) as error:
                raise RuntimeError(f"{path} cannot be read: {error}") from None

    def _change(
        self, key: str, status: Status, reason: str, *, agents: int = 0, report: dict[str, object] | None = None
    ) -> None:
        """Nothing of a task that was removed meanwhile."""
        if (task := self._tasks.get(key)) is not None:
            changes = {"status": status, "reason": reason, "agents": agents, "updated_at": self._now()}
            self.put(task.model_copy(update=changes | ({"report": report} if report is not None else {})))


async def _started(errand: Errand) -> asyncio.subprocess.Process:
    agent = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "emulator.services.eas.benchmark.agent",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=_PROJECT,
        limit=_LONGEST_LINE,
    )
    assert agent.stdin is not None  # noqa: S101 - a pipe
    agent.stdin.write(f"{errand.model_dump_json(by_alias=True)}\n".encode())
    await agent.stdin.drain()
    return agent


async def _seconds_of(agent: asyncio.subprocess.Process) -> list[Second]:
    """Until it ends; RuntimeError when it fails."""
    assert agent.stdout is not None  # noqa: S101 - a pipe
    seconds = [Second.model_validate_json(line) async for line in agent.stdout]
    if await agent.wait():
        raise RuntimeError(f"An agent of the stress test ended with status {agent.returncode}")
    return seconds
