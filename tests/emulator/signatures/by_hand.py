"""Requests signed step by step, so that a test can spoil any part of one; most are `sts:GetCallerIdentity`.

The signatures are computed by the vendor's SDK, not by the emulator's code.
"""

import uuid
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from alibabacloud_tea_openapi.utils import Utils
from darabonba.request import DaraRequest

from emulator.credentials import ACCESS_KEY_ID, ACCESS_KEY_SECRET

VERSIONS = {"GetCallerIdentity": "2015-04-01", "GetRole": "2015-05-01"}


def _new_nonce() -> str:
    return uuid.uuid4().hex


@dataclass(frozen=True)
class Signer:
    """Whom a request claims to be from, and when it was signed."""

    access_key_id: str = ACCESS_KEY_ID
    secret: str = ACCESS_KEY_SECRET
    token: str = ""
    age: timedelta = timedelta()
    nonce: str = field(default_factory=_new_nonce)
    action: str = "GetCallerIdentity"
    parameters: dict[str, str] = field(default_factory=lambda: {"RegionId": "cn hangzhou*~+/é"})

    def but(self, **changes: Any) -> "Signer":
        return replace(self, **changes)

    @property
    def _date(self) -> datetime:
        return datetime.now(UTC) - self.age

    def rpc(self) -> httpx.Request:
        """Parameters half in the query and half in the form."""
        query = {
            "Action": self.action,
            "Version": VERSIONS[self.action],
            "AccessKeyId": self.access_key_id,
            "Timestamp": self._date.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "SignatureMethod": "HMAC-SHA1",
            "SignatureVersion": "1.0",
            "SignatureNonce": self.nonce,
        } | ({"SecurityToken": self.token} if self.token else {})
        query["Signature"] = Utils.get_rpcsignature({**query, **self.parameters}, "POST", self.secret)
        host = "sts" if self.action == "GetCallerIdentity" else "ram"
        return httpx.Request("POST", f"http://{host}.aliyuncs.com/", params=query, data=self.parameters)

    def roa(self) -> httpx.Request:
        headers = {
            "date": self._date.strftime("%a, %d %b %Y %H:%M:%S GMT"),
            "accept": "application/json",
            "content-type": "application/json",
            "x-acs-version": "2015-04-01",
            "x-acs-action": "GetCallerIdentity",
            "x-acs-signature-nonce": self.nonce,
        } | ({"x-acs-security-token": self.token} if self.token else {})
        request = self._request("GET", headers)
        signature = Utils.get_roasignature(Utils.get_string_to_sign(request), self.secret)
        headers["authorization"] = f"acs {self.access_key_id}:{signature}"
        return httpx.Request("GET", "http://sts.aliyuncs.com/", params=request.query, headers=headers)

    def acs3(self) -> httpx.Request:
        headers = {
            "host": "sts.aliyuncs.com",
            "x-acs-version": "2015-04-01",
            "x-acs-action": "GetCallerIdentity",
            "x-acs-date": self._date.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "x-acs-signature-nonce": self.nonce,
        } | ({"x-acs-security-token": self.token} if self.token else {})
        request = self._request("POST", headers)
        digest = Utils.hash(b"", "ACS3-HMAC-SHA256").hex()
        headers["authorization"] = Utils.get_authorization(
            request, "ACS3-HMAC-SHA256", digest, self.access_key_id, self.secret
        )
        return httpx.Request("POST", "http://sts.aliyuncs.com/", params=request.query, headers=headers)

    def _request(self, method: str, headers: dict[str, str]) -> DaraRequest:
        request = DaraRequest()
        request.method, request.pathname, request.headers = method, "/", headers
        request.query = {"RegionId": "cn hangzhou*~+/é", "ClientToken": ""}
        return request
