"""Experiments: where training runs of one purpose put their artefacts."""

from pydantic import Field

from emulator.operations import Answer, Call, Parameters
from emulator.services.aiworkspace.records import Record, new_record
from emulator.services.aiworkspace.service import Accessibility, InWorkspace, aiworkspace
from emulator.services.aiworkspace.state import WorkspaceState, check_unused, in_workspace, new_id

EXPERIMENTS = "/api/v1/experiments"
EXPERIMENT = f"{EXPERIMENTS}/{{experiment_id}}"
NAME = r"^[A-Za-z][A-Za-z0-9_-]{0,62}$"


class CreateExperiment(Parameters):
    name: str = Field(alias="Name", pattern=NAME)
    workspace_id: str = Field(alias="WorkspaceId")
    artifact_uri: str | None = Field(None, alias="ArtifactUri", pattern=r"^oss://\S+$")
    accessibility: Accessibility | None = Field(None, alias="Accessibility")


class UpdateExperiment(Parameters):
    experiment_id: str | None = Field(None, alias="ExperimentId")
    name: str | None = Field(None, alias="Name", pattern=NAME)
    accessibility: Accessibility | None = Field(None, alias="Accessibility")


class GetExperiment(Parameters):
    verbose: bool = Field(False, alias="Verbose")


class ListExperiment(InWorkspace):
    name: str | None = Field(None, alias="Name")


@aiworkspace.operation("CreateExperiment", "POST", EXPERIMENTS)
def create_experiment(state: WorkspaceState, call: Call, body: CreateExperiment) -> Answer:
    workspace = state.workspace(body.workspace_id)
    check_unused(in_workspace(state.experiments, workspace.id), "Name", body.name)
    experiment = new_record(
        new_id("exp"),
        call,
        body,
        workspace_id=workspace.id,
        defaults={"Accessibility": "PRIVATE"},
        but=["workspace_id"],
    )
    state.experiments.put(experiment.id, experiment)
    return {"ExperimentId": experiment.id}


@aiworkspace.operation("GetExperiment", "GET", EXPERIMENT)
def get_experiment(state: WorkspaceState, call: Call, experiment_id: str, query: GetExperiment) -> Answer:  # noqa: ARG001
    return _answer(call, state.experiment(experiment_id))


@aiworkspace.operation("ListExperiment", "GET", EXPERIMENTS)
def list_experiment(state: WorkspaceState, call: Call, query: ListExperiment) -> Answer:
    every = in_workspace(state.experiments, query.workspace_id)
    found = [experiment for experiment in every if (query.name or "") in experiment.fields["Name"]]
    return {"Experiments": [_answer(call, experiment) for experiment in query.cut(found)], "TotalCount": len(found)}


@aiworkspace.operation("UpdateExperiment", "PUT", EXPERIMENT)
def update_experiment(state: WorkspaceState, call: Call, experiment_id: str, body: UpdateExperiment) -> Answer:
    experiment = state.experiment(experiment_id)
    others = [each for each in in_workspace(state.experiments, experiment.workspace_id) if each.id != experiment.id]
    check_unused(others, "Name", body.name or "")
    experiment.change(body, call.now, but=["experiment_id"])
    state.experiments.put(experiment.id, experiment)
    return {}


@aiworkspace.operation("DeleteExperiment", "DELETE", EXPERIMENT)
def delete_experiment(state: WorkspaceState, experiment_id: str) -> Answer:
    experiment = state.experiment(experiment_id)
    state.experiments.delete(experiment.id)
    return {}


def _answer(call: Call, experiment: Record) -> Answer:
    return experiment.answer(ExperimentId=experiment.id, **experiment.owned(call.account_id))
