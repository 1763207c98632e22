"""Whom a rule tells of events: groups of contacts, and webhooks."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from emulator.operations import Answer, Parameters
from emulator.services.cms.event_records import ContactTarget, WebhookTarget
from emulator.services.cms.event_rules import RuleName
from emulator.services.cms.service import cms, succeeded
from emulator.services.cms.state import CmsState

MOST_TARGETS = 5
_NOT_REACHED = ("FcParameters", "MnsParameters", "OpenApiParameters", "SlsParameters")


class ContactParameters(Parameters):
    id: str = Field(alias="Id", min_length=1)
    group: str = Field(alias="ContactGroupName", min_length=1)
    level: Literal["2", "3", "4"] = Field("4", alias="Level")


class WebhookParameters(Parameters):
    """By POST over HTTP: the other ways that the API names are refused."""

    id: str = Field(alias="Id", min_length=1)
    url: Annotated[str, Field(pattern=r"^https?://\S+$")] = Field(alias="Url")
    method: Annotated[Literal["POST"], BeforeValidator(lambda value: str(value).upper())] = Field(
        "POST", alias="Method"
    )
    protocol: Literal["http"] = Field("http", alias="Protocol")


class PutEventRuleTargets(RuleName):
    contacts: list[ContactParameters] = Field([], alias="ContactParameters", max_length=MOST_TARGETS)
    webhooks: list[WebhookParameters] = Field([], alias="WebhookParameters", max_length=MOST_TARGETS)

    @model_validator(mode="before")
    @classmethod
    def _names_known_targets(cls, given: dict[str, Any]) -> dict[str, Any]:
        if unknown := [name for name in _NOT_REACHED if given.get(name)]:
            raise ValueError(f"the emulator tells contacts and webhooks, and has nothing that {unknown[0]} could name")
        return given


class DeleteEventRuleTargets(RuleName):
    ids: list[str] = Field(alias="Ids", min_length=1)


@cms.operation("PutEventRuleTargets")
def put_event_rule_targets(state: CmsState, query: PutEventRuleTargets) -> Answer:
    """Adds targets, and replaces those of the same kind and id; groups that do not exist are told as failed."""
    rule = state.event_rule(query.name)
    known = [given for given in query.contacts if state.groups.get(given.group) is not None]
    contacts = {target.id: target for target in rule.contacts}
    contacts |= {given.id: ContactTarget(**given.model_dump()) for given in known}
    webhooks = {target.id: target for target in rule.webhooks}
    webhooks |= {given.id: WebhookTarget(id=given.id, url=given.url) for given in query.webhooks}
    changed = {"contacts": list(contacts.values()), "webhooks": list(webhooks.values())}
    state.event_rules.put(rule.name, rule.model_copy(update=changed))
    failed = [given for given in query.contacts if given not in known]
    return succeeded(
        FailedParameterCount=str(len(failed)),
        FailedContactParameters={"ContactParameter": [_failed(given) for given in failed]},
        FailedFcParameters={"FcParameter": []},
        FailedMnsParameters={"MnsParameter": []},
    )


@cms.operation("DescribeEventRuleTargetList")
def describe_event_rule_target_list(state: CmsState, query: RuleName) -> Answer:
    rule = state.event_rule(query.name)
    contacts = [{"Id": target.id, "ContactGroupName": target.group, "Level": target.level} for target in rule.contacts]
    webhooks = [{"Id": target.id, "Url": target.url, "Method": "POST", "Protocol": "http"} for target in rule.webhooks]
    return {
        "Code": "200",
        "ContactParameters": {"ContactParameter": contacts},
        "WebhookParameters": {"WebhookParameter": webhooks},
        "FcParameters": {"FCParameter": []},
        "MnsParameters": {"MnsParameter": []},
        "SlsParameters": {"SlsParameter": []},
        "OpenApiParameters": {"OpenApiParameters": []},
    }


@cms.operation("DeleteEventRuleTargets")
def delete_event_rule_targets(state: CmsState, query: DeleteEventRuleTargets) -> Answer:
    """Of every kind those with the ids; deleting what does not exist succeeds."""
    rule = state.event_rule(query.name)
    left = {
        "contacts": [target for target in rule.contacts if target.id not in query.ids],
        "webhooks": [target for target in rule.webhooks if target.id not in query.ids],
    }
    state.event_rules.put(rule.name, rule.model_copy(update=left))
    return succeeded()


def _failed(given: ContactParameters) -> dict[str, Any]:
    """The answer's `Id` is a number, unlike the request's."""
    number = {"Id": int(given.id)} if given.id.isdecimal() else {}
    return {"ContactGroupName": given.group, "Level": given.level, **number}
