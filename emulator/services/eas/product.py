"""The product that the operations below register themselves at."""

from emulator.operations import Product

eas = Product("eas", "2021-07-01", "ROA")

SERVICES = "/api/v2/services"
SERVICE = "/api/v2/services/{cluster_id}/{service_name}"
