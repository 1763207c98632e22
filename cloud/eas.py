"""The EAS SDK client: the one place that builds it."""

from typing import TYPE_CHECKING

from cloud.openapi import client_config
from cloud.target import Credentials, Target

if TYPE_CHECKING:
    from alibabacloud_eas20210701.client import Client


def eas_client(target: Target, credentials: Credentials, *, once: bool = False) -> "Client":
    """A client of EAS (API 2021-07-01) in the target's region; calls raise Tea's exceptions.

    With `once`, it tries nothing again that EAS may have done.
    """
    from alibabacloud_eas20210701.client import Client  # takes a second, which a preview need not wait

    return Client(client_config(target, credentials, host=f"pai-eas.{target.region}.aliyuncs.com", once=once))
