"""Create, describe, update and delete a service's autoscaler."""

from emulator.errors import ApiError
from emulator.operations import Answer
from emulator.services.eas.guards import refuse_when_going, refuse_when_locked
from emulator.services.eas.product import SERVICE, eas
from emulator.services.eas.records import Service
from emulator.services.eas.scaling.parameters import AutoscalerParameters, checked
from emulator.services.eas.scaling.records import Autoscaler
from emulator.services.eas.state import EasState


@eas.operation("CreateServiceAutoScaler", "POST", f"{SERVICE}/autoscaler")
def create_service_auto_scaler(
    state: EasState, cluster_id: str, service_name: str, body: AutoscalerParameters
) -> Answer:
    service = state.find(cluster_id, service_name)
    refuse_when_going(service)
    refuse_when_locked(service)
    if state.autoscalers.get(str(service.key)) is not None:
        raise ApiError("InvalidAutoScaler.Exists", f"Service [{service.name}] already has an autoscaler.", 409)
    state.put_autoscaler(service.key, checked(service, body))
    return {"Message": f"Succeed to auto scale service [{service_name}] in region [{cluster_id}]"}


@eas.operation("UpdateServiceAutoScaler", "PUT", f"{SERVICE}/autoscaler")
def update_service_auto_scaler(
    state: EasState, cluster_id: str, service_name: str, body: AutoscalerParameters
) -> Answer:
    """Replaces all settings, and sets back bounds that a cron scaler has moved."""
    service = state.find(cluster_id, service_name)
    refuse_when_going(service)
    refuse_when_locked(service)
    _find(state, service)
    state.autoscalers.put(str(service.key), checked(service, body))
    state.scaling.wake()
    return {"Message": f"Succeed to update auto scaler of service [{service_name}] in region [{cluster_id}]"}


@eas.operation("DescribeServiceAutoScaler", "GET", f"{SERVICE}/autoscaler")
def describe_service_auto_scaler(state: EasState, cluster_id: str, service_name: str) -> Answer:
    """The bounds are those of now, also when a cron scaler has moved them; `CurrentMetrics` is what was measured at
    the last evaluation."""
    service = state.find(cluster_id, service_name)
    autoscaler = _find(state, service)
    behavior = autoscaler.behavior
    values = state.scaling.measured.get(service.key, [])
    return {
        "ServiceName": service.name,
        "MinReplica": autoscaler.minimum,
        "MaxReplica": autoscaler.maximum,
        "Behavior": {
            "scaleUp": {"stabilizationWindowSeconds": behavior.scale_up_window_s},
            "scaleDown": {"stabilizationWindowSeconds": behavior.scale_down_window_s},
            "onZero": {
                "scaleDownGracePeriodSeconds": behavior.to_zero_after_s,
                "scaleUpActivationReplicas": behavior.activation_replicas,
            },
        },
        "ScaleStrategies": [
            {"metricName": strategy.metric, "threshold": strategy.threshold, "service": strategy.service}
            for strategy in autoscaler.strategies
        ],
        "CurrentMetrics": [
            {"metricName": strategy.metric, "value": value, "service": strategy.service}
            for strategy, value in zip(autoscaler.strategies, values, strict=False)
            if value is not None
        ],
    }


@eas.operation("DeleteServiceAutoScaler", "DELETE", f"{SERVICE}/autoscaler")
def delete_service_auto_scaler(state: EasState, cluster_id: str, service_name: str) -> Answer:
    """The service keeps the instances that it has."""
    service = state.find(cluster_id, service_name)
    refuse_when_locked(service)
    _find(state, service)
    state.remove_autoscaler(service.key)
    return {"Message": f"Succeed to delete auto scaler of service [{service_name}] in region [{cluster_id}]"}


def _find(state: EasState, service: Service) -> Autoscaler:
    autoscaler = state.autoscalers.get(str(service.key))
    if autoscaler is None:
        raise ApiError("InvalidAutoScaler.NotFound", f"Service [{service.name}] has no autoscaler.", 404)
    return autoscaler
