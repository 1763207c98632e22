"""`storage[]`: what is mounted into an instance."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from emulator.services.eas.config.section import Section, Text

SOURCES = ("oss", "nfs", "dataset", "git", "empty_dir")


class OssMount(Section):
    path: Annotated[str, StringConstraints(pattern=r"^oss://[a-z0-9][a-z0-9-]{1,61}[a-z0-9](/[^\x00]*)?$")]
    read_only: bool = Field(False, alias="readOnly")
    endpoint: Text | None = None

    @property
    def bucket(self) -> str:
        return self.path.removeprefix("oss://").partition("/")[0]

    @property
    def prefix(self) -> str:
        """The keys' common beginning: empty, or with a slash at its end."""
        prefix = self.path.removeprefix("oss://").partition("/")[2].strip("/")
        return f"{prefix}/" if prefix else ""


class NfsMount(Section):
    server: Text
    path: Text
    read_only: bool = Field(False, alias="readOnly")
    resource_group: bool = Field(False, alias="resourceGroup")


class DatasetMount(Section):
    id: Text
    version: Text | None = None
    read_only: bool = False


class GitMount(Section):
    repo: Text
    branch: Text | None = None
    commit: Text | None = None
    username: Text | None = None
    password: Text | None = None


class EmptyDir(Section):
    """`size_limit` in GiB; it is not enforced here."""

    medium: Literal["memory", ""] = ""
    size_limit: int | None = Field(None, ge=1)


class Storage(Section):
    mount_path: Annotated[str, StringConstraints(pattern=r"^(/[A-Za-z0-9._-]+)+/?$", max_length=1024)]
    oss: OssMount | None = None
    nfs: NfsMount | None = None
    dataset: DatasetMount | None = None
    git: GitMount | None = None
    empty_dir: EmptyDir | None = None
    properties: dict[str, Any] = Field({})

    @field_validator("mount_path")
    @classmethod
    def _inside(cls, path: str) -> str:
        if {".", ".."} & set(path.split("/")):
            raise ValueError("the mount path must not have . or .. in it")
        return path

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if sum(getattr(self, source) is not None for source in SOURCES) != 1:
            raise ValueError(f"give exactly one of {', '.join(SOURCES)}")
        return self
