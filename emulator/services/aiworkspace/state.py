"""What AIWorkSpace remembers."""

import secrets
from datetime import UTC, datetime

from emulator.errors import ApiError
from emulator.services.aiworkspace.records import Record
from emulator.store import Collection, Store

DEFAULT_WORKSPACE = "1000"


class WorkspaceState:
    """One workspace is always there, as every account has one: the default workspace, with the id 1000."""

    def __init__(self, store: Store, account_id: str) -> None:
        self.workspaces = store.collection("aiworkspace.workspaces", Record)
        self.models = store.collection("aiworkspace.models", Record)
        self.model_versions = store.collection("aiworkspace.model_versions", Record)
        self.datasets = store.collection("aiworkspace.datasets", Record)
        self.dataset_versions = store.collection("aiworkspace.dataset_versions", Record)
        self.code_sources = store.collection("aiworkspace.code_sources", Record)
        self.experiments = store.collection("aiworkspace.experiments", Record)
        self._numbers = store.settings("aiworkspace")
        self._account_id = account_id

    def new_workspace_id(self) -> str:
        return str(self._numbers.next_number("workspace_id", first=int(DEFAULT_WORKSPACE) + 1))

    def workspace(self, workspace_id: str) -> Record:
        """ApiError 100400027 when there is no such workspace: the code that the Go provider takes as "gone"."""
        if found := self.workspaces.get(workspace_id):
            return found
        if workspace_id == DEFAULT_WORKSPACE:
            return self._default_workspace()
        raise ApiError("100400027", f"The workspace does not exist: {workspace_id}.", 404)

    def all_workspaces(self) -> list[Record]:
        stored = self.workspaces.values()
        return stored if any(each.id == DEFAULT_WORKSPACE for each in stored) else [self._default_workspace(), *stored]

    def model(self, model_id: str) -> Record:
        return _found(self.models, model_id, "201900002", "model")

    def model_version(self, model_id: str, version: str) -> Record:
        self.model(model_id)
        return _found(self.model_versions, f"{model_id}/{version}", "201900003", "model version")

    def dataset(self, dataset_id: str) -> Record:
        return _found(self.datasets, dataset_id, "201300003", "dataset")

    def dataset_version(self, dataset_id: str, version: str) -> Record:
        self.dataset(dataset_id)
        return _found(self.dataset_versions, f"{dataset_id}/{version}", "201300003", "dataset version")

    def code_source(self, code_source_id: str) -> Record:
        return _found(self.code_sources, code_source_id, "201400002", "code source")

    def experiment(self, experiment_id: str) -> Record:
        """No published code says that an experiment is gone; the Go provider goes by the status 404."""
        return _found(self.experiments, experiment_id, "InvalidExperiment.NotFound", "experiment")

    def _default_workspace(self) -> Record:
        born = datetime(2026, 1, 1, tzinfo=UTC)
        fields = {"WorkspaceName": "default", "DisplayName": "default", "Description": "", "EnvTypes": ["prod"]}
        return Record(
            id=DEFAULT_WORKSPACE,
            workspace_id="",
            user_id=self._account_id,
            fields=fields,
            labels={},
            created=born,
            modified=born,
        )


def new_id(kind: str) -> str:
    return f"{kind}-{secrets.token_hex(9)}"


def in_workspace(records: Collection[Record], workspace_id: str | None) -> list[Record]:
    """Those of one workspace, or of all, the oldest first."""
    found = [each for each in records.values() if workspace_id in (None, each.workspace_id)]
    return sorted(found, key=lambda each: each.created)


def check_unused(records: list[Record], field: str, name: str) -> None:
    """ApiError when one of `records` has that name already."""
    if any(each.fields[field] == name for each in records):
        raise ApiError("EntityAlreadyExists", f"{field} is in use in this workspace: {name}.", 409)


def _found(records: Collection[Record], key: str, code: str, kind: str) -> Record:
    if found := records.get(key):
        return found
    raise ApiError(code, f"The {kind} does not exist: {key}.", 404)
