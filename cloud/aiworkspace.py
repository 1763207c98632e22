"""The AIWorkSpace SDK client: the one place that builds it."""

from typing import TYPE_CHECKING

from cloud.openapi import client_config
from cloud.target import Credentials, Target

if TYPE_CHECKING:
    from alibabacloud_aiworkspace20210204.client import Client


def aiworkspace_client(target: Target, credentials: Credentials) -> "Client":
    """A client of AIWorkSpace (API 2021-02-04) in the target's region; calls raise Tea's exceptions."""
    from alibabacloud_aiworkspace20210204.client import Client  # takes a second, which a preview need not wait

    return Client(client_config(target, credentials, host=f"aiworkspace.{target.region}.aliyuncs.com"))
