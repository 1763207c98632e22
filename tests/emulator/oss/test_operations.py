"""How a request finds its operation, and that no operation of OSS is mistaken for another."""

from datetime import UTC, datetime

import pytest

from emulator.errors import ApiError
from emulator.services.oss.operations import operations, resolve
from emulator.services.oss.request import OssRequest
from tests.emulator.contract_oss import sdk_oss_operations

UPLOAD, ACCESS_POINT = {"uploadId": "u"}, {"x-oss-access-point-name": "a"}

# Parameters that the SDK adds with the request, or whose value tells operations apart.
FROM_THE_REQUEST = {
    "AbortMultipartUpload": UPLOAD,
    "CompleteMultipartUpload": UPLOAD,
    "ListParts": UPLOAD,
    "UploadPart": UPLOAD,
    "UploadPartCopy": UPLOAD,
    "CompleteBucketWorm": {"wormId": "w"},
    "SelectObject": {"x-oss-process": "csv/select"},
    "CreateSelectObjectMeta": {"x-oss-process": "csv/meta"},
    "DeleteAccessPointPublicAccessBlock": ACCESS_POINT,
    "GetAccessPointPublicAccessBlock": ACCESS_POINT,
    "PutAccessPointPublicAccessBlock": ACCESS_POINT,
    "PutCname": {"comp": "add"},
    "DeleteCname": {"comp": "delete"},
    "CreateCnameToken": {"comp": "token"},
    "GetCnameToken": {"comp": "token", "cname": "d"},
    "PutBucketReplication": {"comp": "add"},
    "DeleteBucketReplication": {"comp": "delete"},
    "OpenMetaQuery": {"comp": "add"},
    "CloseMetaQuery": {"comp": "delete"},
    "DoMetaQuery": {"comp": "query"},
}
COPIES = {"CopyObject", "UploadPartCopy"}
# On a bucket the same request is another operation.
OF_THE_ACCOUNT = {"DeletePublicAccessBlock", "GetPublicAccessBlock", "PutPublicAccessBlock"}


def asked(name: str, bucket: str, key: str) -> OssRequest:
    known = sdk_oss_operations()[name]
    query = dict.fromkeys(known.parameters, "") | FROM_THE_REQUEST.get(name, {})
    headers = {"x-oss-copy-source": "/b/k"} if name in COPIES else {}
    return OssRequest("id", known.method, "", bucket, key, query, headers, datetime.now(UTC))


@pytest.mark.parametrize("name", sorted(operations))
def test_what_the_sdk_sends_for_an_operation_is_answered_by_it(name: str) -> None:
    target = operations[name].target
    request = asked(name, "" if target == "service" else "bucket", "key" if target == "object" else "")

    assert resolve(request).name == name


@pytest.mark.parametrize("name", sorted(set(sdk_oss_operations()) - set(operations)))
def test_what_the_sdk_sends_for_another_operation_is_refused(name: str) -> None:
    refusals = []
    for bucket, key in [("", ""), ("bucket", ""), ("bucket", "key")][: 1 if name in OF_THE_ACCOUNT else None]:
        with pytest.raises(ApiError) as refused:
            resolve(asked(name, bucket, key))
        refusals.append(refused.value.status)

    assert 501 in refusals, f"{name} is not known as an operation of OSS"
