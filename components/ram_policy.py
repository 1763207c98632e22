"""RAM policy documents: https://www.alibabacloud.com/help/en/ram/policy-elements."""

from collections.abc import Sequence
from typing import Any

# EAS, not PAI as a whole: https://www.alibabacloud.com/help/en/pai/user-guide/configure-the-eas-ram-role
_EAS = "eas.pai.aliyuncs.com"


def trust_of_eas() -> dict[str, Any]:
    """Who may assume the role of a service: EAS, when it mounts storage and gives replicas their credentials."""
    return _document([{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": [_EAS]}}])


def read_prefixes(bucket: str, prefixes: Sequence[str]) -> dict[str, Any]:
    """Reading the objects under `prefixes` of `bucket`, listing them, and nothing else."""
    return _document(
        [
            {
                "Effect": "Allow",
                "Action": ["oss:GetObject"],
                "Resource": [f"acs:oss:*:*:{bucket}/{prefix}*" for prefix in prefixes],
            },
            {
                "Effect": "Allow",
                "Action": ["oss:ListObjects"],
                "Resource": [f"acs:oss:*:*:{bucket}"],
                "Condition": {"StringLike": {"oss:Prefix": [f"{prefix}*" for prefix in prefixes]}},
            },
        ]
    )


def _document(statements: list[dict[str, Any]]) -> dict[str, Any]:
    return {"Version": "1", "Statement": statements}
