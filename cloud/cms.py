"""The CloudMonitor SDK client: the one place that builds it."""

from typing import TYPE_CHECKING

from cloud.openapi import client_config
from cloud.target import Credentials, Target

if TYPE_CHECKING:
    from alibabacloud_cms20190101.client import Client


def cms_client(target: Target, credentials: Credentials) -> "Client":
    """A client of CloudMonitor (API 2019-01-01) in the target's region; calls raise Tea's exceptions."""
    from alibabacloud_cms20190101.client import Client  # takes a second, which a preview need not wait

    return Client(client_config(target, credentials, host=f"metrics.{target.region}.aliyuncs.com"))
