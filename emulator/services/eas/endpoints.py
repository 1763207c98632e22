"""The addresses of a service."""

from emulator.operations import Answer
from emulator.services.eas.product import SERVICE, eas
from emulator.services.eas.records import Service
from emulator.services.eas.state import EasState
from emulator.services.eas.traffic.records import Group


def internet_endpoint(state: EasState, service: Service) -> str:
    """Differs from the cloud (`http://<account>.<region>.pai-eas.aliyuncs.com/...`), so that it can be called as it
    is, without a proxy."""
    return f"http://127.0.0.1:{state.port}/api/predict/{service.name}"


def intranet_endpoint(state: EasState, service: Service) -> str:
    """The cloud's form; the emulator answers to it as a proxy."""
    return f"http://{state.account_id}.vpc.{service.region}.pai-eas.aliyuncs.com/api/predict/{service.name}"


def group_internet_endpoint(state: EasState, group: Group) -> str:
    return f"http://127.0.0.1:{state.port}/api/predict/{group.name}"


def group_intranet_endpoint(state: EasState, group: Group) -> str:
    return f"http://{state.account_id}.vpc.{group.region}.pai-eas.aliyuncs.com/api/predict/{group.name}"


@eas.operation("DescribeServiceEndpoints", "GET", f"{SERVICE}/endpoints")
def describe_service_endpoints(state: EasState, cluster_id: str, service_name: str) -> Answer:
    service = state.find(cluster_id, service_name)
    gateway = service.config.get("networking", {}).get("gateway")
    return {
        "AccessToken": service.token,
        "Endpoints": [
            {
                "BackendId": gateway or "default",
                "EndpointType": "PrivateGateway" if gateway else "DefaultGateway",
                "PathType": "Service",
                "InternetEndpoints": [internet_endpoint(state, service)],
                "IntranetEndpoints": [intranet_endpoint(state, service)],
            }
        ],
    }
