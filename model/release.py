"""Stops the DSW instance that this runs in, when its work is done: `python -m model.release`.

DSW tells the instance its id, and gives it credentials of a role (https://www.alibabacloud.com/help/en/pai/user-guide/
configure-an-instance-ram-role-for-a-dsw-instance). DSW_ENDPOINT is where DSW answers, with its scheme.
"""

import os
import sys
from urllib.parse import urlsplit


def release() -> None:
    """Ask DSW to stop this instance; raises Tea's exceptions, KeyError outside an instance."""
    from alibabacloud_credentials.client import Client as Credentials
    from alibabacloud_pai_dsw20220101 import models
    from alibabacloud_pai_dsw20220101.client import Client
    from alibabacloud_tea_openapi.utils_models import Config

    endpoint = urlsplit(os.environ["DSW_ENDPOINT"])
    config = Config(credential=Credentials(), endpoint=endpoint.netloc, protocol=endpoint.scheme.upper())
    Client(config).stop_instance(os.environ["DSW_INSTANCE_ID"], models.StopInstanceRequest())


if __name__ == "__main__":
    try:
        release()
    except KeyError as missing:
        sys.exit(f"error: {missing.args[0]} is not set: this is run in an instance of DSW")
    except Exception as error:  # noqa: BLE001 - the SDK raises many kinds; the culler stops the instance all the same
        sys.exit(f"error: this instance could not be stopped: {error}; its idle shutdown and timer will do it")
