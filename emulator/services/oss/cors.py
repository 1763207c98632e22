"""Cross-origin requests of browsers, by the bucket's CORS rules."""

import fnmatch
from typing import NamedTuple
from xml.etree.ElementTree import Element

from emulator.services.oss import xml
from emulator.services.oss.errors import access_denied
from emulator.services.oss.operations import operation
from emulator.services.oss.reply import Reply
from emulator.services.oss.request import OssRequest
from emulator.services.oss.service import Oss


class CrossOrigin(NamedTuple):
    """What a browser asks for: its page's origin, the method, and the headers that it means to send."""

    origin: str
    method: str
    headers: tuple[str, ...] = ()


@operation("OptionObject", "OPTIONS", "object")
def option_object(oss: Oss, request: OssRequest) -> Reply:
    named = request.headers.get("access-control-request-headers", "")
    asked = CrossOrigin(
        request.headers.get("origin", ""),
        request.headers.get("access-control-request-method", ""),
        tuple(name.strip().lower() for name in named.split(",") if name.strip()),
    )
    allowed = headers(oss, request.bucket, asked)
    if not allowed:
        raise access_denied("CORSResponse: This CORS request is not allowed.")
    return Reply(200, allowed)


def headers(oss: Oss, bucket: str, asked: CrossOrigin) -> dict[str, str]:
    """Those by which an answer allows `asked`; empty when no rule does."""
    document = oss.index.setting(bucket, "cors")
    if document is None:
        return {}
    root = xml.read(document, "CORSConfiguration")
    for rule in root.findall("CORSRule"):
        if _allows(rule, asked):
            return _granted(rule, asked, vary=xml.text(root, "ResponseVary") == "true")
    return {}


def _allows(rule: Element, asked: CrossOrigin) -> bool:
    return (
        _matches(asked.origin, _texts(rule, "AllowedOrigin"))
        and asked.method in _texts(rule, "AllowedMethod")
        and all(_matches(name, [each.lower() for each in _texts(rule, "AllowedHeader")]) for name in asked.headers)
    )


def _granted(rule: Element, asked: CrossOrigin, *, vary: bool) -> dict[str, str]:
    origins, exposed = _texts(rule, "AllowedOrigin"), _texts(rule, "ExposeHeader")
    granted = {
        "access-control-allow-origin": "*" if "*" in origins else asked.origin,
        "access-control-allow-methods": ", ".join(_texts(rule, "AllowedMethod")),
    }
    if asked.headers:
        granted["access-control-allow-headers"] = ", ".join(asked.headers)
    if exposed:
        granted["access-control-expose-headers"] = ", ".join(exposed)
    if age := xml.text(rule, "MaxAgeSeconds"):
        granted["access-control-max-age"] = age
    if vary or "*" not in origins:
        granted["vary"] = "Origin"
    return granted


def _matches(value: str, patterns: list[str]) -> bool:
    return any(fnmatch.fnmatchcase(value, pattern) for pattern in patterns)


def _texts(rule: Element, name: str) -> list[str]:
    return [(element.text or "").strip() for element in rule.findall(name)]
