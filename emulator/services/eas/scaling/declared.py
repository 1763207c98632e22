"""The `autoscaler` object of the service JSON."""

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from emulator.services.eas.config.parsing import invalid
from emulator.services.eas.config.service import ServiceConfig
from emulator.services.eas.records import Service
from emulator.services.eas.scaling.parameters import AutoscalerParameters, checked
from emulator.services.eas.scaling.records import Autoscaler

if TYPE_CHECKING:
    from emulator.services.eas.state import EasState


def declared_autoscaler(service: Service, config: ServiceConfig) -> Autoscaler | None:
    """The autoscaler that a service JSON asks for, in either of its documented forms: `strategies` of "JSON
    deployment" or `scaleStrategies` as in CreateServiceAutoScaler."""
    wanted = config.autoscaler
    if wanted is None:
        return None
    strategies = [
        strategy.model_dump(by_alias=True, exclude_none=True) for strategy in wanted.scale_strategies or []
    ] or [{"metricName": name, "threshold": threshold} for name, threshold in (wanted.strategies or {}).items()]
    document = {"min": wanted.min, "max": wanted.max, "scaleStrategies": strategies, "behavior": wanted.behavior}
    try:
        return checked(service, AutoscalerParameters.model_validate(document))
    except ValidationError as error:
        first = error.errors()[0]
        path = ".".join(["autoscaler", *(str(part) for part in first["loc"])])
        raise invalid(f"{path!r} of the service JSON: {first['msg']}.") from None


def follow_declared(state: "EasState", service: Service, document: dict[str, Any], config: ServiceConfig) -> None:
    """Makes, changes or removes the autoscaler when an update has changed the object; otherwise it stays as it is."""
    if document.get("autoscaler") == service.config.get("autoscaler"):
        return
    autoscaler = declared_autoscaler(service, config)
    if autoscaler is None:
        state.remove_autoscaler(service.key)
    else:
        state.put_autoscaler(service.key, autoscaler)
