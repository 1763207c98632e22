"""What all providers of alarm rules share: CloudMonitor's client, and how a rule is found and deleted by its name."""

from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from Tea.exceptions import TeaException
from typing_extensions import override

from cloud.cms import cms_client
from providers.base import DeclaredProvider, Immutable, Props, ResourceInputs

if TYPE_CHECKING:
    from alibabacloud_cms20190101.client import Client

PERIOD_S = 60


class RuleInputs(ResourceInputs):
    """`rule_name` is the rule's id too."""

    rule_name: Immutable[str]


Rule = TypeVar("Rule", bound=RuleInputs)


class CmsProvider(DeclaredProvider[Rule]):
    """Making and changing a rule are one call: CloudMonitor replaces what is there by that name."""

    gone = frozenset({"ResourceNotFound"})

    @cached_property
    def cms(self) -> "Client":
        """Built when it is first used, which is not in a preview: importing the SDK takes a second."""
        return cms_client(self.target, self.credentials)

    def put(self, wanted: Rule) -> None:
        """Makes the rule, or brings it to what is wanted."""
        raise NotImplementedError

    @override
    def make(self, wanted: Rule) -> tuple[str, Props]:
        self.put(wanted)
        return wanted.rule_name, {}

    @override
    def change(self, id_: str, before: Rule, wanted: Rule) -> Props:
        self.put(wanted)
        return {}

    @override
    def remove(self, id_: str, known: Rule) -> None:
        """An alarm rule, whichever operation made it."""
        from alibabacloud_cms20190101.models import DeleteMetricRulesRequest

        self.cms.delete_metric_rules(DeleteMetricRulesRequest(id=[id_]))

    def alarm_rule(self, id_: str) -> Any:
        """The live alarm rule, as DescribeMetricRuleList has it; TeaException of a code that means gone without one."""
        from alibabacloud_cms20190101.models import DescribeMetricRuleListRequest

        answer = self.cms.describe_metric_rule_list(DescribeMetricRuleListRequest(rule_ids=id_)).body
        if not answer.alarms.alarm:
            raise TeaException({"code": "ResourceNotFound", "message": f"there is no rule {id_}"})
        (live,) = answer.alarms.alarm
        return live
