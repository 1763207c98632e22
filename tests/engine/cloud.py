"""What an account holds, asked through the SDKs."""

import json
import time
from typing import Any

import oss2
from alibabacloud_cms20190101.models import DescribeEventRuleListRequest, DescribeMetricRuleListRequest
from alibabacloud_eas20210701 import models
from Tea.exceptions import TeaException

from cloud.cms import cms_client
from cloud.eas import eas_client
from cloud.oss import oss_bucket
from cloud.ram import RamClient
from cloud.target import Credentials, Target


class Cloud:
    """The objects of an account, as far as stacks create them."""

    def __init__(self, target: Target, credentials: Credentials) -> None:
        self._target = target
        self._credentials = credentials
        self._eas = eas_client(target, credentials)
        self._ram = RamClient(target, credentials)

    def everything(self) -> list[str]:
        """What stacks create, by kind and name."""
        return sorted(
            [
                *(f"service {name} {status}" for name, status in self.services().items()),
                *(f"bucket {name}" for name in self.buckets()),
                *(f"role {name}" for name in self.roles()),
                *(f"policy {name}" for name in self.policies()),
            ]
        )

    def services(self) -> dict[str, str]:
        """Status by name."""
        listed = self._eas.list_services(models.ListServicesRequest()).body.services or []
        return {service.service_name: service.status for service in listed}

    def config(self, service: str) -> dict[str, Any]:
        """The configuration that a service runs with."""
        config: dict[str, Any] = json.loads(self._service(service).service_config)
        return config

    def version(self, service: str) -> int:
        """The version that a service runs."""
        return int(self._service(service).current_version)

    def lock(self, service: str) -> str:
        """The safety lock of a service."""
        return str(self._service(service).safety_lock)

    def groups(self) -> list[str]:
        """Service groups by name."""
        return [group.name for group in self._eas.list_groups(models.ListGroupsRequest()).body.groups or []]

    def places(self, service: str) -> list[tuple[str, str, bool]]:
        """Of each running replica: whose machine it is on, of which type, and whether that is spot."""
        request = models.ListServiceInstancesRequest(instance_status="Running")
        listed = self._eas.list_service_instances(self._target.region, service, request).body.instances or []
        return sorted((each.resource_type, each.instance_type, each.is_spot) for each in listed)

    def machines(self) -> dict[str, list[tuple[str, str]]]:
        """Type and charge type of the machines of each resource group, by the group's name."""
        found = {}
        for group in self._eas.list_resources(models.ListResourcesRequest()).body.resources or []:
            request = models.ListResourceInstancesRequest()
            there = self._eas.list_resource_instances(self._target.region, group.resource_id, request).body.instances
            found[group.resource_name] = sorted((each.instance_type, each.charge_type) for each in there or [])
        return found

    def delete_a_machine(self, group: str) -> None:
        """Takes one machine out of a resource group, as somebody with a console would."""
        (found,) = self._eas.list_resources(models.ListResourcesRequest(resource_name=group)).body.resources
        place = (self._target.region, found.resource_id)
        machines = self._eas.list_resource_instances(*place, models.ListResourceInstancesRequest()).body.instances
        request = models.DeleteResourceInstancesRequest(instance_list=machines[0].instance_id)
        self._eas.delete_resource_instances(*place, request)

    def mixes(self) -> list[str]:
        """Virtual resource groups by name."""
        listed = self._eas.list_virtual_resource(models.ListVirtualResourceRequest()).body.virtual_resources or []
        return [group.virtual_resource_name for group in listed]

    def gateways(self) -> dict[str, str]:
        """Ids of gateways by name."""
        listed = self._eas.list_gateway(models.ListGatewayRequest()).body.gateways or []
        return {gateway.gateway_name: gateway.gateway_id for gateway in listed}

    def mirror(self, service: str) -> tuple[str, str]:
        """Percentage and targets of a service's copies."""
        request = models.DescribeServiceMirrorRequest()
        body = self._eas.describe_service_mirror(self._target.region, service, request).body
        return body.ratio, body.target

    def replicas(self, service: str) -> int:
        """How many replicas a service is to have."""
        return int(self._service(service).total_instance)

    def serving(self, service: str) -> int:
        """How many replicas of a service are in its traffic."""
        return int(self._service(service).running_instance)

    def autoscaler(self, service: str) -> tuple[int, int, dict[str, float]] | None:
        """The bounds and thresholds of a service's autoscaler; None when it has none."""
        try:
            request = models.DescribeServiceAutoScalerRequest()
            body = self._eas.describe_service_auto_scaler(self._target.region, service, request).body
        except TeaException as error:
            if error.code != "InvalidAutoScaler.NotFound":
                raise
            return None
        thresholds = {strategy.metric_name.lower(): strategy.threshold for strategy in body.scale_strategies}
        return body.min_replica, body.max_replica, thresholds

    def rescale(self, service: str, minimum: int, maximum: int) -> None:
        """Gives a service other bounds and a target of 20 requests a second, as somebody with a console would."""
        strategy = models.UpdateServiceAutoScalerRequestScaleStrategies(metric_name="qps", threshold=20)
        request = models.UpdateServiceAutoScalerRequest(min=minimum, max=maximum, scale_strategies=[strategy])
        self._eas.update_service_auto_scaler(self._target.region, service, request)

    def release(self, service: str, weight: int) -> None:
        """Gives a service a weight, as somebody with a console would."""
        self._eas.release_service(self._target.region, service, models.ReleaseServiceRequest(weight=weight))

    def _service(self, name: str) -> Any:
        return self._eas.describe_service(self._target.region, name, models.DescribeServiceRequest()).body

    def change(self, service: str, change: dict[str, Any]) -> None:
        """Merges `change` into a service's configuration, as somebody with a console would."""
        request = models.UpdateServiceRequest(body=json.dumps(change))
        self._eas.update_service(self._target.region, service, request)

    def stop(self, service: str) -> None:
        """Ends a service's replicas, as somebody with a console would."""
        self._eas.stop_service(self._target.region, service, models.StopServiceRequest())
        self._wait(service, "Stopped")

    def start(self, service: str) -> None:
        """Has a stopped service run again."""
        self._eas.start_service(self._target.region, service, models.StartServiceRequest())
        self._wait(service, "Running")

    def alarms(self) -> dict[str, str]:
        """The states of alarm rules by name."""
        return {rule.rule_name: rule.alert_state for rule in self._rules()}

    def levels(self, rule_name: str) -> dict[str, str]:
        """The thresholds of an alarm rule's levels."""
        (rule,) = (rule for rule in self._rules() if rule.rule_name == rule_name)
        return {level: its["Threshold"] for level, its in rule.escalations.to_map().items()}

    def event_rules(self) -> dict[str, str]:
        """The filters of rules on events by the rules' names."""
        request = DescribeEventRuleListRequest(page_size="100")
        listed = cms_client(self._target, self._credentials).describe_event_rule_list(request).body.event_rules
        return {rule.name: rule.event_pattern.event_pattern[0].sqlfilter for rule in listed.event_rule}

    def _rules(self) -> list[Any]:
        request = DescribeMetricRuleListRequest(page_size=100)
        return list(cms_client(self._target, self._credentials).describe_metric_rule_list(request).body.alarms.alarm)

    def _wait(self, service: str, status: str) -> None:
        deadline = time.monotonic() + 60
        while self._service(service).status != status:
            assert time.monotonic() < deadline, f"{service} is not {status}"
            time.sleep(0.1)

    def buckets(self) -> list[str]:
        anonymous = oss_bucket(self._target, self._credentials, "any-bucket")
        service = oss2.Service(anonymous.auth, anonymous.endpoint, region=self._target.region)
        return [bucket.name for bucket in service.list_buckets().buckets]

    def objects(self, bucket: str) -> list[str]:
        return [item.key for item in oss2.ObjectIteratorV2(oss_bucket(self._target, self._credentials, bucket))]

    def roles(self) -> list[str]:
        return [role["RoleName"] for role in self._ram.call("ListRoles")["Roles"]["Role"]]

    def policies(self) -> list[str]:
        listed = self._ram.call("ListPolicies", PolicyType="Custom")["Policies"]["Policy"]
        return [policy["PolicyName"] for policy in listed]

    def create_role(self, name: str) -> None:
        """A role of somebody else's."""
        trust = {"Version": "1", "Statement": [_TRUST]}
        self._ram.call("CreateRole", RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))

    def delete_role(self, name: str) -> None:
        self._ram.call("DeleteRole", RoleName=name)


_TRUST = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": ["ecs.aliyuncs.com"]}}
