"""oss2, the Python SDK of the first generation, on everything that it offers and the emulator has."""

import gc
import hashlib
import io
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import oss2
import pytest
from oss2 import models

from emulator.credentials import ACCESS_KEY_ID, ACCESS_KEY_SECRET
from tests.emulator.conftest import RunningEmulator

# oss2 reads only the beginning of a refusal, and leaves its connection to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

REGION = "cn-hangzhou"
md5 = partial(hashlib.md5, usedforsecurity=False)


@pytest.fixture(params=["v1", "v4"])
def auth(request: pytest.FixtureRequest) -> Any:
    return oss2.make_auth(ACCESS_KEY_ID, ACCESS_KEY_SECRET, request.param)


@pytest.fixture
def session() -> Iterator[oss2.Session]:
    session = oss2.Session()
    yield session
    session.session.close()
    gc.collect()  # while the warnings about the connections that oss2 does not give back are ignored


@pytest.fixture
def bucket(emulator: RunningEmulator, auth: Any, session: oss2.Session) -> Any:
    """A new bucket, addressed in path style; requests are signed with version 1, then with version 4."""
    bucket = oss2.Bucket(auth, emulator.url, "walk", region=REGION, session=session)
    bucket.create_bucket()
    return bucket


def keys(listing: Any) -> list[str]:
    return [entry.key for entry in listing]


def test_what_is_put_is_got_with_its_headers(bucket: Any) -> None:
    headers = {"Content-Type": "image/png", "Cache-Control": "no-cache", "x-oss-meta-label": "shoe"}
    put = bucket.put_object("a/b c+ü%.png", b"hello", headers=headers)
    got = bucket.get_object("a/b c+ü%.png")
    head = bucket.head_object("a/b c+ü%.png")

    assert put.etag == md5(b"hello").hexdigest().upper()
    assert got.read() == b"hello"
    assert got.client_crc == got.server_crc == put.crc
    assert (head.content_length, head.content_type, head.object_type) == (5, "image/png", "Normal")
    assert head.headers["x-oss-meta-label"] == "shoe"
    assert head.headers["cache-control"] == "no-cache"
    assert abs(head.last_modified - time.time()) < 60
    assert bucket.get_object_meta("a/b c+ü%.png").content_length == 5
    assert bucket.object_exists("a/b c+ü%.png")


@pytest.mark.parametrize("size", [0, 65_536, 65_537, 3_000_000])
def test_data_of_any_size_and_its_ranges_come_back(bucket: Any, size: int) -> None:
    data = bytes(i * 7 % 251 for i in range(min(size, 1000))) * (size // 1000 + 1)
    data = data[:size]
    bucket.put_object("data", data)

    assert bucket.get_object("data").read() == data
    if size:
        assert bucket.get_object("data", byte_range=(size // 2, size - 1)).read() == data[size // 2 :]
        assert bucket.get_object("data", byte_range=(None, 10)).read() == data[-10:]


def test_a_stream_of_unknown_length_is_stored(bucket: Any) -> None:
    bucket.put_object("stream", iter([b"a" * 50_000, b"b" * 50_000]))

    assert bucket.get_object("stream").read() == b"a" * 50_000 + b"b" * 50_000


def test_files_go_up_and_down_resumably(bucket: Any, tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(bytes(range(256)) * 2000)
    bucket.put_object_from_file("file", str(source))
    oss2.resumable_upload(
        bucket, "resumed", str(source), multipart_threshold=100_000, part_size=150_000, num_threads=2,
        store=oss2.ResumableStore(root=str(tmp_path)),
    )  # fmt: skip
    oss2.resumable_download(
        bucket, "resumed", str(target), multiget_threshold=100_000, part_size=150_000,
        store=oss2.ResumableDownloadStore(root=str(tmp_path)),
    )  # fmt: skip

    assert target.read_bytes() == source.read_bytes()
    assert bucket.head_object("resumed").object_type == "Multipart"


def test_listings_page_fold_and_decode(bucket: Any) -> None:
    names = [f"d{i}/f{j} +ü" for i in range(3) for j in range(4)] + ["top"]
    for name in names:
        bucket.put_object(name, b"x")

    assert keys(oss2.ObjectIterator(bucket, max_keys=2)) == sorted(names)
    assert keys(oss2.ObjectIteratorV2(bucket, max_keys=5, fetch_owner=True)) == sorted(names)
    assert keys(oss2.ObjectIterator(bucket, delimiter="/", max_keys=1)) == ["d0/", "d1/", "d2/", "top"]
    assert keys(oss2.ObjectIteratorV2(bucket, delimiter="/", max_keys=2)) == ["d0/", "d1/", "d2/", "top"]
    assert keys(oss2.ObjectIterator(bucket, prefix="d1/", marker="d1/f1 +ü")) == ["d1/f2 +ü", "d1/f3 +ü"]
    page = bucket.list_objects_v2(start_after="d2/f2 +ü", fetch_owner=True)
    assert (keys(page.object_list), page.is_truncated) == (["d2/f3 +ü", "top"], False)
    assert page.object_list[0].owner.id


def test_missing_things_have_their_own_errors(bucket: Any, auth: Any, emulator: RunningEmulator) -> None:
    with pytest.raises(oss2.exceptions.NoSuchKey) as missing_key:
        bucket.get_object("nothing")
    with pytest.raises(oss2.exceptions.NoSuchKey):
        bucket.head_object("nothing")
    with pytest.raises(oss2.exceptions.NoSuchBucket):
        oss2.Bucket(auth, emulator.url, "no-such-bucket", region=REGION, session=bucket.session).get_object("x")
    assert not bucket.object_exists("nothing")
    assert missing_key.value.details["Key"] == "nothing"
    assert missing_key.value.request_id


def test_conditions_decide(bucket: Any) -> None:
    etag = bucket.put_object("x", b"1").etag

    with pytest.raises(oss2.exceptions.NotModified):
        bucket.get_object("x", headers={"If-None-Match": f'"{etag}"'})
    with pytest.raises(oss2.exceptions.PreconditionFailed):
        bucket.get_object("x", headers={"If-Match": '"0"'})
    with pytest.raises(oss2.exceptions.NotModified):
        bucket.get_object("x", headers={"If-Modified-Since": oss2.http_date(int(time.time()) + 60)})
    with pytest.raises(oss2.exceptions.PreconditionFailed):
        bucket.get_object("x", headers={"If-Unmodified-Since": oss2.http_date(1)})
    with pytest.raises(oss2.exceptions.ServerError) as refused:
        bucket.put_object("x", b"2", headers={"x-oss-forbid-overwrite": "true"})
    assert (refused.value.status, refused.value.code) == (409, "FileAlreadyExists")
    assert bucket.get_object("x", headers={"If-Match": f'"{etag}"'}).read() == b"1"


def test_a_wrong_content_md5_is_refused_and_nothing_is_stored(bucket: Any) -> None:
    with pytest.raises(oss2.exceptions.InvalidDigest):
        bucket.put_object("x", b"data", headers={"Content-MD5": oss2.utils.content_md5(b"other")})
    assert not bucket.object_exists("x")


def test_deletions(bucket: Any) -> None:
    for name in ("a", "b ü+", "c"):
        bucket.put_object(name, b"")
    bucket.delete_object("a")
    deleted = bucket.batch_delete_objects(["b ü+", "never there"])

    assert deleted.deleted_keys == ["b ü+", "never there"]
    assert keys(oss2.ObjectIterator(bucket)) == ["c"]


def test_copies_take_or_replace_metadata(bucket: Any) -> None:
    bucket.put_object("from ü", b"x" * 70_000, headers={"x-oss-meta-a": "1", "x-oss-tagging": "t=1"})
    bucket.copy_object("walk", "from ü", "kept")
    bucket.copy_object(
        "walk", "from ü", "replaced",
        headers={"x-oss-metadata-directive": "REPLACE", "x-oss-meta-b": "2", "x-oss-tagging-directive": "Replace"},
    )  # fmt: skip
    bucket.update_object_meta("from ü", {"x-oss-meta-c": "3"})

    assert bucket.get_object("kept").read() == b"x" * 70_000
    assert bucket.head_object("kept").headers["x-oss-meta-a"] == "1"
    assert bucket.get_object_tagging("kept").tag_set.tagging_rule == {"t": "1"}
    replaced = bucket.head_object("replaced").headers
    assert "x-oss-meta-a" not in replaced
    assert replaced["x-oss-meta-b"] == "2"
    assert bucket.get_object_tagging("replaced").tag_set.tagging_rule == {}
    assert bucket.head_object("from ü").headers["x-oss-meta-c"] == "3"
    with pytest.raises(oss2.exceptions.PreconditionFailed):
        bucket.copy_object("walk", "kept", "never", headers={"x-oss-copy-source-if-match": "0"})


def test_archived_objects_must_be_restored_before_they_are_read(bucket: Any, emulator: RunningEmulator) -> None:
    bucket.put_object("old", b"cold", headers={"x-oss-storage-class": "Archive"})
    with pytest.raises(oss2.exceptions.ServerError, match="InvalidObjectState"):
        bucket.get_object("old")
    assert bucket.restore_object("old").status == 202
    with pytest.raises(oss2.exceptions.RestoreAlreadyInProgress):
        bucket.restore_object("old")
    assert bucket.head_object("old").headers["x-oss-restore"] == 'ongoing-request="true"'
    httpx.post(f"{emulator.url}/_emulator/clock", json={"advance_s": 61})

    assert bucket.get_object("old").read() == b"cold"
    assert 'ongoing-request="false"' in bucket.head_object("old").headers["x-oss-restore"]


def test_appends_grow_an_object_and_check_the_position(bucket: Any) -> None:
    crc, position = 0, 0
    for piece in (b"a" * 10, b"b" * 70_000, b"c" * 10):
        result = bucket.append_object("log", position, piece, init_crc=crc)
        crc, position = result.crc, result.next_position

    assert bucket.get_object("log").read() == b"a" * 10 + b"b" * 70_000 + b"c" * 10
    assert bucket.head_object("log").object_type == "Appendable"
    with pytest.raises(oss2.exceptions.PositionNotEqualToLength) as wrong:
        bucket.append_object("log", 5, b"x")
    assert wrong.value.next_position == 70_020
    bucket.put_object("plain", b"x")
    with pytest.raises(oss2.exceptions.ObjectNotAppendable):
        bucket.append_object("plain", 1, b"x")


def test_multipart_uploads_are_listed_completed_and_aborted(bucket: Any) -> None:
    big, small = b"a" * 102_400, b"tail"
    upload_id = bucket.init_multipart_upload("big ü", headers={"x-oss-meta-m": "1"}).upload_id
    parts = [
        models.PartInfo(number, bucket.upload_part("big ü", upload_id, number, data).etag)
        for number, data in ((2, small), (1, big))
    ]
    bucket.put_object("source", big)
    bucket.upload_part_copy("walk", "source", (0, 9), "big ü", upload_id, 3)
    other = bucket.init_multipart_upload("other").upload_id

    assert keys(oss2.MultipartUploadIterator(bucket)) == ["big ü", "other"]
    assert [(part.part_number, part.size) for part in oss2.PartIterator(bucket, "big ü", upload_id, max_parts=1)] == [
        (1, 102_400), (2, 4), (3, 10),
    ]  # fmt: skip
    with pytest.raises(oss2.exceptions.ServerError, match="InvalidPart"):
        bucket.complete_multipart_upload("big ü", upload_id, [models.PartInfo(1, "0" * 32)])
    done = bucket.complete_multipart_upload("big ü", upload_id, sorted(parts, key=lambda part: part.part_number))
    bucket.abort_multipart_upload("other", other)

    digests = md5(md5(big).digest() + md5(small).digest()).hexdigest().upper()
    assert done.etag == f"{digests}-2"
    got = bucket.get_object("big ü")
    assert got.read() == big + small
    assert got.client_crc == got.server_crc
    assert bucket.head_object("big ü").headers["x-oss-meta-m"] == "1"
    assert keys(oss2.MultipartUploadIterator(bucket)) == []
    with pytest.raises(oss2.exceptions.NoSuchUpload):
        bucket.list_parts("big ü", upload_id)


def test_parts_that_are_too_small_and_wrong_orders_are_refused(bucket: Any) -> None:
    upload_id = bucket.init_multipart_upload("x").upload_id
    first, second = (models.PartInfo(n, bucket.upload_part("x", upload_id, n, b"small").etag) for n in (1, 2))

    with pytest.raises(oss2.exceptions.ServerError, match="EntityTooSmall"):
        bucket.complete_multipart_upload("x", upload_id, [first, second])
    upload = {"x-oss-complete-all": "yes"}
    with pytest.raises(oss2.exceptions.ServerError, match="EntityTooSmall"):
        bucket.complete_multipart_upload("x", upload_id, None, headers=upload)
    big = models.PartInfo(3, bucket.upload_part("x", upload_id, 3, b"b" * 102_400).etag)
    with pytest.raises(oss2.exceptions.ServerError, match="InvalidPartOrder"):
        bucket._Bucket__do_object(
            "POST", "x", params={"uploadId": upload_id},
            data=oss2.xml_utils.to_complete_upload_request([big, first]),
        )  # fmt: skip


def test_presigned_urls_need_nothing_else(bucket: Any) -> None:
    put = bucket.sign_url("PUT", "a/ü b", 60, slash_safe=True, headers={"Content-Type": "text/plain"})
    assert httpx.put(put, content=b"signed", headers={"Content-Type": "text/plain"}).status_code == 200
    get = bucket.sign_url("GET", "a/ü b", 60, slash_safe=True, params={"response-content-type": "text/html"})
    got = httpx.get(get)

    assert (got.content, got.headers["content-type"]) == (b"signed", "text/html")
    assert httpx.put(get, content=b"other").status_code == 403


def test_versions_pile_up_and_delete_markers_hide_them(bucket: Any) -> None:
    bucket.put_object("x", b"before")
    bucket.put_bucket_versioning(models.BucketVersioningConfig(oss2.BUCKET_VERSIONING_ENABLE))
    assert bucket.get_bucket_versioning().status == "Enabled"
    first, second = (bucket.put_object("x", data).versionid for data in (b"1", b"2"))
    marker = bucket.delete_object("x")

    assert marker.delete_marker
    with pytest.raises(oss2.exceptions.NoSuchKey):
        bucket.get_object("x")
    assert bucket.get_object("x", params={"versionId": first}).read() == b"1"
    listed = bucket.list_object_versions()
    assert [(v.versionid, v.is_latest) for v in listed.versions] == [(second, False), (first, False), ("null", False)]
    assert [(m.versionid, m.is_latest) for m in listed.delete_marker] == [(marker.versionid, True)]
    paged, key_marker, id_marker = [], "", ""
    while True:
        page = bucket.list_object_versions(max_keys=1, key_marker=key_marker, versionid_marker=id_marker)
        paged += [each.versionid for each in (*page.versions, *page.delete_marker)]
        key_marker, id_marker = page.next_key_marker, page.next_versionid_marker
        if not page.is_truncated:
            break
    assert paged == [marker.versionid, second, first, "null"]
    bucket.delete_object("x", params={"versionId": marker.versionid})
    assert bucket.get_object("x").read() == b"2"
    bucket.delete_object_versions(models.BatchDeleteObjectVersionList([models.BatchDeleteObjectVersion("x", second)]))
    assert bucket.get_object("x").read() == b"1"


def test_suspended_versioning_overwrites_only_the_null_version(bucket: Any) -> None:
    bucket.put_bucket_versioning(models.BucketVersioningConfig(oss2.BUCKET_VERSIONING_ENABLE))
    kept = bucket.put_object("x", b"kept").versionid
    bucket.put_bucket_versioning(models.BucketVersioningConfig(oss2.BUCKET_VERSIONING_SUSPEND))
    for data in (b"1", b"2"):
        assert bucket.put_object("x", data).versionid == "null"

    assert [v.versionid for v in bucket.list_object_versions().versions] == ["null", kept]
    assert bucket.delete_object("x").versionid == "null"
    assert bucket.get_object("x", params={"versionId": kept}).read() == b"kept"


def test_object_tags_acls_and_links(bucket: Any) -> None:
    bucket.put_object("x", b"1")
    rule = models.TaggingRule()
    rule.add("key 1", "ü=&+")
    bucket.put_object_tagging("x", models.Tagging(rule))
    assert bucket.get_object_tagging("x").tag_set.tagging_rule == {"key 1": "ü=&+"}
    bucket.delete_object_tagging("x")
    assert bucket.get_object_tagging("x").tag_set.tagging_rule == {}
    assert bucket.get_object_acl("x").acl == "default"
    bucket.put_object_acl("x", oss2.OBJECT_ACL_PUBLIC_READ)
    assert bucket.get_object_acl("x").acl == "public-read"
    bucket.put_symlink("x", "link")
    assert bucket.get_symlink("link").target_key == "x"
    assert bucket.get_object("link").read() == b"1"


def test_bucket_settings_come_back(bucket: Any) -> None:
    bucket.put_bucket_acl(oss2.BUCKET_ACL_PUBLIC_READ)
    assert bucket.get_bucket_acl().acl == "public-read"
    bucket.put_bucket_encryption(models.ServerSideEncryptionRule("AES256"))
    assert bucket.get_bucket_encryption().sse_algorithm == "AES256"
    assert bucket.put_object("x", b"").headers["x-oss-server-side-encryption"] == "AES256"
    bucket.delete_bucket_encryption()
    bucket.put_bucket_cors(models.BucketCors([models.CorsRule(["*"], ["GET"], ["x-a"], max_age_seconds=5)]))
    assert bucket.get_bucket_cors().rules[0].max_age_seconds == 5
    bucket.delete_bucket_cors()
    with pytest.raises(oss2.exceptions.NoSuchCors):
        bucket.get_bucket_cors()
    bucket.put_bucket_website(models.BucketWebsite("index.html", "error.html"))
    assert bucket.get_bucket_website().index_file == "index.html"
    bucket.delete_bucket_website()
    bucket.put_bucket_logging(models.BucketLogging("walk", "log/"))
    assert bucket.get_bucket_logging().target_prefix == "log/"
    bucket.delete_bucket_logging()
    bucket.put_bucket_referer(models.BucketReferer(False, ["http://a.example"]))
    assert bucket.get_bucket_referer().referers == ["http://a.example"]
    bucket.put_bucket_policy('{"Version":"1","Statement":[]}')
    assert bucket.get_bucket_policy().policy == '{"Version":"1","Statement":[]}'
    bucket.delete_bucket_policy()
    bucket.put_bucket_request_payment("Requester")
    assert bucket.get_bucket_request_payment().payer == "Requester"
    rule = models.TaggingRule()
    rule.add("team", "vision")
    bucket.put_bucket_tagging(models.Tagging(rule))
    assert bucket.get_bucket_tagging().tag_set.tagging_rule == {"team": "vision"}
    bucket.delete_bucket_tagging()
    bucket.put_bucket_transfer_acceleration("true")
    assert bucket.get_bucket_transfer_acceleration().enabled == "true"


def test_lifecycle_rules_come_back(bucket: Any) -> None:
    rule = models.LifecycleRule(
        "expire", "logs/", status="Enabled", expiration=models.LifecycleExpiration(days=3),
        abort_multipart_upload=models.AbortMultipartUpload(days=2),
        noncurrent_version_expiration=models.NoncurrentVersionExpiration(noncurrent_days=7),
    )  # fmt: skip
    bucket.put_bucket_lifecycle(models.BucketLifecycle([rule]))
    (stored,) = bucket.get_bucket_lifecycle().rules

    assert (stored.id, stored.prefix, stored.status) == ("expire", "logs/", "Enabled")
    assert (stored.expiration.days, stored.abort_multipart_upload.days) == (3, 2)
    bucket.delete_bucket_lifecycle()
    with pytest.raises(oss2.exceptions.NoSuchLifecycle):
        bucket.get_bucket_lifecycle()


def test_buckets_tell_about_themselves(bucket: Any, auth: Any, emulator: RunningEmulator) -> None:
    bucket.put_object("x", b"12345")
    bucket.init_multipart_upload("y")
    info, stat = bucket.get_bucket_info(), bucket.get_bucket_stat()

    assert (info.name, info.location, info.storage_class, info.acl.grant) == (
        "walk", "oss-cn-hangzhou", "Standard", "private",
    )  # fmt: skip
    assert bucket.get_bucket_location().location == "oss-cn-hangzhou"
    assert (stat.storage_size_in_bytes, stat.object_count, stat.multi_part_upload_count) == (5, 1, 1)
    service = oss2.Service(auth, emulator.url, region=REGION, session=bucket.session)
    for name in ("walk-2", "walk-3", "other"):
        oss2.Bucket(auth, emulator.url, name, region=REGION, session=bucket.session).create_bucket()
    assert [b.name for b in oss2.BucketIterator(service, prefix="walk", max_keys=1)] == ["walk", "walk-2", "walk-3"]
    with pytest.raises(oss2.exceptions.BucketNotEmpty):
        bucket.delete_bucket()


def test_what_is_not_emulated_is_refused_by_name(bucket: Any) -> None:
    with pytest.raises(oss2.exceptions.ServerError, match="PutBucketInventory") as refused:
        bucket._Bucket__do_bucket("PUT", params={"inventory": "", "inventoryId": "i"}, data=b"<x/>")
    assert (refused.value.status, refused.value.code) == (501, "NotImplemented")


def test_wrong_keys_and_signatures_are_refused(emulator: RunningEmulator, auth: Any, session: oss2.Session) -> None:
    def refusal(key_id: str, secret: str) -> Any:
        wrong = oss2.make_auth(key_id, secret, auth.auth_version())
        with pytest.raises(oss2.exceptions.ServerError) as refused:
            oss2.Bucket(wrong, emulator.url, "walk", region=REGION, session=session).create_bucket()
        return refused.value

    unknown, mismatch = refusal("nobody", "x"), refusal(ACCESS_KEY_ID, "wrong")
    assert (unknown.status, unknown.code) == (403, "InvalidAccessKeyId")
    assert (mismatch.status, mismatch.code) == (403, "SignatureDoesNotMatch")
    assert mismatch.details["StringToSign"]


def test_the_real_host_names_work_through_the_proxy(
    emulator: RunningEmulator, auth: Any, session: oss2.Session
) -> None:
    def at(region: str) -> Any:
        endpoint, proxies = f"http://oss-{region}.aliyuncs.com", {"http": emulator.url}
        return oss2.Bucket(auth, endpoint, "walk", region=region, proxies=proxies, session=session)

    bucket = at(REGION)
    bucket.create_bucket()
    bucket.put_object("a b", io.BytesIO(b"proxied"))

    assert bucket.get_object("a b").read() == b"proxied"
    with pytest.raises(oss2.exceptions.AccessDenied, match="specified endpoint") as refused:
        at("cn-beijing").get_object("a b")
    assert refused.value.details["Endpoint"] == "oss-cn-hangzhou.aliyuncs.com"
