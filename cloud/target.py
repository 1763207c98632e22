"""Where a stack's cloud is: a region of Alibaba Cloud, or the emulator on the loopback; and who may call it."""

import re
from collections.abc import Mapping
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

# Whoever reaches the loopback may use the emulator's key, and it opens nothing elsewhere: not a secret.
EMULATOR_ACCESS_KEY_ID = "LTAI5tPaistackEmulator00"
EMULATOR_ACCESS_KEY_SECRET = "paistack-emulator-secret-0000000"  # noqa: S105

# The SDKs' names of the three variables, and the names that the Go provider looks at first.
_KEY_ID = ("ALIBABA_CLOUD_ACCESS_KEY_ID", "ALICLOUD_ACCESS_KEY")
_KEY_SECRET = ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "ALICLOUD_SECRET_KEY")
_TOKEN = ("ALIBABA_CLOUD_SECURITY_TOKEN", "ALICLOUD_SECURITY_TOKEN")


# The engine, its plugins and the SDKs talk to each other and to the emulator on the loopback, past any proxy.
LOOPBACK_UNPROXIED = {"NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost"}


class TargetError(Exception):
    """The environment and the target do not belong together; the message says what to do."""


def _loopback_url(url: str) -> str:
    if not re.fullmatch(r"http://127\.0\.0\.1:[0-9]{1,5}", url):
        raise ValueError("the emulator listens on the loopback only, so this is http://127.0.0.1:PORT")
    return url


class Target(BaseModel):
    """The cloud that a stack is deployed to."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    region: str = Field(
        pattern=r"^[a-z]{2}-[a-z]+(-[a-z0-9]+)*$",
        description="Region id, for example cn-hangzhou.",
    )
    account_id: str = Field(
        pattern=r"^[0-9]{16}$",
        description="Alibaba Cloud account (16 digits, quoted). Names and role ARNs are built from it.",
    )
    emulator: Annotated[str, AfterValidator(_loopback_url)] | None = Field(
        default=None,
        description="http://127.0.0.1:PORT of the emulator; leave it out for Alibaba Cloud itself.",
    )

    def environment(self) -> dict[str, str]:
        """What the Go provider and the SDKs need beside credentials to find this target.

        The emulator is an HTTP proxy for the provider: real host names stay, and one variable moves every request.
        EAS has no endpoint built into the provider, and naming it spares a DescribeEndpoints call.
        """
        eas = {"ALIBABA_CLOUD_ENDPOINT_EAS": f"pai-eas.{self.region}.aliyuncs.com"}
        if self.emulator is None:
            return eas
        proxy = {"HTTP_PROXY": self.emulator, "http_proxy": self.emulator}
        return eas | proxy | LOOPBACK_UNPROXIED | emulator_credentials()


class Credentials(BaseModel):
    """An access key of RAM, or a temporary one of STS with its token."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    access_key_id: str
    access_key_secret: str = Field(repr=False)
    security_token: str | None = Field(default=None, repr=False)

    @classmethod
    def from_environment(cls, target: Target, environ: Mapping[str, str]) -> Self:
        """The caller's credentials for `target`; TargetError when they are missing or meant for elsewhere."""
        key_id, secret, token = (_first(environ, names) for names in (_KEY_ID, _KEY_SECRET, _TOKEN))
        if not key_id or not secret:
            raise TargetError(
                f"no credentials for {_describe(target)}: set ALIBABA_CLOUD_ACCESS_KEY_ID and "
                "ALIBABA_CLOUD_ACCESS_KEY_SECRET (and ALIBABA_CLOUD_SECURITY_TOKEN for a temporary key)"
                if target.emulator is None
                else _ways_in(f"no credentials for {_describe(target)}")
            )
        _check_pair(target, key_id)
        return cls(access_key_id=key_id, access_key_secret=secret, security_token=token)


def emulator_credentials() -> dict[str, str]:
    """The emulator's well-known key under the names of the SDKs and of the Go provider; no token."""
    return {
        **dict.fromkeys(_KEY_ID, EMULATOR_ACCESS_KEY_ID),
        **dict.fromkeys(_KEY_SECRET, EMULATOR_ACCESS_KEY_SECRET),
        **dict.fromkeys(_TOKEN, ""),
    }


def provider_credentials(credentials: Credentials) -> dict[str, str]:
    """`credentials` under the names of the SDKs and of the Go provider alike, so that both act as one caller."""
    return {
        **dict.fromkeys(_KEY_ID, credentials.access_key_id),
        **dict.fromkeys(_KEY_SECRET, credentials.access_key_secret),
        **dict.fromkeys(_TOKEN, credentials.security_token or ""),
    }


def check_environment(target: Target, environ: Mapping[str, str]) -> Credentials:
    """The caller's credentials, once the environment is known to lead to `target` and nowhere else.

    Raises TargetError otherwise: real credentials must not reach the emulator, nor the emulator's the cloud.
    """
    proxy = _first(environ, ("HTTP_PROXY", "http_proxy"))
    if target.emulator is not None and proxy != target.emulator:
        raise TargetError(_ways_in(f"HTTP_PROXY is {proxy or 'not set'}, the emulator is {target.emulator}"))
    credentials = Credentials.from_environment(target, environ)
    if target.emulator is None and proxy and urlsplit(proxy).hostname in ("127.0.0.1", "localhost"):
        raise TargetError(
            f"this stack is deployed to {_describe(target)}, but HTTP_PROXY={proxy} leads to the emulator: "
            "unset HTTP_PROXY, or run `paistack`, which does it"
        )
    return credentials


def _check_pair(target: Target, key_id: str) -> None:
    is_emulators = key_id == EMULATOR_ACCESS_KEY_ID
    if target.emulator is None and is_emulators:
        raise TargetError(
            f"the environment holds the emulator's access key, but this stack is deployed to {_describe(target)}: "
            "set ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET to the account's own"
        )
    if target.emulator is not None and not is_emulators:
        raise TargetError(
            _ways_in("the environment holds an access key that is not the emulator's, and it is not sent there")
        )


def _ways_in(problem: str) -> str:
    return (
        f"{problem}: run `paistack up --stack STACK`, which sets the environment and starts the emulator, "
        'or `eval "$(paistack env --stack STACK)"` before `pulumi`'
    )


def _describe(target: Target) -> str:
    return f"the emulator at {target.emulator}" if target.emulator else f"Alibaba Cloud ({target.region})"


def _first(environ: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    return next((environ[name] for name in names if environ.get(name)), None)
