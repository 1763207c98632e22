"""Where an alarm goes besides its contacts: queues, functions, scaling rules."""

from typing import Literal

from pydantic import Field

from emulator.operations import Answer, Parameters
from emulator.services.cms.service import cms, succeeded
from emulator.services.cms.state import CmsState, Target


class TargetParameters(Parameters):
    id: str = Field(alias="Id", min_length=1)
    arn: str = Field(alias="Arn", pattern=r"^acs:(mns|ess|log|fc):[^:]*:[^:]*:.+$")
    level: Literal["CRITICAL", "WARN", "INFO", "Critical", "Warn", "Info"] | None = Field(None, alias="Level")
    json_params: str | None = Field(None, alias="JsonParams")


class RuleId(Parameters):
    rule_id: str = Field(alias="RuleId")


class PutMetricRuleTargets(RuleId):
    targets: list[TargetParameters] = Field([], alias="Targets")


class DeleteMetricRuleTargets(RuleId):
    target_ids: list[str] = Field(alias="TargetIds", min_length=1)


@cms.operation("PutMetricRuleTargets")
def put_metric_rule_targets(state: CmsState, query: PutMetricRuleTargets) -> Answer:
    """Adds targets, and replaces those of the same id."""
    rule = state.rule(query.rule_id)
    put = {target.id: Target(**target.model_dump()) for target in query.targets}
    rule.targets = list(({target.id: target for target in rule.targets} | put).values())
    state.rules.put(rule.id, rule)
    return succeeded(FailData={"Targets": {"Target": []}})


@cms.operation("DescribeMetricRuleTargets")
def describe_metric_rule_targets(state: CmsState, query: RuleId) -> Answer:
    listed = [
        {"Id": target.id, "Arn": target.arn}
        | ({"Level": target.level} if target.level else {})
        | ({"JsonParams": target.json_params} if target.json_params else {})
        for target in state.rule(query.rule_id).targets
    ]
    return succeeded(Targets={"Target": listed})


@cms.operation("DeleteMetricRuleTargets")
def delete_metric_rule_targets(state: CmsState, query: DeleteMetricRuleTargets) -> Answer:
    rule = state.rule(query.rule_id)
    unknown = [target_id for target_id in query.target_ids if target_id not in {target.id for target in rule.targets}]
    rule.targets = [target for target in rule.targets if target.id not in query.target_ids]
    state.rules.put(rule.id, rule)
    return succeeded(FailIds={"TargetIds": {"TargetId": unknown}})
