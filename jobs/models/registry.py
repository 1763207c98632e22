"""PAI's registry of models, to be read: a model by its name in a workspace, and its versions. The stack writes it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

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
