"""Gateway: a gateway of EAS that only the account's own services are called through."""

from typing import Any

from pulumi import Input, Output, ResourceOptions
from pulumi.dynamic import CheckResult, Resource
from typing_extensions import override

from providers.base import CloudError, Found, Immutable, Props, ResourceInputs, refuse_existing, wait_until
from providers.documents import declared_part, overlay
from providers.eas_live import EasProvider
from providers.eas_machines import ChargeType, subscription_failures


class GatewayInputs(ResourceInputs):
    """`instance_type` is 2c4g, 4c8g, 8c16g or 16c32g, of each of `replicas` nodes. EAS does not tell `auto_renewal`.

    A gateway of that name that has all of `labels` is the stack's own: a run that was cut off made it, and it needs no
    `adopt`; so is one that is as declared but has no labels yet, as long as no service uses it.
    """

    cluster_id: Immutable[str]
    gateway_name: str
    charge_type: Immutable[ChargeType]
    auto_renewal: Immutable[bool]
    instance_type: str
    replicas: int
    internet: bool
    intranet: bool
    labels: dict[str, str]
    adopt: bool
    timeout_s: int


class GatewayProvider(EasProvider[GatewayInputs]):
    inputs = GatewayInputs
    gone = frozenset({"InvalidGateway.NotFound"})
    delete_before_replace = False  # services move from the old one to the new one

    @override
    def check(self, _olds: Props, news: Props) -> CheckResult:
        """Refuses, in the preview already, what a subscription does not allow."""
        checked = super().check(_olds, news)
        failures = subscription_failures(_olds, news, self.inputs.immutable_fields(), "replicas")
        return CheckResult(news, [*checked.failures, *failures])

    @override
    def make(self, wanted: GatewayInputs) -> tuple[str, Props]:
        id_ = self._by_name(wanted)
        if id_ is None:
            id_ = self._create(wanted)
        else:
            refuse_existing(f"a gateway {wanted.gateway_name}", wanted.adopt or self._is_ours(id_, wanted))
        return id_, self._bring(id_, {}, wanted)

    @override
    def find(self, id_: str, known: GatewayInputs, outputs: Props) -> Found[GatewayInputs]:
        live = self._describe(id_, known)
        return Found(_declared(live, known), _outputs(live))

    @override
    def change(self, id_: str, before: GatewayInputs, wanted: GatewayInputs) -> Props:
        return self._bring(id_, before.labels, wanted)

    @override
    def remove(self, id_: str, known: GatewayInputs) -> None:
        """No service may use it; EAS refuses otherwise."""
        from alibabacloud_eas20210701.models import DeleteGatewayRequest

        self.eas.delete_gateway(known.cluster_id, id_, DeleteGatewayRequest())
        wait_until(
            lambda: self.there(lambda: self._describe(id_, known)),
            lambda live: live is None,
            timeout_s=known.timeout_s,
            poll_s=self.poll_s,
            late=lambda live: (
                f"the gateway {known.gateway_name} to go; it is {live and live.status}. Wait, then run this again"
            ),
        )

    def _by_name(self, wanted: GatewayInputs) -> str | None:
        """A name is an alias; of one that is paid for otherwise, this is the one that takes its place."""
        from alibabacloud_eas20210701.models import ListGatewayRequest

        request = ListGatewayRequest(gateway_name=wanted.gateway_name, page_size=100)
        for gateway in self.eas.list_gateway(request).body.gateways or []:
            if (gateway.gateway_name, gateway.charge_type) == (wanted.gateway_name, wanted.charge_type):
                return str(gateway.gateway_id)
        return None

    def _is_ours(self, id_: str, wanted: GatewayInputs) -> bool:
        from alibabacloud_eas20210701.models import ListServicesRequest

        live = self._describe(id_, wanted)
        if (labels := _labels(live)) or not wanted.labels:
            return bool(wanted.labels) and wanted.labels.items() <= labels.items()
        used = self.eas.list_services(ListServicesRequest(gateway=id_, page_size=1)).body.services
        return not used and _declared(live, wanted).model_copy(update={"labels": wanted.labels}) == wanted

    def _create(self, wanted: GatewayInputs) -> str:
        from alibabacloud_eas20210701.models import CreateGatewayRequest

        request = CreateGatewayRequest(
            name=wanted.gateway_name,
            charge_type=wanted.charge_type,
            auto_renewal=wanted.auto_renewal,
            instance_type=wanted.instance_type,
            replicas=wanted.replicas,
            enable_internet=wanted.internet,
            enable_intranet=wanted.intranet,
        )
        return str(self.eas_once.create_gateway(request).body.gateway_id)

    def _bring(self, id_: str, labels_before: dict[str, str], wanted: GatewayInputs) -> Props:
        from alibabacloud_eas20210701.models import UpdateGatewayRequest

        live = self._await_running(id_, wanted)
        if _declared(live, wanted).model_copy(update={"labels": wanted.labels}) != wanted:
            request = UpdateGatewayRequest(
                name=wanted.gateway_name,
                instance_type=wanted.instance_type,
                replicas=wanted.replicas,
                enable_internet=wanted.internet,
                enable_intranet=wanted.intranet,
            )
            self.eas.update_gateway(id_, wanted.cluster_id, request)  # the SDK has these two the other way round here
        self._relabel(id_, _labels(live), labels_before, wanted)
        return _outputs(self._await_running(id_, wanted))

    def _relabel(self, id_: str, there: dict[str, str], before: dict[str, str], wanted: GatewayInputs) -> None:
        from alibabacloud_eas20210701.models import DeleteGatewayLabelRequest, UpdateGatewayLabelRequest

        target = overlay(there, before, wanted.labels)
        if gone := sorted(there.keys() - target.keys()):
            request = DeleteGatewayLabelRequest(label_keys=gone)
            self.eas.delete_gateway_label(wanted.cluster_id, id_, request)
        if target.items() - there.items():
            self.eas.update_gateway_label(wanted.cluster_id, id_, UpdateGatewayLabelRequest(labels=target))

    def _await_running(self, id_: str, wanted: GatewayInputs) -> Any:
        def running(live: Any) -> bool:
            if live.status == "Failed":
                raise CloudError(f"EAS could not bring up the gateway {wanted.gateway_name} ({id_})")
            return bool(live.status == "Running")

        return wait_until(
            lambda: self._describe(id_, wanted),
            running,
            timeout_s=wanted.timeout_s,
            poll_s=self.poll_s,
            late=lambda live: (
                f"the gateway {wanted.gateway_name} to run; it is {live.status}. EAS goes on trying; wait, then run "
                "`pulumi up` again, or raise timeout_min of the gateway"
            ),
        )

    def _describe(self, id_: str, wanted: GatewayInputs) -> Any:
        from alibabacloud_eas20210701.models import DescribeGatewayRequest

        return self.eas.describe_gateway(wanted.cluster_id, id_, DescribeGatewayRequest()).body


class Gateway(Resource, module="eas", name="Gateway"):
    """Its id is the one that services name in `networking.gateway`."""

    internet_domain: Output[str]
    """Empty without `internet`."""
    intranet_domain: Output[str]

    def __init__(
        self,
        name: str,
        *,
        cluster_id: Input[str],
        gateway_name: Input[str],
        charge_type: Input[str],
        auto_renewal: Input[bool],
        instance_type: Input[str],
        replicas: Input[int],
        internet: Input[bool],
        intranet: Input[bool],
        labels: Input[dict[str, str]],
        adopt: Input[bool],
        timeout_s: Input[int],
        opts: ResourceOptions | None = None,
    ) -> None:
        props: dict[str, Any] = {
            "cluster_id": cluster_id,
            "gateway_name": gateway_name,
            "charge_type": charge_type,
            "auto_renewal": auto_renewal,
            "instance_type": instance_type,
            "replicas": replicas,
            "internet": internet,
            "intranet": intranet,
            "labels": labels,
            "adopt": adopt,
            "timeout_s": timeout_s,
            "internet_domain": None,
            "intranet_domain": None,
        }
        super().__init__(GatewayProvider(), name, props, opts)


def _declared(live: Any, known: GatewayInputs) -> GatewayInputs:
    """What the gateway has of what we declare."""
    seen = {
        "gateway_name": live.gateway_name,
        "charge_type": live.charge_type,
        "instance_type": live.instance_type,
        "replicas": live.replicas,
        "internet": bool(live.internet_enabled),
        "intranet": bool(live.intranet_enabled),
        "labels": declared_part(_labels(live), known.labels),
    }
    return known.model_copy(update=seen)


def _labels(live: Any) -> dict[str, str]:
    return {label.label_key: label.label_value for label in live.labels or []}


def _outputs(live: Any) -> Props:
    return {"internet_domain": live.internet_domain or "", "intranet_domain": live.intranet_domain or ""}
