"""`containers[]`: what an instance runs, and how its health is checked."""

import shlex
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from emulator.services.eas.config.section import Section, Text

RESERVED_PORTS = (8080, 9090)  # taken by the EAS engine

Port = Annotated[int, Field(ge=1, le=65535)]


class EnvironmentVariable(Section):
    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_.-]*$", max_length=256)]
    value: Text = ""


class Prepare(Section):
    python_requirements: list[Text] = Field([], alias="pythonRequirements")
    python_requirements_path: Text | None = Field(None, alias="pythonRequirementsPath")


class HttpGet(Section):
    path: Annotated[str, StringConstraints(pattern=r"^/[^\x00-\x20]*$", max_length=4096)] = "/"
    port: Port | None = None
    scheme: Literal["HTTP", "http"] = "HTTP"


class TcpSocket(Section):
    port: Port | None = None


class Exec(Section):
    command: list[Text] = Field(min_length=1)


class Probe(Section):
    """One check and its schedule, in seconds; a port that is left out is the container's own.

    EAS hands the check to Kubernetes ("EAS uses the Kubernetes health check mechanism"), so Kubernetes' defaults hold.
    """

    http_get: HttpGet | None = None
    tcp_socket: TcpSocket | None = None
    exec: Exec | None = None
    initial_delay_seconds: int = Field(0, ge=0)
    period_seconds: int = Field(10, ge=1)
    timeout_seconds: int = Field(1, ge=1)
    success_threshold: int = Field(1, ge=1)
    failure_threshold: int = Field(3, ge=1)

    @model_validator(mode="after")
    def _one_method(self) -> Self:
        if sum(method is not None for method in (self.http_get, self.tcp_socket, self.exec)) != 1:
            raise ValueError("give exactly one of http_get, tcp_socket and exec")
        return self


class Container(Section):
    """`command` is one command without a shell, `script` lines for `sh`; exactly one of the two.

    `health_check` is the readiness probe under its older name (the vendor's Python SDK uses it).
    """

    image: Annotated[str, StringConstraints(pattern=r"^[^\s\x00]+$", max_length=1024)]
    command: Text | None = None
    script: Text | None = None
    args: list[Text] = Field([])
    port: Port = 8000
    env: list[EnvironmentVariable] = Field([])
    prepare: Prepare = Prepare()
    startup_check: Probe | None = None
    liveness_check: Probe | None = None
    readiness_check: Probe | None = None
    health_check: Probe | None = None
    resources: dict[str, dict[str, Text]] = Field({})

    @field_validator("command")
    @classmethod
    def _one_command(cls, command: str | None) -> str | None:
        if command is not None:
            try:
                words = shlex.split(command)
            except ValueError as error:
                raise ValueError(f"the command cannot be split into words: {error}") from None
            if not words:
                raise ValueError("the command is empty")
            if {"&&", "||", ";", "|"} & set(words):
                raise ValueError("only one command is taken here, without a shell; use script instead")
        return command

    @field_validator("port")
    @classmethod
    def _not_reserved(cls, port: int) -> int:
        if port in RESERVED_PORTS:
            raise ValueError(f"ports {RESERVED_PORTS[0]} and {RESERVED_PORTS[1]} are reserved for the EAS engine")
        return port

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.command is None) == (self.script is None):
            raise ValueError("give exactly one of command and script")
        if self.readiness_check is not None and self.health_check is not None:
            raise ValueError("readiness_check and health_check are the same probe: give one of them")
        return self

    @property
    def readiness(self) -> Probe | None:
        return self.readiness_check or self.health_check
