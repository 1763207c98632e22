"""ServiceRevision: the configuration that an EAS service runs with, from its creation on.

alicloud's `pai.Service` creates and deletes a service, but cannot change it well: its update merges, so that removed
keys stay, and whatever the server adds shows as drift. See docs/decisions/0003-service-revision.md.
"""

from operator import attrgetter
from typing import Any

from pulumi import Input, Output, ResourceOptions
from pulumi.dynamic import Resource
from typing_extensions import override

from providers.base import CloudError, Found, Immutable, Props, ResourceInputs, as_json
from providers.documents import declared_part, overlay
from providers.eas_live import GONE, SCALERS_GONE, EasProvider, LiveService, await_running, kept_versions


class RevisionInputs(ResourceInputs):
    """`config` is the service's JSON without the containers' `env`, which `environment` is, by name."""

    cluster_id: Immutable[str]
    service_name: Immutable[str]
    config: dict[str, Any]
    environment: dict[str, str]
    timeout_s: int

    @property
    def document(self) -> dict[str, Any]:
        """`config` with `environment` in its first container, as an object."""
        return with_environment(self.config, self.environment)

    @property
    def fixes_replicas(self) -> bool:
        """Whether it declares how many replicas there are; otherwise scalers decide."""
        return "instance" in self.config["metadata"]


class RevisionProvider(EasProvider[RevisionInputs]):
    inputs = RevisionInputs
    gone = GONE | SCALERS_GONE

    @override
    def make(self, wanted: RevisionInputs) -> tuple[str, Props]:
        if wanted.fixes_replicas:
            self._stop_scalers(wanted)
        return f"{wanted.cluster_id}/{wanted.service_name}", self._bring(wanted, before={})

    @override
    def find(self, id_: str, known: RevisionInputs, outputs: Props) -> Found[RevisionInputs]:
        live = LiveService.describe(self.eas, *id_.split("/"))
        seen = _outputs(known, live)
        if seen["observed"] != outputs.get("observed"):
            config = declared_part(live.config, known.config)
            known = known.model_copy(update={"config": config})
        environment = declared_part(_environment(live.config), known.environment)
        return Found(known.model_copy(update={"environment": environment}), seen)

    @override
    def change(self, id_: str, before: RevisionInputs, wanted: RevisionInputs) -> Props:
        earlier = before.document
        if not wanted.fixes_replicas:
            earlier = without_replicas(earlier)  # handed over to scalers as they are, not taken away
        elif not before.fixes_replicas:
            self._stop_scalers(wanted)
        return self._bring(wanted, earlier)

    @override
    def remove(self, id_: str, known: RevisionInputs) -> None:
        """The configuration goes with the service, which `pai.Service` deletes."""

    def _stop_scalers(self, wanted: RevisionInputs) -> None:
        """Pulumi deletes them only after all updates, and until then they would move the number that is set here."""
        from alibabacloud_eas20210701 import models

        service = (wanted.cluster_id, wanted.service_name)
        self.there(lambda: self.eas.delete_service_cron_scaler(*service, models.DeleteServiceCronScalerRequest()))
        self.there(lambda: self.eas.delete_service_auto_scaler(*service, models.DeleteServiceAutoScalerRequest()))

    def _bring(self, wanted: RevisionInputs, before: dict[str, Any]) -> Props:
        from alibabacloud_eas20210701.models import UpdateServiceRequest

        def describe() -> LiveService:
            return LiveService.describe(self.eas, wanted.cluster_id, wanted.service_name)

        live = describe()
        document = with_environment(live.config, _environment(live.config))
        target = overlay(self._newest(wanted, live) if live.rolled_back else document, before, wanted.document)
        if target != document:
            _check_stays_in_traffic(live, target)
            request = UpdateServiceRequest(update_type="replace", body=as_json(on_the_wire(target)))
            self.eas.update_service(wanted.cluster_id, wanted.service_name, request)
        if target != document or not live.runs(live.current_version):
            # What was rolled back to what is declared anyway has a newer version than it runs, and that is well.
            version = attrgetter("latest_version" if target != document else "current_version")
            live = await_running(describe, version, timeout_s=wanted.timeout_s, poll_s=self.poll_s)
        return _outputs(wanted, live)

    def _newest(self, wanted: RevisionInputs, live: LiveService) -> dict[str, Any]:
        """What a service that was rolled back goes on from, so that nothing of the old version stays in the new one."""
        kept = kept_versions(self.eas, wanted.cluster_id, wanted.service_name)
        newest = kept.get(live.latest_version, live.config)
        replicas = {"instance": live.config["metadata"]["instance"]}
        return with_environment(newest, _environment(newest)) | {"metadata": newest["metadata"] | replicas}


class ServiceRevision(Resource, module="eas", name="ServiceRevision"):
    current_version: Output[int]
    """The version that EAS gave to this configuration."""

    def __init__(
        self,
        name: str,
        *,
        cluster_id: Input[str],
        service_name: Input[str],
        config: Input[dict[str, Any]],
        environment: Input[dict[str, Input[str]]],
        timeout_s: Input[int],
        opts: ResourceOptions | None = None,
    ) -> None:
        props = {
            "cluster_id": cluster_id,
            "service_name": service_name,
            "config": config,
            "environment": environment,
            "timeout_s": timeout_s,
            "current_version": None,
        }
        super().__init__(RevisionProvider(), name, props, opts)


def without_replicas(config: dict[str, Any]) -> dict[str, Any]:
    """`config` without the number of replicas, for a service whose scalers decide it."""
    metadata = {key: value for key, value in config["metadata"].items() if key != "instance"}
    return config | {"metadata": metadata}


def with_environment(config: dict[str, Any], environment: dict[str, Any]) -> dict[str, Any]:
    """`config` with the first container's `env` as an object: by name it can be compared and merged."""
    first, *others = config.get("containers") or [{}]
    return config | {"containers": [first | {"env": environment}, *others]}


def on_the_wire(document: dict[str, Any]) -> dict[str, Any]:
    """`document` with the first container's `env` in EAS's form, a list of names and values."""
    first, *others = document["containers"]
    variables = [{"name": name, "value": value} for name, value in first["env"].items()]
    return document | {"containers": [first | {"env": variables}, *others]}


def _environment(config: dict[str, Any]) -> dict[str, str]:
    containers = config.get("containers") or [{}]
    return {variable["name"]: variable.get("value", "") for variable in containers[0].get("env", [])}


def _outputs(wanted: RevisionInputs, live: LiveService) -> Props:
    """`observed` is what EAS made of our declaration, if that differs: keys that it writes differently are no drift."""
    observed = declared_part(live.config, wanted.config)
    return {"current_version": live.current_version, "observed": None if observed == wanted.config else observed}


def _check_stays_in_traffic(live: LiveService, target: dict[str, Any]) -> None:
    """Leaving a group is waited for by Pulumi's order of changes; a group that is left for another one is not."""
    group = target["metadata"].get("group")
    if live.takes_traffic and group and group != live.group:
        raise CloudError(
            f"{live.name} gets traffic of the group {live.group}, and would lose it at once by joining {group}: take "
            "it out of its split in a run of its own, then put it into the other one"
        )
