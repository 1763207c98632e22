"""The RAM client: its few operations in use, on the generic OpenAPI client."""

from typing import Any

from cloud.openapi import client_config
from cloud.target import Credentials, Target


class RamClient:
    """Calls operations of RAM (API 2015-05-01) by name; raises Tea's exceptions."""

    def __init__(self, target: Target, credentials: Credentials) -> None:
        from alibabacloud_tea_openapi.client import Client

        self._client = Client(client_config(target, credentials, host="ram.aliyuncs.com"))

    def call(self, action: str, **parameters: str) -> dict[str, Any]:
        """The body of the answer, as the API documents it under the operation's name."""
        from alibabacloud_tea_openapi import models
        from darabonba.runtime import RuntimeOptions

        operation = models.Params(
            action=action,
            version="2015-05-01",
            protocol="HTTPS",
            method="POST",
            auth_type="AK",
            style="RPC",
            pathname="/",
            req_body_type="formData",
            body_type="json",
        )
        answer = self._client.call_api(operation, models.OpenApiRequest(query=parameters), RuntimeOptions())
        body: dict[str, Any] = answer["body"]
        return body
