"""ServiceEndpoint: the addresses and the token of an EAS service, which alicloud's `pai.Service` does not give out."""

from pulumi import Input, Output, ResourceOptions
from pulumi.dynamic import Resource
from typing_extensions import override

from providers.base import Found, Immutable, Props, ResourceInputs
from providers.eas_live import EasProvider, LiveService


class EndpointInputs(ResourceInputs):
    cluster_id: Immutable[str]
    service_name: Immutable[str]


class EndpointProvider(EasProvider[EndpointInputs]):
    inputs = EndpointInputs

    @override
    def make(self, wanted: EndpointInputs) -> tuple[str, Props]:
        return f"{wanted.cluster_id}/{wanted.service_name}", self._outputs(wanted)

    @override
    def find(self, id_: str, known: EndpointInputs, outputs: Props) -> Found[EndpointInputs]:
        return Found(known, self._outputs(known))

    @override
    def remove(self, id_: str, known: EndpointInputs) -> None:
        """The endpoint goes with the service, which `pai.Service` deletes."""

    def _outputs(self, wanted: EndpointInputs) -> Props:
        live = LiveService.describe(self.eas, wanted.cluster_id, wanted.service_name)
        return {
            "internet_endpoint": live.internet_endpoint,
            "intranet_endpoint": live.intranet_endpoint,
            "access_token": live.access_token,
        }


class ServiceEndpoint(Resource, module="eas", name="ServiceEndpoint"):
    internet_endpoint: Output[str]
    intranet_endpoint: Output[str]
    access_token: Output[str]
    """Secret."""

    def __init__(
        self,
        name: str,
        *,
        cluster_id: Input[str],
        service_name: Input[str],
        opts: ResourceOptions | None = None,
    ) -> None:
        props = {
            "cluster_id": cluster_id,
            "service_name": service_name,
            "internet_endpoint": None,
            "intranet_endpoint": None,
            "access_token": None,
        }
        secret = ResourceOptions(additional_secret_outputs=["access_token"])
        super().__init__(EndpointProvider(), name, props, ResourceOptions.merge(secret, opts))
