"""Location: where a product's endpoint is. The Go provider asks it once for each product."""

from pydantic import Field

from emulator.operations import Answer, Parameters, Product
from emulator.state import State

# The one product in use whose host the Go provider does not know by itself.
ENDPOINTS = {"eas": "pai-eas.{region}.aliyuncs.com"}

location = Product("location", "2015-06-12", "RPC")


class DescribeEndpoints(Parameters):
    id: str = Field(alias="Id")
    service_code: str | None = Field(None, alias="ServiceCode")
    type: str | None = Field(None, alias="Type")


@location.operation("DescribeEndpoints")
def describe_endpoints(_state: State, query: DescribeEndpoints) -> Answer:
    """`Id` is the region that is asked about; a product that is not known here has no endpoint, as the SDKs expect."""
    host = ENDPOINTS.get(query.service_code or "", "").format(region=query.id)
    # The API itself spells it so.
    endpoint = {"Endpoint": host, "Id": query.id, "SerivceCode": query.service_code, "Type": "openAPI"}
    return {"Endpoints": {"Endpoint": [endpoint] if host else []}, "Success": True}
