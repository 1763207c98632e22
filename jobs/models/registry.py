"""PAI's registry of models: a model by its name in a workspace, and its versions by where they lie."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jobs.models.artefact import Manifest, Metrics
from jobs.problem import JobError

if TYPE_CHECKING:
    from alibabacloud_aiworkspace20210204.client import Client

CONTENT, COMMIT, DATASET, DATASET_SHA256 = "paistack-version", "commit", "dataset-version", "dataset-sha256"


@dataclass(frozen=True)
class Version:
    """A registered version: PAI's name for it (0.2.0), our version of its content, its metrics and labels."""

    name: str
    content: str
    uri: str
    metrics: dict[str, Any]
    labels: dict[str, str]


@dataclass(frozen=True)
class Registry:
    """The models of one workspace; calls raise Tea's errors."""

    client: "Client"
    workspace_id: str

    def versions(self, model: str) -> list[Version]:
        """The oldest first. Raises JobError when there is no such model."""
        model_id = self._find(model)
        if model_id is None:
            there = ", ".join(sorted(self._models())) or "none"
            raise JobError(f"there is no model {model} in workspace {self.workspace_id}; there are: {there}")
        return sorted(self._versions(model_id), key=lambda version: [int(n) for n in re.findall(r"\d+", version.name)])

    def register(self, manifest: Manifest, metrics: Metrics, uri: str, commit: str | None) -> Version:
        """The version that lies at `uri`, made where it is not there."""
        from alibabacloud_aiworkspace20210204 import models

        model_id = self._find(manifest.name) or self._make(manifest.name)
        if there := next((each for each in self._versions(model_id) if each.uri == uri), None):
            return there
        labels = {
            CONTENT: manifest.version,
            DATASET: manifest.data.version,
            DATASET_SHA256: manifest.data.fingerprint[:12],
            COMMIT: commit,
        }
        given = {key: value for key, value in labels.items() if value}
        measured = {"accuracy": metrics.accuracy, "recall": metrics.recall, "f1": metrics.f1}
        request = models.CreateModelVersionRequest(
            uri=uri,
            format_type="TorchScript",
            framework_type="Pytorch",
            source_type="Custom",
            approval_status="Pending",
            version_description=f"content {manifest.version}",
            metrics={key: round(value, 6) for key, value in measured.items()},
            labels=[models.Label(key=key, value=value) for key, value in given.items()],
        )
        name = self.client.create_model_version(model_id, request).body.version_name
        return Version(name, manifest.version, uri, request.metrics, given)

    def approve(self, model: str, version: Version) -> None:
        """Marks the version as one that may be served."""
        from alibabacloud_aiworkspace20210204 import models

        request = models.UpdateModelVersionRequest(approval_status="Approved")
        self.client.update_model_version(self._find(model), version.name, request)

    def _make(self, name: str) -> str:
        from alibabacloud_aiworkspace20210204 import models

        request = models.CreateModelRequest(model_name=name, workspace_id=self.workspace_id, domain="cv")
        return str(self.client.create_model(request).body.model_id)

    def _find(self, name: str) -> str | None:
        return self._models(name).get(name)

    def _models(self, name: str | None = None) -> dict[str, str]:
        """Ids by name, of those whose name contains `name`."""
        from alibabacloud_aiworkspace20210204 import models

        found: dict[str, str] = {}
        page, total = 1, 1
        while (page - 1) * 100 < total:
            request = models.ListModelsRequest(
                workspace_id=self.workspace_id, model_name=name, page_number=page, page_size=100
            )
            body = self.client.list_models(request).body
            found |= {each.model_name: each.model_id for each in body.models or []}
            page, total = page + 1, body.total_count or 0
        return found

    def _versions(self, model_id: str) -> Iterator[Version]:
        from alibabacloud_aiworkspace20210204 import models

        page, total = 1, 1
        while (page - 1) * 100 < total:
            request = models.ListModelVersionsRequest(page_number=page, page_size=100)
            body = self.client.list_model_versions(model_id, request).body
            for each in body.versions or []:
                labels = {label.key: label.value for label in each.labels or []}
                content = labels.get(CONTENT) or each.uri.rstrip("/").rpartition("/")[2]
                yield Version(each.version_name, content, each.uri, each.metrics or {}, labels)
            page, total = page + 1, body.total_count or 0
