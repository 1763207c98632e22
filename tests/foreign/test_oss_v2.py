"""alibabacloud-oss-v2, the Python SDK of the second generation: signature version 4, both ways of addressing."""

import datetime
from collections.abc import Callable
from pathlib import Path
from typing import Any

import alibabacloud_oss_v2 as oss
import httpx
import pytest

from emulator.credentials import ACCESS_KEY_ID, ACCESS_KEY_SECRET
from tests.emulator.conftest import RunningEmulator

BUCKET = "walk"


@pytest.fixture(params=["path style", "virtual host"])
def client(request: pytest.FixtureRequest, emulator: RunningEmulator) -> Any:
    """A client of a new bucket: at the bare endpoint, then by the real host names through the proxy."""
    config = oss.config.load_default()
    config.credentials_provider = oss.credentials.StaticCredentialsProvider(ACCESS_KEY_ID, ACCESS_KEY_SECRET)
    config.region = "cn-hangzhou"
    config.disable_ssl = True
    config.retry_max_attempts = 1
    if request.param == "path style":
        config.endpoint, config.use_path_style = emulator.url, True
    else:
        config.proxy_host = {"http": emulator.url}
    client = oss.Client(config)
    client.put_bucket(oss.PutBucketRequest(bucket=BUCKET, acl="private"))
    return client


def put(client: Any, key: str, data: bytes = b"x", **headers: Any) -> Any:
    return client.put_object(oss.PutObjectRequest(bucket=BUCKET, key=key, body=data, **headers))


def get(client: Any, key: str, **request: Any) -> Any:
    with client.get_object(oss.GetObjectRequest(bucket=BUCKET, key=key, **request)).body as body:
        return body.read()


def refusal(call: Callable[[], Any]) -> Any:
    with pytest.raises(oss.exceptions.OperationError) as raised:
        call()
    return raised.value.unwrap()


def test_what_is_put_is_got_with_its_headers(client: Any) -> None:
    key = "a b/ü+%&.txt"
    stored = put(client, key, b"hello", metadata={"label": "shoe"}, cache_control="no-cache", tagging="a=1")
    head = client.head_object(oss.HeadObjectRequest(bucket=BUCKET, key=key))
    meta = client.get_object_meta(oss.GetObjectMetaRequest(bucket=BUCKET, key=key))

    assert get(client, key) == b"hello"
    assert get(client, key, range_header="bytes=1-3", range_behavior="standard") == b"ell"
    assert stored.etag == head.etag == meta.etag
    assert (head.content_length, head.metadata, head.cache_control) == (5, {"label": "shoe"}, "no-cache")
    assert (head.tagging_count, head.object_type, head.storage_class) == (1, "Normal", "Standard")
    assert meta.content_length == 5


def test_listings_page_fold_and_decode(client: Any) -> None:
    names = sorted([f"d{i}/f{j} +ü\x01" for i in range(2) for j in range(3)] + ["top"])
    for name in names:
        put(client, name)

    def listed(paginator: Any, request: Any) -> tuple[list[str], list[str]]:
        keys: list[str] = []
        prefixes: list[str] = []
        for page in paginator.iter_page(request):
            keys += [each.key for each in page.contents or []]
            prefixes += [each.prefix for each in page.common_prefixes or []]
        return keys, prefixes

    v1, v2 = client.list_objects_paginator(limit=2), client.list_objects_v2_paginator(limit=2)
    assert listed(v1, oss.ListObjectsRequest(bucket=BUCKET)) == (names, [])
    assert listed(v2, oss.ListObjectsV2Request(bucket=BUCKET, fetch_owner=True)) == (names, [])
    assert listed(v1, oss.ListObjectsRequest(bucket=BUCKET, delimiter="/")) == (["top"], ["d0/", "d1/"])
    assert listed(v2, oss.ListObjectsV2Request(bucket=BUCKET, prefix="d1/", start_after=names[3])) == (names[4:6], [])


def test_buckets_are_listed_and_described(client: Any) -> None:
    for name in ("walk-1", "walk-2"):
        client.put_bucket(oss.PutBucketRequest(
            bucket=name,
            create_bucket_configuration=oss.CreateBucketConfiguration(storage_class="IA", data_redundancy_type="ZRS"),
        ))  # fmt: skip
    pages = client.list_buckets_paginator(limit=2).iter_page(oss.ListBucketsRequest(prefix="walk"))
    names = [bucket.name for page in pages for bucket in page.buckets]
    info = client.get_bucket_info(oss.GetBucketInfoRequest(bucket="walk-1")).bucket_info
    put(client, "x", b"123")
    stat = client.get_bucket_stat(oss.GetBucketStatRequest(bucket=BUCKET))

    assert names == ["walk", "walk-1", "walk-2"]
    assert (info.name, info.storage_class, info.data_redundancy_type, info.acl) == ("walk-1", "IA", "ZRS", "private")
    assert (info.location, info.block_public_access) == ("oss-cn-hangzhou", False)
    assert client.get_bucket_location(oss.GetBucketLocationRequest(bucket=BUCKET)).location == "oss-cn-hangzhou"
    assert (stat.storage, stat.object_count, stat.standard_storage) == (3, 1, 3)
    assert client.is_bucket_exist(BUCKET)
    assert not client.is_bucket_exist("no-such-bucket")
    assert refusal(lambda: client.delete_bucket(oss.DeleteBucketRequest(bucket=BUCKET))).code == "BucketNotEmpty"
    client.delete_bucket(oss.DeleteBucketRequest(bucket="walk-1"))
    assert not client.is_bucket_exist("walk-1")


def test_multipart_uploads(client: Any) -> None:
    big, tail = b"a" * 102_400, b"tail"
    begun = client.initiate_multipart_upload(oss.InitiateMultipartUploadRequest(bucket=BUCKET, key="big ü"))
    upload = {"bucket": BUCKET, "key": "big ü", "upload_id": begun.upload_id}
    first = client.upload_part(oss.UploadPartRequest(part_number=1, body=big, **upload))
    put(client, "source", b"0123" + tail)
    second = client.upload_part_copy(
        oss.UploadPartCopyRequest(part_number=2, source_key="source", source_range="bytes=4-7", **upload)
    )
    pages = list(client.list_parts_paginator(limit=1).iter_page(oss.ListPartsRequest(**upload)))
    assert [(part.part_number, part.size) for page in pages for part in page.parts] == [(1, 102_400), (2, 4)]
    uploads = client.list_multipart_uploads(oss.ListMultipartUploadsRequest(bucket=BUCKET)).uploads
    assert [(each.key, each.upload_id) for each in uploads] == [("big ü", begun.upload_id)]

    parts = [oss.UploadPart(part_number=number, etag=part.etag) for number, part in ((1, first), (2, second))]
    listed = oss.CompleteMultipartUpload(parts=parts)
    done = client.complete_multipart_upload(
        oss.CompleteMultipartUploadRequest(complete_multipart_upload=listed, **upload)
    )
    assert done.etag.endswith('-2"')
    assert get(client, "big ü") == big + tail
    assert refusal(lambda: client.list_parts(oss.ListPartsRequest(**upload))).code == "NoSuchUpload"


def test_a_multipart_upload_can_be_completed_with_all_its_parts_or_aborted(client: Any) -> None:
    ids = {}
    for key in ("all", "none"):
        begun = client.initiate_multipart_upload(oss.InitiateMultipartUploadRequest(bucket=BUCKET, key=key))
        ids[key] = begun.upload_id
        client.upload_part(
            oss.UploadPartRequest(bucket=BUCKET, key=key, upload_id=begun.upload_id, part_number=7, body=b"7")
        )
    client.complete_multipart_upload(
        oss.CompleteMultipartUploadRequest(bucket=BUCKET, key="all", upload_id=ids["all"], complete_all="yes")
    )
    client.abort_multipart_upload(oss.AbortMultipartUploadRequest(bucket=BUCKET, key="none", upload_id=ids["none"]))

    assert get(client, "all") == b"7"
    assert not client.is_object_exist(BUCKET, "none")
    assert not client.list_multipart_uploads(oss.ListMultipartUploadsRequest(bucket=BUCKET)).uploads


def test_the_transfer_tools_work(client: Any, tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(bytes(range(256)) * 2000)
    client.uploader(part_size=150_000, parallel_num=2).upload_file(
        oss.PutObjectRequest(bucket=BUCKET, key="file"), str(source)
    )
    client.downloader(part_size=150_000).download_file(oss.GetObjectRequest(bucket=BUCKET, key="file"), str(target))
    client.copier().copy(oss.CopyObjectRequest(bucket=BUCKET, key="copy", source_bucket=BUCKET, source_key="file"))
    with client.append_file(bucket=BUCKET, key="log") as log:
        log.write(b"one ")
        log.write(b"two")
    with client.open_file(bucket=BUCKET, key="file") as opened:
        opened.seek(1000)
        piece = opened.read(10)

    assert target.read_bytes() == get(client, "copy") == source.read_bytes()
    assert get(client, "log") == b"one two"
    assert piece == source.read_bytes()[1000:1010]


def test_copies_and_appends(client: Any) -> None:
    put(client, "from ü?", b"data", metadata={"a": "1"})
    copy = {"bucket": BUCKET, "source_bucket": BUCKET, "source_key": "from ü?"}
    client.copy_object(oss.CopyObjectRequest(key="to", **copy))
    client.copy_object(oss.CopyObjectRequest(key="new", metadata_directive="REPLACE", metadata={"b": "2"}, **copy))
    grown = client.append_object(oss.AppendObjectRequest(bucket=BUCKET, key="log", position=0, body=b"12345"))

    assert get(client, "to") == b"data"
    assert client.head_object(oss.HeadObjectRequest(bucket=BUCKET, key="to")).metadata == {"a": "1"}
    assert client.head_object(oss.HeadObjectRequest(bucket=BUCKET, key="new")).metadata == {"b": "2"}
    assert grown.next_position == 5
    wrong = oss.AppendObjectRequest(bucket=BUCKET, key="log", position=0, body=b"x")
    assert refusal(lambda: client.append_object(wrong)).code == "PositionNotEqualToLength"
    never = oss.CopyObjectRequest(key="no", if_none_match="*", **copy)
    assert refusal(lambda: client.copy_object(never)).status_code == 412


def test_versions(client: Any) -> None:
    enabled = oss.VersioningConfiguration(status="Enabled")
    client.put_bucket_versioning(oss.PutBucketVersioningRequest(bucket=BUCKET, versioning_configuration=enabled))
    status = client.get_bucket_versioning(oss.GetBucketVersioningRequest(bucket=BUCKET)).version_status
    first, second = put(client, "x", b"1").version_id, put(client, "x", b"2").version_id
    marker = client.delete_object(oss.DeleteObjectRequest(bucket=BUCKET, key="x"))
    pages = client.list_object_versions_paginator(limit=1).iter_page(oss.ListObjectVersionsRequest(bucket=BUCKET))
    found = [each for page in pages for each in [*(page.version or []), *(page.delete_marker or [])]]

    assert status == "Enabled"
    assert marker.delete_marker
    assert [each.version_id for each in found] == [marker.version_id, second, first]
    assert get(client, "x", version_id=first) == b"1"
    gone = refusal(lambda: get(client, "x"))
    assert (gone.code, gone.headers["x-oss-delete-marker"]) == ("NoSuchKey", "true")
    client.delete_multiple_objects(
        oss.DeleteMultipleObjectsRequest(
            bucket=BUCKET, objects=[oss.DeleteObject(key="x", version_id=marker.version_id)], quiet=True
        )
    )
    assert get(client, "x") == b"2"


def test_many_objects_are_deleted_at_once(client: Any) -> None:
    names = ["a", "b ü+\x02", "never there"]
    put(client, names[0])
    put(client, names[1])
    objects = [oss.DeleteObject(key=name) for name in names]
    deleted = client.delete_multiple_objects(oss.DeleteMultipleObjectsRequest(bucket=BUCKET, objects=objects))

    assert [each.key for each in deleted.deleted_objects] == names
    assert not client.list_objects_v2(oss.ListObjectsV2Request(bucket=BUCKET)).contents


def test_object_settings(client: Any) -> None:
    here = {"bucket": BUCKET, "key": "x"}
    put(client, "x", b"1")
    tags = oss.Tagging(tag_set=oss.TagSet(tags=[oss.Tag(key="k &", value="v <")]))
    client.put_object_tagging(oss.PutObjectTaggingRequest(tagging=tags, **here))
    (tag,) = client.get_object_tagging(oss.GetObjectTaggingRequest(**here)).tag_set.tags
    assert (tag.key, tag.value) == ("k &", "v <")
    client.delete_object_tagging(oss.DeleteObjectTaggingRequest(**here))
    assert not client.get_object_tagging(oss.GetObjectTaggingRequest(**here)).tag_set.tags
    client.put_object_acl(oss.PutObjectAclRequest(acl="public-read", **here))
    assert client.get_object_acl(oss.GetObjectAclRequest(**here)).acl == "public-read"
    client.put_symlink(oss.PutSymlinkRequest(bucket=BUCKET, key="link", symlink_target="x"))
    assert client.get_symlink(oss.GetSymlinkRequest(bucket=BUCKET, key="link")).target == "x"
    assert get(client, "link") == b"1"


def test_archived_objects_are_restored(client: Any) -> None:
    put(client, "old", storage_class="Archive")
    assert refusal(lambda: get(client, "old")).code == "InvalidObjectState"
    request = oss.RestoreObjectRequest(
        bucket=BUCKET, key="old", restore_request=oss.RestoreRequest(days=2, tier="Standard")
    )
    assert client.restore_object(request).status_code == 202
    assert refusal(lambda: client.restore_object(request)).code == "RestoreAlreadyInProgress"
    standard = put(client, "plain")
    assert standard.status_code == 200
    plain = oss.RestoreObjectRequest(bucket=BUCKET, key="plain")
    assert refusal(lambda: client.restore_object(plain)).code == "OperationNotSupported"


# Name of the setting, what is put, and what is read back from the answer to a get.
SETTINGS: list[tuple[str, dict[str, Any], Callable[[Any], object], object]] = [
    ("bucket_acl", {"acl": "public-read"}, lambda got: got.acl, "public-read"),
    (
        "bucket_cors",
        {"cors_configuration": oss.CORSConfiguration(
            cors_rules=[oss.CORSRule(allowed_origins=["*"], allowed_methods=["GET"], max_age_seconds=7)],
            response_vary=True,
        )},
        lambda got: (got.cors_configuration.cors_rules[0].max_age_seconds, got.cors_configuration.response_vary),
        (7, True),
    ),
    (
        "bucket_encryption",
        {"server_side_encryption_rule": oss.ServerSideEncryptionRule(
            apply_server_side_encryption_by_default=oss.ApplyServerSideEncryptionByDefault(
                sse_algorithm="KMS", kms_master_key_id="k"
            )
        )},
        lambda got: got.server_side_encryption_rule.apply_server_side_encryption_by_default.kms_master_key_id,
        "k",
    ),
    (
        "bucket_https_config",
        {"https_configuration": oss.HttpsConfiguration(tls=oss.TLS(enable=True, tls_versions=["TLSv1.2"]))},
        lambda got: (got.https_configuration.tls.enable, got.https_configuration.tls.tls_versions),
        (True, ["TLSv1.2"]),
    ),
    (
        "bucket_lifecycle",
        {"lifecycle_configuration": oss.LifecycleConfiguration(
            rules=[oss.LifecycleRule(
                id="r", prefix="p/", status="Enabled", expiration=oss.LifecycleRuleExpiration(days=3)
            )]
        )},
        lambda got: (got.lifecycle_configuration.rules[0].id, got.lifecycle_configuration.rules[0].expiration.days),
        ("r", 3),
    ),
    (
        "bucket_logging",
        {"bucket_logging_status": oss.BucketLoggingStatus(
            logging_enabled=oss.LoggingEnabled(target_bucket=BUCKET, target_prefix="log/")
        )},
        lambda got: got.bucket_logging_status.logging_enabled.target_prefix,
        "log/",
    ),
    (
        "bucket_policy",
        {"body": '{"Version":"1","Statement":[]}'},
        lambda got: got.body,
        '{"Version":"1","Statement":[]}',
    ),
    (
        "bucket_public_access_block",
        {"public_access_block_configuration": oss.PublicAccessBlockConfiguration(block_public_access=True)},
        lambda got: got.public_access_block_configuration.block_public_access,
        True,
    ),
    (
        "bucket_referer",
        {"referer_configuration": oss.RefererConfiguration(
            allow_empty_referer=False, referer_list=oss.RefererList(referers=["http://a.example"])
        )},
        lambda got: got.referer_configuration.referer_list.referers,
        ["http://a.example"],
    ),
    (
        "bucket_request_payment",
        {"request_payment_configuration": oss.RequestPaymentConfiguration(payer="Requester")},
        lambda got: got.request_payment_configuration.payer,
        "Requester",
    ),
    (
        "bucket_resource_group",
        {"bucket_resource_group_configuration": oss.BucketResourceGroupConfiguration(resource_group_id="rg-1")},
        lambda got: got.bucket_resource_group_configuration.resource_group_id,
        "rg-1",
    ),
    (
        "bucket_tags",
        {"tagging": oss.Tagging(tag_set=oss.TagSet(tags=[oss.Tag(key="team", value="vision")]))},
        lambda got: [(tag.key, tag.value) for tag in got.tagging.tag_set.tags],
        [("team", "vision")],
    ),
    (
        "bucket_transfer_acceleration",
        {"transfer_acceleration_configuration": oss.TransferAccelerationConfiguration(enabled=True)},
        lambda got: got.transfer_acceleration_configuration.enabled,
        True,
    ),
    (
        "bucket_website",
        {"website_configuration": oss.WebsiteConfiguration(index_document=oss.IndexDocument(suffix="index.html"))},
        lambda got: got.website_configuration.index_document.suffix,
        "index.html",
    ),
    (
        "bucket_access_monitor",
        {"access_monitor_configuration": oss.AccessMonitorConfiguration(status="Enabled")},
        lambda got: got.access_monitor_configuration.status,
        "Enabled",
    ),
    (
        "bucket_archive_direct_read",
        {"archive_direct_read_configuration": oss.ArchiveDirectReadConfiguration(enabled=True)},
        lambda got: got.archive_direct_read_configuration.enabled,
        True,
    ),
]  # fmt: skip


def test_bucket_settings_come_back_and_can_be_deleted(client: Any) -> None:
    def ask(verb: str, name: str, **members: Any) -> Any:
        request = getattr(oss, f"{verb.title()}{name.title().replace('_', '')}Request")
        return getattr(client, f"{verb}_{name}")(request(bucket=BUCKET, **members))

    for name, members, read, expected in SETTINGS:
        ask("put", name, **members)
        assert read(ask("get", name)) == expected, name
        if hasattr(client, f"delete_{name}"):
            ask("delete", name)
    assert refusal(lambda: ask("get", "bucket_lifecycle")).code == "NoSuchLifecycle"
    assert refusal(lambda: ask("get", "bucket_policy")).code == "NoSuchBucketPolicy"


def test_presigned_requests_need_nothing_else(client: Any, emulator: RunningEmulator) -> None:
    upload = client.presign(oss.PutObjectRequest(bucket=BUCKET, key="a/ü b", content_type="text/plain"))
    lasts = datetime.timedelta(minutes=1)
    download = client.presign(oss.GetObjectRequest(bucket=BUCKET, key="a/ü b"), expires=lasts)
    with httpx.Client(proxy=emulator.url) as plain:
        sent = plain.request(upload.method, upload.url, headers=upload.signed_headers, content=b"signed")
        got = plain.get(download.url)
        changed = plain.get(download.url.replace("%20", "%21"))

    assert (sent.status_code, got.content) == (200, b"signed")
    assert (changed.status_code, "SignatureDoesNotMatch" in changed.text) == (403, True)


def test_what_is_not_emulated_is_refused_by_name(client: Any) -> None:
    refused = refusal(lambda: client.list_cname(oss.ListCnameRequest(bucket=BUCKET)))

    assert (refused.status_code, refused.code) == (501, "NotImplemented")
    assert "ListCname" in refused.message
