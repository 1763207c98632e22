"""The addresses of a service."""

from emulator.services.eas.records import Service
from emulator.services.eas.state import EasState


def internet_endpoint(state: EasState, service: Service) -> str:
    """Differs from the cloud (`http://<account>.<region>.pai-eas.aliyuncs.com/...`), so that it can be called as it
    is, without a proxy."""
    return f"http://127.0.0.1:{state.port}/api/predict/{service.name}"


def intranet_endpoint(state: EasState, service: Service) -> str:
    """The cloud's form; the emulator answers to it as a proxy."""
    return f"http://{state.account_id}.vpc.{service.region}.pai-eas.aliyuncs.com/api/predict/{service.name}"
