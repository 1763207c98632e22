"""Which product a request is for: by its host name behind the proxy, by its marks at the bare endpoint."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from emulator.errors import ApiError

LOOPBACK = re.compile(r"^(127\.\d+\.\d+\.\d+|localhost|\[::1\])(:\d+)?$")

# The real host names, as the vendor's SDKs and the Go provider build them. The part that a host has beyond its
# product is the region, the bucket or the account.
HOSTS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (product, re.compile(rf"^{pattern}(:\d+)?$"))
    for product, pattern in (
        (
            "oss",
            r"((?P<bucket>[a-z0-9][a-z0-9-]{1,61}[a-z0-9])\.)?oss-(?P<region>[a-z0-9-]+?)(-internal)?\.aliyuncs\.com",
        ),
        ("eas", r"(pai-eas|eas)\.(?P<region>[a-z0-9-]+)\.aliyuncs\.com"),
        ("eas-gateway", r"(?P<account>\d+)\.(vpc\.)?(?P<region>[a-z0-9-]+)\.pai-eas\.aliyuncs\.com"),
        ("aiworkspace", r"aiworkspace\.(?P<region>[a-z0-9-]+)\.aliyuncs\.com"),
        ("pai-dsw", r"pai-dsw\.(?P<region>[a-z0-9-]+)\.aliyuncs\.com"),
        ("cms", r"metrics\.(?P<region>[a-z0-9-]+)\.aliyuncs\.com"),
        ("ram", r"ram\.aliyuncs\.com"),
        ("sts", r"sts(\.(?P<region>[a-z0-9-]+))?\.aliyuncs\.com"),
        ("location", r"location(-readonly)?\.aliyuncs\.com"),
        ("bss", r"business(\.(?P<region>[a-z0-9-]+))?\.aliyuncs\.com"),
    )
)

# At the bare endpoint the API version names the product: every SDK sends it.
VERSIONS = {
    "2021-07-01": "eas",
    "2021-07-02": "eas-tags",
    "2021-02-04": "aiworkspace",
    "2022-01-01": "pai-dsw",
    "2019-01-01": "cms",
    "2015-05-01": "ram",
    "2015-04-01": "sts",
    "2015-06-12": "location",
    "2017-12-14": "bss",
}


@dataclass(frozen=True)
class Address:
    """`product` is a key of HOSTS, or `emulator` for the emulator's own pages; `region` and `bucket` may be empty."""

    product: str
    region: str = ""
    bucket: str = ""


def locate(host: str, path: str, version: str) -> Address:
    """The addressee of a request; ApiError for a host that the emulator does not stand in for.

    `version` is the API version that the request carries (`x-acs-version`, or the parameter `Version`), or empty.
    """
    if LOOPBACK.match(host):
        return _at_endpoint(path, version)
    for product, pattern in HOSTS:
        if match := pattern.match(host.lower()):
            found: Mapping[str, str | None] = match.groupdict()
            if product == "eas" and VERSIONS.get(version) == "eas-tags":  # two APIs share this host
                product = "eas-tags"
            return Address(product, found.get("region") or "", found.get("bucket") or "")
    raise ApiError(
        "Emulator.UnknownHost",
        f"the emulator does not stand in for {host}, and it never forwards a request",
        403,
    )


def _at_endpoint(path: str, version: str) -> Address:
    if version:
        try:
            return Address(VERSIONS[version])
        except KeyError:
            known = ", ".join(f"{number} ({product})" for number, product in VERSIONS.items())
            message = f"no emulated product has the API version {version!r}; there are {known}"
            raise ApiError("InvalidVersion", message) from None
    if path == "/health" or path.startswith("/_emulator/"):
        return Address("emulator")
    if path.startswith("/api/predict/"):
        return Address("eas-gateway")
    return Address("oss")  # path style: /bucket/key
