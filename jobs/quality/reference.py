"""What a deployed model was measured with, from its files in the stack's bucket."""

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from cloud.oss import oss_bucket
from jobs.problem import JobError
from jobs.stacks import OpenStack

if TYPE_CHECKING:
    from oss2 import Bucket


class Trained(BaseModel):
    """metrics.json, as far as it is compared; shares from 0 to 1."""

    accuracy: float
    recall: float
    f1: float


class Reference(BaseModel):
    """reference.json: how many held-back images fell where, see model/reference.py."""

    predictions: dict[str, int]
    confidence: list[int]
    mean: list[int]
    deviation: list[int]


class Known(BaseModel):
    """Of one version. Artefacts that are older than reference.json have none."""

    labels: list[str]
    trained: Trained
    reference: Reference | None


def known(stack: OpenStack, model: str, version: str) -> Known:
    """JobError when the bucket does not hold that version."""
    name = stack.config.store.bucket_name(stack.pulumi.name, stack.target.account_id)
    bucket: Bucket = oss_bucket(stack.target, stack.credentials(), name)
    folder = f"models/{model}/{version}/"
    labels, metrics = (_read(bucket, f"{folder}{file}") for file in ("labels.json", "metrics.json"))
    if labels is None or metrics is None:
        raise JobError(f"oss://{name}/{folder} does not hold {model} {version}, which the service runs")
    reference = _read(bucket, f"{folder}reference.json")
    return Known.model_validate_json(
        f'{{"labels": {labels}, "trained": {metrics}, "reference": {reference or "null"}}}'
    )


def _read(bucket: "Bucket", key: str) -> str | None:
    from oss2.exceptions import NoSuchBucket, NoSuchKey

    try:
        content: Any = bucket.get_object(key).read()
    except (NoSuchKey, NoSuchBucket):
        return None
    return str(content.decode())
