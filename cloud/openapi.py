"""What the clients of all OpenAPI products (EAS, RAM, ...) have in common."""

from typing import TYPE_CHECKING

from cloud.target import Credentials, Target

if TYPE_CHECKING:
    from alibabacloud_tea_openapi.models import Config
    from darabonba.policy.retry import RetryCondition


def client_config(target: Target, credentials: Credentials, *, host: str, once: bool = False) -> "Config":
    """The SDK's configuration: `host` over TLS in the cloud, or the emulator in its place, past any proxy.

    With `once`, nothing is tried again that may have been done: for what costs money each time.
    """
    from alibabacloud_tea_openapi.models import Config
    from darabonba.policy.retry import RetryOptions

    return Config(
        access_key_id=credentials.access_key_id,
        access_key_secret=credentials.access_key_secret,
        security_token=credentials.security_token,
        region_id=target.region,
        endpoint=target.emulator.removeprefix("http://") if target.emulator else host,
        protocol="HTTP" if target.emulator else "HTTPS",
        http_proxy=target.emulator,  # the SDK knows no exceptions from a proxy of the environment
        connect_timeout=5_000,
        read_timeout=30_000,
        retry_options=RetryOptions(retryable=True, retry_condition=[_patience(once)]),
    )


def _patience(once: bool) -> "RetryCondition":
    """Throttling, and without `once` 5xx and broken connections, are tried five times within about 15 seconds."""
    from darabonba.policy.retry import EqualJitterBackoffPolicy, RetryCondition

    return RetryCondition(
        max_attempts=5,
        exception=["ThrottlingException", *([] if once else ["ServerException", "RetryError"])],
        error_code=["Throttling", "Throttling.Api", "Throttling.User", *([] if once else ["ServiceUnavailable"])],
        backoff=EqualJitterBackoffPolicy({"policy": "ExponentialWithEqualJitter", "period": 500, "cap": 8_000}),
    )
