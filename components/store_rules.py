"""The settings of the bucket for models, and its lifecycle rules in OSS's terms."""

from typing import TYPE_CHECKING, Annotated

from pydantic import Field, StringConstraints

from components.settings import Settings

if TYPE_CHECKING:
    from pulumi_alicloud.oss import BucketLifecycleRuleArgsDict


class ModelStoreSettings(Settings):
    """The bucket that holds model versions, serving code and logs."""

    bucket: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$")] | None = Field(
        default=None, description="Globally unique; by default paistack-STACK-ACCOUNT'S LAST 8 DIGITS-models."
    )
    keep_old_versions_days: int = Field(
        default=30, ge=1, le=3650, description="Days for which an overwritten or deleted object can be restored."
    )
    keep_logs_days: int = Field(default=90, ge=1, le=3650)
    force_destroy: bool = Field(
        default=False, description="Let `pulumi destroy` delete the bucket with every model in it."
    )

    def bucket_name(self, stack: str, account_id: str) -> str:
        """The bucket's name, the same in every run."""
        return self.bucket or f"paistack-{stack}-{account_id[-8:]}-models"


def lifecycle_rules(settings: ModelStoreSettings) -> "list[BucketLifecycleRuleArgsDict]":
    """Arguments of oss.Bucket's lifecycle rules; model versions in use never expire."""
    return [
        {
            "id": "old-versions",
            "enabled": True,
            "prefix": "",
            "noncurrent_version_expirations": [{"days": settings.keep_old_versions_days}],
        },
        {
            "id": "unfinished-uploads",
            "enabled": True,
            "prefix": "",
            "abort_multipart_uploads": [{"days": 1}],
        },
        {
            "id": "logs",
            "enabled": True,
            "prefix": "logs/",
            "expirations": [{"days": settings.keep_logs_days}],
        },
    ]
