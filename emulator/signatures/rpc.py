"""RPC HMAC-SHA1: everything about the signature is among the parameters, in the query or in a form.

The Go provider signs so, and every RPC SDK with `signature_algorithm="v2"`. Source: `Utils.get_rpcsignature` in
alibabacloud_tea_openapi, `GetSignatureV1` in tea-rpc-utils.
"""

import base64
import hashlib
import hmac
from urllib.parse import quote

from emulator.signatures.claim import Claim, iso_time, mandatory, supported
from emulator.wire import ReceivedCall


def claim(call: ReceivedCall) -> Claim:
    parameters = call.parameters
    access_key_id = mandatory(parameters, "AccessKeyId", "AccessKeyId")
    supported(mandatory(parameters, "SignatureMethod", "SignatureMethod"), "SignatureMethod", "HMAC-SHA1")
    supported(mandatory(parameters, "SignatureVersion", "SignatureVersion"), "SignatureVersion", "1.0")
    text = string_to_sign(call.method, {name: value for name, value in parameters.items() if name != "Signature"})
    return Claim(
        access_key_id=access_key_id,
        security_token=parameters.get("SecurityToken", ""),
        nonce=mandatory(parameters, "SignatureNonce", "SignatureNonce"),
        signed_at=iso_time(mandatory(parameters, "Timestamp", "Timestamp")),
        signature=mandatory(parameters, "Signature", "Signature"),
        sign=lambda secret: _signature(text, secret),
        explanation=f"server string to sign is:{text}",
    )


def string_to_sign(method: str, parameters: dict[str, str]) -> str:
    canonical = "&".join(f"{_encoded(name)}={_encoded(value)}" for name, value in sorted(parameters.items()))
    return f"{method}&%2F&{_encoded(canonical)}"


def _signature(text: str, secret: str) -> str:
    return base64.b64encode(hmac.digest(f"{secret}&".encode(), text.encode(), hashlib.sha1)).decode()


def _encoded(text: str) -> str:
    return quote(text, safe="~")
