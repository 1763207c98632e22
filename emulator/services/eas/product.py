"""The products that EAS's operations register themselves at."""

from emulator.operations import Product

_OPERATIONS = "emulator.services.eas.operations"

eas = Product("eas", "2021-07-01", "ROA", registered_by=_OPERATIONS)
# service_alicloud_pai_v2.go calls TagResources and UntagResources of the version 2021-07-02, for which there is no
# published SDK, at the host of the version 2021-07-01.
eas_tags = Product("eas-tags", "2021-07-02", "RPC", registered_by=_OPERATIONS)

SERVICES = "/api/v2/services"
SERVICE = "/api/v2/services/{cluster_id}/{service_name}"
