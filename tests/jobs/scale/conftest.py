"""An emulator with a bucket that keeps versions, as a stack's has."""

from collections.abc import Iterator

import oss2
import pytest

from cloud.oss import oss_bucket
from cloud.target import Credentials, Target
from tests.emulator.running import RunningEmulator, run_emulator

BUCKET = "paistack-dev-90123456-models"


def target_of(emulator: RunningEmulator) -> Target:
    return Target(region="cn-hangzhou", account_id="1234567890123456", emulator=emulator.url)


def versioned_bucket(target: Target) -> oss2.Bucket:
    bucket = oss_bucket(target, Credentials.from_environment(target, target.environment()), BUCKET)
    bucket.create_bucket()
    bucket.put_bucket_versioning(oss2.models.BucketVersioningConfig(oss2.BUCKET_VERSIONING_ENABLE))
    return bucket


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[oss2.Bucket]:
    with run_emulator(tmp_path_factory.mktemp("emulator")) as emulator:
        yield versioned_bucket(target_of(emulator))
