"""Runs stress tests: their agents are processes, which send to the gateway like any other client."""

import asyncio
import base64
import json
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from emulator.errors import ApiError
from emulator.services.eas.benchmark.agent import Errand, Second
from emulator.services.eas.benchmark.records import BenchmarkTask, Status
from emulator.services.eas.benchmark.report import joined, report_of
from emulator.services.eas.benchmark.settings import BenchmarkSettings, Data
from emulator.services.eas.dataplane import background
from emulator.services.eas.dataplane.mounts import ObjectSource
from emulator.store import Store

_PROJECT = Path(__file__).resolve().parents[4]
# A second's line holds a number for each answer.
_LONGEST_LINE = 16 * 1024 * 1024


class Benchmarks:
    """The tasks, and the runs of those that are under way."""

    def __init__(self, store: Store, now: Callable[[], datetime], objects: ObjectSource, port: int) -> None:
        self._tasks = store.collection("eas.benchmarks", BenchmarkTask)
        self._now, self._objects, self._port = now, objects, port
        self._runs: dict[str, asyncio.Task[None]] = {}
        self._agents: dict[str, list[asyncio.subprocess.Process]] = {}

    def start(self) -> None:
        """What was under way when an earlier emulator ended has no agents any more."""
        for task in self._tasks.values():
            if task.under_way:
                self._change(task.key, "Error", "The emulator ended during the stress test")

    async def stop(self) -> None:
        runs = [*self._runs.values()]
        for run in runs:
            run.cancel()
        await asyncio.gather(*runs, return_exceptions=True)

    def all(self, region: str) -> list[BenchmarkTask]:
        """Those that are still kept."""
        kept = []
        for task in self._tasks.values(f"{region}/"):
            if task.kept_at(self._now()):
                kept.append(task)
            else:
                self._tasks.delete(task.key)
        return kept

    def find(self, region: str, name: str) -> BenchmarkTask:
        found = [task for task in self.all(region) if task.name == name]
        if not found:
            message = f"Benchmark task [{name}] is not found in region [{region}]."
            raise ApiError("InvalidBenchmarkTask.NotFound", message, 404)
        return found[0]

    def put(self, task: BenchmarkTask) -> None:
        self._tasks.put(task.key, task)

    def begin(self, task: BenchmarkTask, settings: BenchmarkSettings, token: str) -> None:
        """`token` goes with each request."""
        self.put(task)
        self._runs[task.key] = background.start(self._run(task.key, settings, token), f"stress test {task.key}")

    def end(self, key: str) -> None:
        """The run ends with what it has by then."""
        self._change(key, "Stopping", "")
        for agent in self._agents.get(key, []):
            if agent.stdin is not None:
                agent.stdin.close()

    def remove(self, key: str) -> None:
        if key in self._runs:
            self._runs[key].cancel()
        self._tasks.delete(key)

    async def _run(self, key: str, settings: BenchmarkSettings, token: str) -> None:
        agents = self._agents[key] = []
        try:
            path = f"/api/predict/{settings.service.service_name}"
            bodies = [base64.b64encode(body).decode() for body in await self._bodies(settings.data)]
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
            del self._agents[key], self._runs[key]

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
    seconds = [Second.model_validate(json.loads(line)) async for line in agent.stdout]
    if await agent.wait():
        raise RuntimeError(f"An agent of the stress test ended with status {agent.returncode}")
    return seconds
