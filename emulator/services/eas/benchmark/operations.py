"""Creating, describing, listing, updating, starting, stopping and deleting stress tests, and their reports."""

import secrets
from typing import Literal

from pydantic import Field

from emulator.clock import iso
from emulator.errors import ApiError
from emulator.operations import Answer, Call, Parameters
from emulator.services.eas.benchmark.records import BenchmarkTask
from emulator.services.eas.benchmark.settings import CALLED, BenchmarkSettings, parse_settings
from emulator.services.eas.config.parsing import invalid, merged, parse_json
from emulator.services.eas.endpoints import internet_endpoint
from emulator.services.eas.product import eas
from emulator.services.eas.queries import Paged, ordered_page
from emulator.services.eas.records import Service
from emulator.services.eas.state import EasState

TASKS = "/api/v2/benchmark-tasks"
TASK = f"{TASKS}/{{cluster_id}}/{{task_name}}"
SORTABLE = ("CreateTime", "UpdateTime", "TaskName", "ServiceName", "Status")


class ListBenchmarkTask(Paged):
    filter: str = Field("", alias="Filter")
    service_name: str | None = Field(None, alias="ServiceName")
    status: str | None = Field(None, alias="Status")
    sort: str = Field("CreateTime", alias="Sort")


class DescribeBenchmarkTaskReport(Parameters):
    kind: Literal["RAW", "Report"] = Field("RAW", alias="ReportType")


@eas.operation("CreateBenchmarkTask", "POST", TASKS)
def create_benchmark_task(state: EasState, call: Call, body: bytes) -> Answer:
    """The stress test begins at once."""
    document = parse_json(body, CALLED)
    settings = parse_settings(document)
    service = _running(state, call.region, settings)
    name = settings.base.name or f"benchmark-{service.name}-{secrets.token_hex(2)}"
    if state.benchmarks.get(call.region, name) is not None:
        raise ApiError("InvalidBenchmarkTask.Exists", f"Benchmark task [{name}] already exists.", 409)
    task = BenchmarkTask(
        region=call.region,
        name=name,
        id=f"eas-b-{secrets.token_hex(8)}",
        service=service.name,
        settings=document,
        desired_agents=settings.agents,
        created_at=call.now,
        updated_at=call.now,
    )
    _begin(state, task, settings, service)
    return {"TaskName": name, "Region": call.region, "Message": f"Benchmark task [{name}] is creating"}


@eas.operation("DescribeBenchmarkTask", "GET", TASK)
def describe_benchmark_task(state: EasState, cluster_id: str, task_name: str) -> Answer:
    task = state.benchmarks.find(cluster_id, task_name)
    service = state.find(cluster_id, task.service)
    return {
        "TaskName": task.name,
        "TaskId": task.id,
        "ServiceName": task.service,
        "Status": task.status,
        "Message": f"Benchmark task is {task.status}",
        "Reason": task.reason,
        "AvailableAgent": task.agents,
        "DesiredAgent": task.desired_agents,
        "Endpoint": internet_endpoint(state, service),
        "CallerUid": state.account_id,
        "ParentUid": state.account_id,
    }


@eas.operation("DescribeBenchmarkTaskReport", "GET", f"{TASK}/report")
def describe_benchmark_task_report(
    state: EasState, cluster_id: str, task_name: str, query: DescribeBenchmarkTaskReport
) -> Answer:
    if query.kind == "Report":
        raise invalid("The emulator writes no page for a report: ask for the ReportType RAW.")
    task = state.benchmarks.find(cluster_id, task_name)
    if task.report is None or task.under_way:
        message = f"Benchmark task [{task.name}] is {task.status}, and has a report once it is Stopped."
        raise ApiError("InvalidBenchmarkTask.NoReport", message, 409)
    return {"Data": task.report}


@eas.operation("ListBenchmarkTask", "GET", TASKS)
def list_benchmark_task(state: EasState, call: Call, query: ListBenchmarkTask) -> Answer:
    matching = [
        task
        for task in state.benchmarks.all(call.region)
        if (query.filter in task.name or query.filter in task.service)
        and query.service_name in (None, task.service)
        and query.status in (None, task.status)
    ]
    return ordered_page("Tasks", [_listed(task) for task in matching], query, query.sort, SORTABLE)


@eas.operation("UpdateBenchmarkTask", "PUT", TASK)
def update_benchmark_task(state: EasState, cluster_id: str, task_name: str, body: bytes) -> Answer:
    """Keys that are given replace those that were; the next start goes by them."""
    task = _resting(state, cluster_id, task_name)
    document = merged(task.settings, parse_json(body, CALLED))
    settings = parse_settings(document)
    if (settings.base.name or task.name, settings.service.service_name) != (task.name, task.service):
        raise invalid("The name and the service of a benchmark task cannot be changed.")
    state.benchmarks.put(task.model_copy(update={"settings": document, "desired_agents": settings.agents}))
    return {"Message": f"Benchmark task [{task.name}] is updated"}


@eas.operation("StartBenchmarkTask", "PUT", f"{TASK}/start")
def start_benchmark_task(state: EasState, call: Call, cluster_id: str, task_name: str) -> Answer:
    """A new round, by the settings that the task has now."""
    task = _resting(state, cluster_id, task_name)
    settings = parse_settings(task.settings)
    service = _running(state, cluster_id, settings)
    changes = {"status": "Starting", "reason": "", "report": None, "updated_at": call.now}
    _begin(state, task.model_copy(update=changes), settings, service)
    return {"Message": f"Benchmark task [{task.name}] is starting"}


@eas.operation("StopBenchmarkTask", "PUT", f"{TASK}/stop")
def stop_benchmark_task(state: EasState, cluster_id: str, task_name: str) -> Answer:
    task = state.benchmarks.find(cluster_id, task_name)
    if task.status != "Running":
        message = f"Benchmark task [{task.name}] is {task.status}: only one that is Running can be stopped."
        raise ApiError("InvalidBenchmarkTask.Status", message, 409)
    state.benchmarks.end(task.key)
    return {"Message": f"Benchmark task [{task.name}] is stopping"}


@eas.operation("DeleteBenchmarkTask", "DELETE", TASK)
def delete_benchmark_task(state: EasState, cluster_id: str, task_name: str) -> Answer:
    task = state.benchmarks.find(cluster_id, task_name)
    state.benchmarks.remove(task.key)
    return {"Message": f"Benchmark task [{task.name}] is Deleting"}


def _begin(state: EasState, task: BenchmarkTask, settings: BenchmarkSettings, service: Service) -> None:
    state.benchmarks.begin(task, settings, settings.service.request_token or service.token)


def _running(state: EasState, region: str, settings: BenchmarkSettings) -> Service:
    service = state.find(region, settings.service.service_name)
    if (status := state.condition(service).status) != "Running":
        raise ApiError("InvalidService.Status", f"Service [{service.name}] is {status}, and has to be Running.", 409)
    return service


def _resting(state: EasState, region: str, name: str) -> BenchmarkTask:
    task = state.benchmarks.find(region, name)
    if task.under_way:
        message = f"Benchmark task [{task.name}] is {task.status}: stop it first."
        raise ApiError("InvalidBenchmarkTask.Status", message, 409)
    return task


def _listed(task: BenchmarkTask) -> Answer:
    return {
        "TaskName": task.name,
        "TaskId": task.id,
        "ServiceName": task.service,
        "Region": task.region,
        "Status": task.status,
        "Message": f"Benchmark task is {task.status}",
        "AvailableAgent": task.agents,
        "CreateTime": iso(task.created_at),
        "UpdateTime": iso(task.updated_at),
    }
