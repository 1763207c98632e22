"""Tokens of services and groups."""

import base64
import secrets


def new_token() -> str:
    """The form of the cloud's own tokens: 40 hexadecimal digits in base64."""
    return base64.b64encode(secrets.token_hex(20).encode()).decode()
