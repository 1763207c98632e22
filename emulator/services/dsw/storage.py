"""What can be mounted into an instance: the addresses of datasets, and the rules of the parameter `Datasets`."""

import json
import re
from typing import Annotated, Literal, NamedTuple, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from emulator.operations import Parameters

_BUCKET = re.compile(r"^(?P<name>[a-z0-9][a-z0-9-]{1,61}[a-z0-9])(\.oss-[a-z0-9-]+\.aliyuncs\.com)?$")
_HOST = re.compile(r"^[a-z0-9][a-z0-9.-]*$")

SYSTEM_DISK = "rootfsCloudDisk"
OSS_OPTION_TYPES = ("FastReadWrite", "IncrementalReadWrite", "ConsistentReadWrite", "ReadOnly")


class Source(NamedTuple):
    """Where the files of a mount are. `place` is the bucket, or the file system's host name; `path` has a slash at
    its end unless it is empty, and none at its beginning."""

    kind: Literal["oss", "nas", "cpfs", "bmcpfs"]
    place: str
    path: str


def parse_uri(uri: str) -> Source:
    """ValueError for what DSW cannot mount.

    The forms are those that CreateInstance documents:
    `oss://bucket.oss-cn-shanghai-internal.aliyuncs.com/data/path/`, `nas://host.cn-hangzhou.nas.aliyuncs.com/path/`.
    """
    parts = urlsplit(uri)
    path = parts.path.strip("/")
    if {".", ".."} & set(path.split("/")) or "\0" in path:
        raise ValueError(f"the path of {uri} must not have . or .. in it")
    path = f"{path}/" if path else ""
    if parts.scheme == "oss":
        bucket = _BUCKET.match(parts.netloc)
        if bucket is None:
            raise ValueError(f"{uri} must be oss://BUCKET.oss-REGION-internal.aliyuncs.com/PATH/")
        return Source("oss", bucket["name"], path)
    if parts.scheme in ("nas", "cpfs", "bmcpfs") and _HOST.match(parts.netloc):
        return Source(parts.scheme, parts.netloc, path)  # type: ignore[arg-type]
    raise ValueError(f"{uri} must begin with oss://, nas://, cpfs:// or bmcpfs://")


def _checked_uri(uri: str) -> str:
    parse_uri(uri)
    return uri


def _checked_path(path: str) -> str:
    if {".", ".."} & set(path.split("/")):
        raise ValueError("a mount path must not have . or .. in it")
    return path.rstrip("/")


def _checked_options(options: str) -> str:
    if not isinstance(json.loads(options), dict):
        raise ValueError("must be the text of a JSON object")
    return options


MountPath = Annotated[
    str, StringConstraints(pattern=r"^(/[A-Za-z0-9._-]+)+/?$", max_length=1024), AfterValidator(_checked_path)
]


class Dataset(Parameters):
    dataset_id: str | None = Field(None, alias="DatasetId", min_length=1)
    dataset_version: Annotated[str, StringConstraints(pattern=r"^v[0-9]+$")] | None = Field(
        None, alias="DatasetVersion"
    )
    uri: Annotated[str, AfterValidator(_checked_uri)] | None = Field(None, alias="Uri")
    mount_path: MountPath = Field(alias="MountPath")
    mount_access: Literal["RO", "RW"] | None = Field(None, alias="MountAccess")
    options: Annotated[str, AfterValidator(_checked_options)] | None = Field(None, alias="Options")
    option_type: Literal[OSS_OPTION_TYPES] | None = Field(None, alias="OptionType")  # type: ignore[valid-type]
    dynamic: bool = Field(False, alias="Dynamic")

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.dataset_id is None) == (self.uri is None):
            raise ValueError("give either DatasetId or Uri")
        if self.dataset_version is not None and self.dataset_id is None:
            raise ValueError("DatasetVersion goes with DatasetId")
        if self.options is not None and self.option_type is not None:
            raise ValueError("Options and OptionType exclude each other")
        return self

    @property
    def read_only(self) -> bool:
        """A dynamically mounted dataset is always read-only."""
        return self.mount_access == "RO" or self.option_type == "ReadOnly" or self.dynamic


class DynamicMountPoint(Parameters):
    root_path: MountPath = Field(alias="RootPath")
    options: str | None = Field(None, alias="Options")


class DynamicMount(Parameters):
    enable: bool = Field(True, alias="Enable")
    mount_points: list[DynamicMountPoint] = Field([], alias="MountPoints")


class DiskUsage(Parameters):
    available: int | None = Field(None, alias="Available")
    capacity: int | None = Field(None, alias="Capacity")
    usage: int | None = Field(None, alias="Usage")


class ChangedDisk(Parameters):
    """`capacity` like `30Gi`; it is not enforced here."""

    capacity: Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]*(Gi|GiB|G)?$")] = Field(alias="Capacity")
    sub_type: Literal["rootfs"] = Field("rootfs", alias="SubType")


class CloudDisk(ChangedDisk):
    mount_path: MountPath | None = Field(None, alias="MountPath")
    path: str | None = Field(None, alias="Path")
    status: DiskUsage | None = Field(None, alias="Status")
