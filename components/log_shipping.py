"""LogShipping: where the logs of a stack's services are kept and searched beyond what EAS keeps."""

from collections.abc import Mapping

import pulumi
from pulumi import Output, ResourceOptions
from pulumi_alicloud import log

from components.log_config import FIELDS, TOKENS, LogSettings


class LogShipping(pulumi.ComponentResource):
    """A project, a store with its retention, and an index for whole lines and for the fields of our server's lines."""

    project: Output[str]
    store: Output[str]

    def __init__(
        self,
        name: str,
        settings: LogSettings,
        *,
        project_name: str,
        tags: Mapping[str, str],
        opts: ResourceOptions | None = None,
    ) -> None:
        super().__init__("paistack:log:LogShipping", name, settings.model_dump(exclude_none=True), opts)
        child = ResourceOptions(parent=self)

        project = log.Project(
            f"{name}-project",
            project_name=project_name,
            description="Logs of a stack of paistack",
            tags=dict(tags),
            opts=child,
        )
        store = log.Store(
            f"{name}-store",
            project_name=project.project_name,
            logstore_name=settings.store,
            retention_period=settings.keep_days,
            append_meta=True,
            opts=child,
        )
        log.StoreIndex(
            f"{name}-index",
            project=project.project_name,
            logstore=store.logstore_name,
            full_text=log.StoreIndexFullTextArgs(case_sensitive=False, include_chinese=True, token=TOKENS),
            field_searches=[
                log.StoreIndexFieldSearchArgs(
                    name=field, type=type_, enable_analytics=True, token=TOKENS if type_ == "text" else None
                )
                for field, type_ in FIELDS.items()
            ],
            opts=child,
        )

        self.project, self.store = project.project_name, store.logstore_name
        self.register_outputs({"project": self.project, "store": self.store})
