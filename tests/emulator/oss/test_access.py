"""Who may do what without a signature, and what a bucket policy takes away."""

import httpx
import pytest

READ, LIST, WRITE, DELETE, SETTINGS = (
    ("GET", "/bucket/object"),
    ("GET", "/bucket/"),
    ("PUT", "/bucket/object"),
    ("DELETE", "/bucket/object"),
    ("GET", "/bucket/?acl"),
)


@pytest.fixture(autouse=True)
def stored(owner: httpx.Client) -> None:
    assert owner.put("/bucket/object", content=b"data").status_code == 200


def allowed(client: httpx.Client) -> list[tuple[str, str]]:
    return [
        each
        for each in (READ, LIST, WRITE, DELETE, SETTINGS)
        if client.request(*each, content=b"data").status_code < 300
    ]


def put_policy(owner: httpx.Client, **statement: object) -> httpx.Response:
    return owner.put("/bucket/?policy", json={"Version": "1", "Statement": [statement]})


@pytest.mark.parametrize(
    ("acl", "expected"),
    [
        ("private", []),
        ("public-read", [READ, LIST]),
        ("public-read-write", [READ, LIST, WRITE, DELETE]),
    ],
)
def test_a_bucket_acl_grants_everybody_what_it_says_and_never_settings(
    owner: httpx.Client, anyone: httpx.Client, acl: str, expected: list[tuple[str, str]]
) -> None:
    assert owner.put("/bucket/?acl", headers={"x-oss-acl": acl}).status_code == 200

    assert allowed(anyone) == expected


def test_an_objects_own_acl_goes_before_the_buckets(owner: httpx.Client, anyone: httpx.Client) -> None:
    owner.put("/bucket/?acl", headers={"x-oss-acl": "public-read"})
    owner.put("/bucket/object?acl", headers={"x-oss-object-acl": "private"})
    assert anyone.get("/bucket/object").status_code == 403

    owner.put("/bucket/?acl", headers={"x-oss-acl": "private"})
    owner.put("/bucket/object?acl", headers={"x-oss-object-acl": "public-read"})
    assert anyone.get("/bucket/object").content == b"data"


def test_a_public_access_block_overrides_acls_and_policies_and_refuses_new_ones(
    owner: httpx.Client, anyone: httpx.Client
) -> None:
    everybody = {"Effect": "Allow", "Principal": ["*"], "Action": ["oss:*"], "Resource": ["acs:oss:*:*:bucket/*"]}
    owner.put("/bucket/?acl", headers={"x-oss-acl": "public-read-write"})
    assert put_policy(owner, **everybody).status_code == 200
    block = (
        b"<PublicAccessBlockConfiguration><BlockPublicAccess>true</BlockPublicAccess></PublicAccessBlockConfiguration>"
    )
    assert owner.put("/bucket/?publicAccessBlock", content=block).status_code == 200

    assert allowed(anyone) == []
    for refused in (
        owner.put("/bucket/?acl", headers={"x-oss-acl": "public-read"}),
        owner.put("/bucket/new", content=b"", headers={"x-oss-object-acl": "public-read"}),
        put_policy(owner, **everybody),
    ):
        assert (refused.status_code, "<Code>AccessDenied</Code>" in refused.text) == (403, True)
    assert owner.get("/bucket/object").content == b"data"


def test_a_policy_grants_everybody_what_it_names(owner: httpx.Client, anyone: httpx.Client) -> None:
    put_policy(owner, Effect="Allow", Principal=["*"], Action=["oss:GetObject"], Resource=["acs:oss:*:*:bucket/ob*"])

    assert allowed(anyone) == [READ]
    status = owner.get("/bucket/?policyStatus")
    assert "<IsPublic>true</IsPublic>" in status.text


@pytest.mark.parametrize(
    "principal", ["*", "200000000000000001", "1234567890123456", "acs:ram::1234567890123456:user/paistack"]
)
def test_a_denial_binds_the_owners_user_too_and_can_be_taken_back(owner: httpx.Client, principal: str) -> None:
    put_policy(owner, Effect="Deny", Principal=[principal], Action="oss:*", Resource=["acs:oss:*:*:bucket/*"])

    assert owner.get("/bucket/object").status_code == 403
    assert owner.get("/bucket/").status_code == 200
    assert owner.delete("/bucket/?policy").status_code == 204
    assert owner.get("/bucket/object").status_code == 200


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        ("{", "it is not JSON"),
        ('{"Version":"2","Statement":[]}', '"Version" must be "1"'),
        ('{"Version":"1","Statement":{}}', '"Statement" must be a list'),
        ('{"Version":"1","Statement":[{"Effect":"Maybe"}]}', '"Effect" of Statement[0] must be Allow or Deny'),
        ('{"Version":"1","Statement":[{"Effect":"Deny","Action":[]}]}', '"Action" of Statement[0]'),
        ('{"Version":"1","Statement":[{"Effect":"Deny","Action":"a","Resource":[1]}]}', '"Resource" of Statement[0]'),
    ],
)
def test_a_policy_that_cannot_be_one_is_refused_with_the_reason(owner: httpx.Client, policy: str, message: str) -> None:
    refused = owner.put("/bucket/?policy", content=policy)

    assert (refused.status_code, "InvalidPolicyDocument" in refused.text) == (400, True)
    assert message in refused.text
    assert owner.get("/bucket/?policy").status_code == 404


def test_nobody_lists_or_creates_buckets_anonymously(anyone: httpx.Client) -> None:
    assert anyone.get("/").status_code == 403
    assert anyone.put("/new-bucket/").status_code == 403


def test_browsers_get_what_the_cors_rules_allow(owner: httpx.Client, anyone: httpx.Client) -> None:
    origin = {"Origin": "https://shop.example"}
    asked = {**origin, "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "x-oss-meta-a"}
    assert anyone.options("/bucket/object", headers=asked).status_code == 403
    owner.put(
        "/bucket/?cors",
        content=b"<CORSConfiguration><CORSRule><AllowedOrigin>https://*.example</AllowedOrigin>"
        b"<AllowedMethod>PUT</AllowedMethod><AllowedMethod>GET</AllowedMethod><AllowedHeader>x-oss-*</AllowedHeader>"
        b"<ExposeHeader>ETag</ExposeHeader><MaxAgeSeconds>9</MaxAgeSeconds></CORSRule></CORSConfiguration>",
    )
    granted = anyone.options("/bucket/object", headers=asked)
    answered = owner.get("/bucket/object", headers=origin)

    assert granted.status_code == 200
    assert granted.headers["access-control-allow-origin"] == "https://shop.example"
    assert granted.headers["access-control-max-age"] == "9"
    assert anyone.options("/bucket/object", headers={**asked, "Origin": "https://other"}).status_code == 403
    assert answered.headers["access-control-expose-headers"] == "ETag"
    assert not any(name.startswith("access-control") for name in owner.get("/bucket/object").headers)
