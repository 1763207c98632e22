"""The OSS SDK client: the one place that builds it."""

from typing import TYPE_CHECKING

from cloud.target import Credentials, Target

if TYPE_CHECKING:
    from oss2 import Bucket


def oss_bucket(target: Target, credentials: Credentials, name: str) -> "Bucket":
    """A client of one bucket, signing with V4; calls raise oss2's exceptions."""
    import oss2  # takes a second, which a preview need not wait

    auth = oss2.ProviderAuthV4(
        oss2.credentials.StaticCredentialsProvider(
            credentials.access_key_id, credentials.access_key_secret, credentials.security_token or ""
        )
    )
    endpoint = target.emulator or f"https://oss-{target.region}.aliyuncs.com"
    session = oss2.Session()
    session.session.trust_env = target.emulator is None  # past any proxy to the emulator
    return oss2.Bucket(auth, endpoint, name, region=target.region, connect_timeout=30, session=session)
