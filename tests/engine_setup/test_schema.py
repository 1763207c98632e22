"""What the plugin serves, against what the Python SDK asks of it."""

import json
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from engine import schema
from engine.setup.project import SetupError

TOKEN = "alicloud:oss/bucketAcl:BucketAcl"
TABLE = [("alicloud_oss_bucket_acl", "oss", "BucketAcl")]


@pytest.fixture
def sdk(tmp_path: Path) -> Path:
    (tmp_path / "oss").mkdir()
    (tmp_path / "oss" / "bucket_acl.py").write_text(
        dedent("""
            class BucketAclArgs:
                def __init__(__self__, *, acl, bucket, owner_id=None): ...

                @_builtins.property
                @pulumi.getter
                def acl(self): ...

                @_builtins.property
                @pulumi.getter
                def bucket(self): ...

                @_builtins.property
                @pulumi.getter(name="ownerId")
                def owner_id(self): ...

            class BucketAcl(pulumi.CustomResource):
                def _internal_init(__self__, resource_name):
                    super(BucketAcl, __self__).__init__(
                        'alicloud:oss/bucketAcl:BucketAcl', resource_name)

                @_builtins.property
                @pulumi.getter
                def acl(self): ...
        """)
    )
    return tmp_path


def served() -> dict[str, Any]:
    inputs: dict[str, Any] = {"acl": {}, "bucket": {}, "ownerId": {}}
    resource = {"inputProperties": inputs, "requiredInputs": ["acl", "bucket"], "properties": {"acl": {}}}
    return {"resources": {TOKEN: resource}}


def test_a_schema_that_says_what_the_sdk_says_has_no_difference(sdk: Path) -> None:
    assert schema.differences(served(), TABLE, sdk) == set()


def test_every_kind_of_difference_is_found(sdk: Path) -> None:
    other = served()
    resource = other["resources"][TOKEN]
    del resource["inputProperties"]["ownerId"]
    resource["requiredInputs"] = ["acl"]
    resource["properties"]["extra"] = {}
    other["resources"]["alicloud:oss/bucket:Bucket"] = {}
    assert schema.differences(other, TABLE, sdk) == {
        f"{TOKEN} inputs: ownerId",
        f"{TOKEN} required inputs: bucket",
        f"{TOKEN} outputs: extra",
        "alicloud:oss/bucket:Bucket is not in the table",
    }
    assert schema.differences({"resources": {}}, TABLE, sdk) == {f"{TOKEN} is not in the schema"}


def test_the_committed_schema_differs_from_the_installed_sdk_only_as_is_known() -> None:
    committed = json.loads(schema.SCHEMA.read_text())
    assert schema.differences(committed, schema.read_table(), schema.installed_sdk()) == schema.ONLY_IN_SDK


def test_a_difference_that_nobody_has_looked_at_is_an_error() -> None:
    committed = json.loads(schema.SCHEMA.read_text())
    del committed["resources"]["alicloud:pai/service:Service"]["inputProperties"]["serviceConfig"]
    with pytest.raises(SetupError, match="alicloud:pai/service:Service inputs: serviceConfig"):
        schema.check_sdk(json.dumps(committed))
