"""ModelStore: the bucket that holds every model version and the code that serves it."""

from collections.abc import Mapping
from pathlib import Path

import pulumi
from pulumi import Output, ResourceOptions
from pulumi_alicloud import oss

from components.model_artefact import ModelArtefact
from components.store_rules import ModelStoreSettings, lifecycle_rules
from components.stored_code import StoredCode


class ModelStore(pulumi.ComponentResource):
    """A private, encrypted, versioned bucket.

    `objects` are files by their keys, which contain the hash or version of the content: what is there is never
    overwritten. An object that is no longer named stays in the bucket, so that a service can be rolled back to it.
    """

    bucket_name: Output[str]

    def __init__(
        self,
        name: str,
        settings: ModelStoreSettings,
        *,
        bucket_name: str,
        objects: Mapping[str, Path],
        tags: Mapping[str, str],
        opts: ResourceOptions | None = None,
    ) -> None:
        super().__init__("paistack:store:ModelStore", name, settings.model_dump(exclude_none=True), opts)
        child = ResourceOptions(parent=self)

        # Versioning, encryption, lifecycle and tags are set within the bucket, since the provider waits five fixed
        # seconds for some of them as resources of their own; public access can be blocked in no other way.
        bucket = oss.Bucket(
            f"{name}-bucket",
            bucket=bucket_name,
            versioning={"status": "Enabled"},
            server_side_encryption_rule={"sse_algorithm": "AES256"},
            lifecycle_rules=lifecycle_rules(settings),
            force_destroy=settings.force_destroy,
            tags=dict(tags),
            opts=child,
        )
        oss.BucketPublicAccessBlock(f"{name}-private", bucket=bucket.bucket, block_public_access=True, opts=child)
        self._objects = {
            key: oss.BucketObject(
                f"{name}/{key}",
                bucket=bucket.bucket,
                key=key,
                source=str(path),
                opts=ResourceOptions(parent=self, retain_on_delete=True),
            )
            for key, path in objects.items()
        }

        self.bucket_name = bucket.bucket
        self.register_outputs({"bucket_name": self.bucket_name})

    def files_of(self, *stored: ModelArtefact | StoredCode) -> list[pulumi.Resource]:
        """The objects of models and code, on which those depend that read them: the bucket is there before they are."""
        return [self._objects[key] for item in stored for key in item.objects()]
