"""ServiceVersion: a kept version that an EAS service goes back to and stays at."""

from typing import Any

from pulumi import Input, Output, ResourceOptions
from pulumi.dynamic import Resource
from pydantic import Field
from typing_extensions import override

from providers.base import CloudError, Found, Immutable, Props, ResourceInputs
from providers.eas_live import EasProvider, LiveService, await_running, kept_versions


class VersionInputs(ResourceInputs):
    """`version` is the number that EAS gave to a configuration when it was brought up. EAS keeps the number of
    replicas when it goes back."""

    cluster_id: Immutable[str]
    service_name: Immutable[str]
    version: int = Field(ge=1)
    timeout_s: int


class VersionProvider(EasProvider[VersionInputs]):
    inputs = VersionInputs

    @override
    def make(self, wanted: VersionInputs) -> tuple[str, Props]:
        return f"{wanted.cluster_id}/{wanted.service_name}", self._bring(wanted)

    @override
    def find(self, id_: str, known: VersionInputs, outputs: Props) -> Found[VersionInputs]:
        live = self._describe(known)
        return Found(known.model_copy(update={"version": live.current_version}), _outputs(live))

    @override
    def change(self, id_: str, before: VersionInputs, wanted: VersionInputs) -> Props:
        return self._bring(wanted)

    @override
    def remove(self, id_: str, known: VersionInputs) -> None:
        """The version goes on running: a service always runs one, and what takes this one's place is for others to
        say (ServiceRevision, which is declared instead)."""

    def _describe(self, wanted: VersionInputs) -> LiveService:
        return LiveService.describe(self.eas, wanted.cluster_id, wanted.service_name)

    def _bring(self, wanted: VersionInputs) -> Props:
        from alibabacloud_eas20210701.models import UpdateServiceVersionRequest

        live = self._describe(wanted)
        elsewhere = live.current_version != wanted.version
        if elsewhere:
            _check_reachable(live, wanted, kept_versions(self.eas, wanted.cluster_id, wanted.service_name))
            request = UpdateServiceVersionRequest(version=wanted.version)
            self.eas.update_service_version(wanted.cluster_id, wanted.service_name, request)
        if elsewhere or not live.runs(wanted.version):
            live = await_running(
                lambda: self._describe(wanted),
                lambda _: wanted.version,
                timeout_s=wanted.timeout_s,
                poll_s=self.poll_s,
            )
        return _outputs(live)


class ServiceVersion(Resource, module="eas", name="ServiceVersion"):
    latest_version: Output[int]
    """The newest version, which the service would run otherwise."""

    def __init__(
        self,
        name: str,
        *,
        cluster_id: Input[str],
        service_name: Input[str],
        version: Input[int],
        timeout_s: Input[int],
        opts: ResourceOptions | None = None,
    ) -> None:
        props = {
            "cluster_id": cluster_id,
            "service_name": service_name,
            "version": version,
            "timeout_s": timeout_s,
            "latest_version": None,
        }
        super().__init__(VersionProvider(), name, props, opts)


def _outputs(live: LiveService) -> Props:
    return {"latest_version": live.latest_version}


def _check_reachable(live: LiveService, wanted: VersionInputs, kept: dict[int, dict[str, Any]]) -> None:
    if wanted.version not in kept:
        numbers = ", ".join(map(str, sorted(kept)))
        raise CloudError(f"EAS keeps no version {wanted.version} of {live.name}; there are {numbers}")
    if wanted.version > live.current_version:
        raise CloudError(
            f"{live.name} runs version {live.current_version}, and EAS goes back only, not forward to "
            f"{wanted.version}: bring up what is declared, then go back from there"
        )
    group = kept[wanted.version].get("metadata", {}).get("group", "")
    if live.takes_traffic and group != live.group:
        raise CloudError(
            f"version {wanted.version} of {live.name} is not in the group {live.group}, whose traffic it gets: move "
            "the traffic to another version of the split first, or go back to a later version"
        )
