"""EventRule: tells contacts of the events of one EAS service's instances.

The alicloud provider has this resource too, but expects lists of rules in a form that the vendor's SDK does not know,
and crashes on the SDK's. What is read here has the same form in both.
"""

from typing import TYPE_CHECKING, Any

from pulumi import Input, ResourceOptions
from pulumi.dynamic import Resource
from pydantic import Field
from Tea.exceptions import TeaException
from typing_extensions import override

from providers.base import Found, Props
from providers.cms_live import CmsProvider, RuleInputs

if TYPE_CHECKING:
    from alibabacloud_cms20190101.models import DescribeEventRuleTargetListResponseBody

# CloudMonitor's product code of PAI, and EAS's type of events of instances ("View EAS events in CloudMonitor").
PRODUCT, INSTANCE_EVENTS = "learn", "ServiceInstance"
_CONTACT, _WEBHOOK = "1", "2"


class EventRuleInputs(RuleInputs):
    """`contact_group` is told of events of `levels` (INFO, WARN, CRITICAL) whose content has the word `service_name`.

    `contact_level` says how: 2 by phone, SMS, mail and DingTalk, 3 without the phone, 4 without SMS too. The same event
    is told again after `silence_s`.
    """

    service_name: str
    levels: list[str] = Field(min_length=1)
    contact_group: str
    contact_level: str
    silence_s: int = Field(ge=0, le=86_400)
    webhook: str


class EventRuleProvider(CmsProvider[EventRuleInputs]):
    inputs = EventRuleInputs

    @override
    def find(self, id_: str, known: EventRuleInputs, outputs: Props) -> Found[EventRuleInputs]:
        """A rule that somebody switched off is found without levels, which puts it right at the next change."""
        from alibabacloud_cms20190101 import models

        rule = self.cms.describe_event_rule_attribute(models.DescribeEventRuleAttributeRequest(rule_name=id_)).body
        if rule.result is None:
            raise TeaException({"code": "ResourceNotFound", "message": f"there is no rule {id_}"})
        pattern = rule.result.event_pattern
        request = models.DescribeEventRuleTargetListRequest(rule_name=id_)
        seen: dict[str, Any] = {
            "service_name": (pattern.sqlfilter or "").strip('"'),
            "levels": pattern.level_list.level_list if rule.result.state == "ENABLED" else [],
            "silence_s": self._silence_s(id_, known),
            **_seen_targets(self.cms.describe_event_rule_target_list(request).body),
        }
        return Found(known.model_copy(update=seen), {})

    @override
    def change(self, id_: str, before: EventRuleInputs, wanted: EventRuleInputs) -> Props:
        from alibabacloud_cms20190101.models import DeleteEventRuleTargetsRequest

        self.put(wanted)
        if not wanted.webhook:
            self.cms.delete_event_rule_targets(DeleteEventRuleTargetsRequest(rule_name=id_, ids=[_WEBHOOK]))
        return {}

    @override
    def remove(self, id_: str, known: EventRuleInputs) -> None:
        from alibabacloud_cms20190101.models import DeleteEventRulesRequest

        self.cms.delete_event_rules(DeleteEventRulesRequest(rule_names=[id_]))

    def _silence_s(self, id_: str, known: EventRuleInputs) -> int:
        """Only the list of rules tells it; the known one when the rule is not on its first page."""
        from alibabacloud_cms20190101.models import DescribeEventRuleListRequest

        request = DescribeEventRuleListRequest(name_prefix=id_, page_size="100")
        listed = self.cms.describe_event_rule_list(request).body.event_rules
        found = [rule.silence_time for rule in listed.event_rule or [] if rule.name == id_]
        return int(found[0]) if found and found[0] is not None else known.silence_s

    @override
    def put(self, wanted: EventRuleInputs) -> None:
        from alibabacloud_cms20190101 import models

        pattern = models.PutEventRuleRequestEventPattern(
            product=PRODUCT,
            event_type_list=[INSTANCE_EVENTS],
            level_list=wanted.levels,
            sqlfilter=f'"{wanted.service_name}"',
        )
        self.cms.put_event_rule(
            models.PutEventRuleRequest(
                rule_name=wanted.rule_name,
                event_type="SYSTEM",
                event_pattern=[pattern],
                silence_time=wanted.silence_s,
                state="ENABLED",
            )
        )
        contact = models.PutEventRuleTargetsRequestContactParameters(
            id=_CONTACT, contact_group_name=wanted.contact_group, level=wanted.contact_level
        )
        webhook = models.PutEventRuleTargetsRequestWebhookParameters(
            id=_WEBHOOK, url=wanted.webhook, method="POST", protocol="http"
        )
        request = models.PutEventRuleTargetsRequest(
            rule_name=wanted.rule_name,
            contact_parameters=[contact],
            webhook_parameters=[webhook] if wanted.webhook else None,
        )
        answer = self.cms.put_event_rule_targets(request).body
        if int(answer.failed_parameter_count or 0):
            message = f"the rule {wanted.rule_name} cannot tell the contact group {wanted.contact_group}"
            raise TeaException({"code": "ContactGroupNotExists", "message": message})


def _seen_targets(body: "DescribeEventRuleTargetListResponseBody") -> dict[str, str]:
    contacts = body.contact_parameters.contact_parameter or []
    webhooks = body.webhook_parameters.webhook_parameter or []
    return {
        "contact_group": contacts[0].contact_group_name if contacts else "",
        "contact_level": contacts[0].level if contacts else "",
        "webhook": webhooks[0].url if webhooks else "",
    }


class EventRule(Resource, module="cms", name="EventRule"):
    def __init__(
        self,
        name: str,
        *,
        rule_name: Input[str],
        service_name: Input[str],
        levels: Input[list[Input[str]]],
        contact_group: Input[str],
        contact_level: Input[str],
        silence_s: Input[int],
        webhook: Input[str],
        opts: ResourceOptions | None = None,
    ) -> None:
        props = {
            "rule_name": rule_name,
            "service_name": service_name,
            "levels": levels,
            "contact_group": contact_group,
            "contact_level": contact_level,
            "silence_s": silence_s,
            "webhook": webhook,
        }
        super().__init__(EventRuleProvider(), name, props, opts)
