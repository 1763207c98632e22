"""Which objects of the cloud exist already, and whether they are this stack's own.

Only objects whose creation fails when they exist are looked for: creating an object of OSS, a block of public access
or one of our dynamic resources again does no harm.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from Tea.exceptions import TeaException

from cloud.aiworkspace import aiworkspace_client
from cloud.eas import eas_client
from cloud.oss import oss_bucket
from cloud.ram import RamClient
from cloud.target import Credentials, Target
from stacks.config import OWNERSHIP_TAG

Inputs = Mapping[str, Any]

# What a preview shows for a value that an object which is still to be created will have. An object that needs it cannot
# have been created either.
_UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
_IDENTIFYING = ("bucket", "roleName", "policyName", "serviceConfig", "modelId")


@dataclass(frozen=True)
class Existing:
    """An object that is there. `id` is the provider's; `owned` when it carries the mark of the stack."""

    id: str
    owned: bool


class CloudObjects:
    """Looks objects up by the inputs that would create them. `owner` is the value of the stack's ownership tag."""

    def __init__(self, target: Target, credentials: Credentials, owner: str) -> None:
        self._target = target
        self._credentials = credentials
        self._owner = owner
        self._ram = RamClient(target, credentials)
        self._lookups: dict[str, Callable[[Inputs], Existing | None]] = {
            "alicloud:oss/bucket:Bucket": self._bucket,
            "alicloud:ram/role:Role": self._role,
            "alicloud:ram/policy:Policy": self._policy,
            "alicloud:ram/rolePolicyAttachment:RolePolicyAttachment": self._attachment,
            "alicloud:pai/service:Service": self._service,
            "alicloud:pai/workspaceModel:WorkspaceModel": self._model,
            "alicloud:pai/workspaceModelVersion:WorkspaceModelVersion": self._model_version,
        }

    def find(self, type_: str, inputs: Inputs) -> Existing | None:
        """None when there is no such object, or it is of a type that is not looked for; raises the SDKs' exceptions."""
        lookup = self._lookups.get(type_)
        if lookup is None or any(inputs.get(name) == _UNKNOWN for name in _IDENTIFYING):
            return None
        return lookup(inputs)

    def _bucket(self, inputs: Inputs) -> Existing | None:
        from oss2.exceptions import AccessDenied, NoSuchBucket

        bucket = oss_bucket(self._target, self._credentials, inputs["bucket"])
        try:
            tags = bucket.get_bucket_tagging().tag_set.tagging_rule
        except NoSuchBucket:
            return None
        except AccessDenied:
            return Existing(bucket.bucket_name, owned=False)
        # Creation and tagging are two requests, so a bucket that was just created has no tags yet, and no objects.
        unmarked = not tags and not bucket.list_objects_v2(max_keys=1).object_list
        return Existing(bucket.bucket_name, owned=unmarked or self._is_ours(tags))

    def _role(self, inputs: Inputs) -> Existing | None:
        return self._of_ram("role", inputs["roleName"], "GetRole", RoleName=inputs["roleName"])

    def _policy(self, inputs: Inputs) -> Existing | None:
        name = inputs["policyName"]
        return self._of_ram("policy", name, "GetPolicy", PolicyName=name, PolicyType="Custom")

    def _attachment(self, inputs: Inputs) -> Existing | None:
        role, policy = inputs["roleName"], inputs["policyName"]
        found = self._role(inputs)
        if found is None:
            return None
        attached = self._ram.call("ListPoliciesForRole", RoleName=role)["Policies"]["Policy"]
        if not any((item["PolicyName"], item["PolicyType"]) == (policy, "Custom") for item in attached):
            return None
        return Existing(f"role:{policy}:Custom:{role}", found.owned)

    def _of_ram(self, kind: str, name: str, operation: str, **parameters: str) -> Existing | None:
        try:
            self._ram.call(operation, **parameters)
        except TeaException as error:
            if error.code in ("EntityNotExist.Role", "EntityNotExist.Policy"):
                return None
            raise
        tagged = self._ram.call("ListTagResources", ResourceType=kind, ResourceNames=json.dumps([name]))
        tags = {tag["TagKey"]: tag["TagValue"] for tag in tagged["TagResources"]}
        return Existing(name, self._is_ours(tags))

    def _service(self, inputs: Inputs) -> Existing | None:
        from alibabacloud_eas20210701.models import DescribeServiceRequest

        name = json.loads(inputs["serviceConfig"])["metadata"]["name"]
        client = eas_client(self._target, self._credentials)
        try:
            body = client.describe_service(self._target.region, name, DescribeServiceRequest()).body
        except TeaException as error:
            if error.code == "InvalidService.NotFound":
                return None
            raise
        labels = {label.label_key: label.label_value for label in body.labels or []}
        return Existing(name, self._is_ours(labels))

    def _model(self, inputs: Inputs) -> Existing | None:
        from alibabacloud_aiworkspace20210204.models import ListModelsRequest

        client = aiworkspace_client(self._target, self._credentials)
        request = ListModelsRequest(workspace_id=inputs["workspaceId"], model_name=inputs["modelName"], page_size=100)
        found = client.list_models(request).body.models or []
        for model in found:
            if model.model_name == inputs["modelName"]:
                return Existing(model.model_id, self._is_ours(_labels(model)))
        return None

    def _model_version(self, inputs: Inputs) -> Existing | None:
        client = aiworkspace_client(self._target, self._credentials)
        model, name = inputs["modelId"], inputs["versionName"]
        try:
            version = client.get_model_version(model, name).body
        except TeaException as error:
            if error.code == "201900003":  # no such version
                return None
            raise
        return Existing(f"{model}:{name}", self._is_ours(_labels(version)))

    def _is_ours(self, tags: Mapping[str, str]) -> bool:
        return tags.get(OWNERSHIP_TAG) == self._owner


def _labels(labelled: Any) -> dict[str, str]:
    """Of a model or a version, as the SDK answers."""
    return {label.key: label.value for label in labelled.labels or []}
