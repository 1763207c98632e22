"""The policy language: what a permission policy and a role's trust policy must look like.

Source: RAM's "Policy structure and syntax" (help.aliyun.com/document_detail/93739.html).
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_pascal

from emulator.errors import ApiError

ActionPattern = Annotated[str, Field(pattern=r"^(\*|[a-z0-9-]+:[A-Za-z0-9*?/-]+)$")]
ResourcePattern = Annotated[str, Field(pattern=r"^(\*|acs:[^:]*:[^:]*:[^:]*:.+)$")]
Conditions = dict[str, dict[str, str | int | bool | list[str | int | bool]]]


class _Element(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_pascal)


class Statement(_Element):
    """What is allowed or denied, on what."""

    effect: Literal["Allow", "Deny"]
    action: ActionPattern | list[ActionPattern] | None = None
    not_action: ActionPattern | list[ActionPattern] | None = None
    resource: ResourcePattern | list[ResourcePattern] | None = None
    not_resource: ResourcePattern | list[ResourcePattern] | None = None
    condition: Conditions | None = None

    @model_validator(mode="after")
    def _says_what_and_on_what(self) -> "Statement":
        if (self.action is None) == (self.not_action is None):
            raise ValueError("a statement needs one of Action and NotAction")
        if (self.resource is None) == (self.not_resource is None):
            raise ValueError("a statement needs one of Resource and NotResource")
        return self


class Principal(_Element):
    """Who is trusted: accounts, users and roles by their ARN, services by their domain, identity providers."""

    ram: str | list[str] | None = Field(None, alias="RAM")
    service: str | list[str] | None = None
    federated: str | list[str] | None = None

    @model_validator(mode="after")
    def _names_somebody(self) -> "Principal":
        if not (self.ram or self.service or self.federated):
            raise ValueError("a principal needs RAM, Service or Federated")
        return self

    @property
    def arns(self) -> list[str]:
        return [self.ram] if isinstance(self.ram, str) else self.ram or []


class TrustStatement(_Element):
    """Who may assume the role."""

    effect: Literal["Allow", "Deny"]
    action: ActionPattern | list[ActionPattern]
    principal: Principal
    condition: Conditions | None = None


class PermissionPolicy(_Element):
    version: Literal["1"]
    statement: list[Statement] = Field(min_length=1)


class TrustPolicy(_Element):
    version: Literal["1"]
    statement: list[TrustStatement] = Field(min_length=1)

    def trusts(self, caller_arn: str, account_id: str) -> bool:
        """Whether a caller of the account may assume the role: it, or its whole account, is named and not denied."""
        named = {caller_arn.lower(), f"acs:ram::{account_id}:root", f"acs:ram::{account_id}:*", "*"}
        effects = {
            statement.effect
            for statement in self.statement
            if any(arn.lower() in named for arn in statement.principal.arns)
        }
        return effects == {"Allow"}


def check_policy(document: str) -> None:
    """ApiError unless `document` is a permission policy."""
    _parsed(PermissionPolicy, document, "PolicyDocument", limit=6144)


def check_trust_policy(document: str, parameter: str) -> None:
    """ApiError unless `document`, which came as `parameter`, is a role's trust policy."""
    _parsed(TrustPolicy, document, parameter, limit=2048)


def _parsed(model: type[BaseModel], document: str, parameter: str, limit: int) -> Any:
    if len(document) > limit:
        message = f"{parameter} has {len(document)} characters; the limit is {limit}."
        raise ApiError(f"InvalidParameter.{parameter}.Length", message)
    try:
        return model.model_validate_json(document)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or parameter
        raise ApiError(
            "MalformedPolicyDocument", f"The policy document is malformed at {place}: {first['msg']}"
        ) from None
