"""The policies that Alibaba Cloud ships and that stacks of this field attach: names as in the console.

Their documents are reduced to the actions of the product that each is named after.
"""

import json


def _allowing(*actions: str) -> str:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    return json.dumps({"Version": "1", "Statement": [statement]})


SYSTEM_POLICIES = {
    "AdministratorAccess": _allowing("*"),
    "ReadOnlyAccess": _allowing("oss:Get*", "oss:List*", "eas:Describe*", "eas:List*", "cms:Describe*", "ram:Get*"),
    "AliyunOSSFullAccess": _allowing("oss:*"),
    "AliyunOSSReadOnlyAccess": _allowing("oss:Get*", "oss:List*"),
    "AliyunPAIFullAccess": _allowing("pai:*", "eas:*", "paidsw:*", "paidataset:*"),
    "AliyunPAIEASFullAccess": _allowing("eas:*"),
    "AliyunPAIEASReadOnlyAccess": _allowing("eas:Describe*", "eas:List*"),
    "AliyunCloudMonitorFullAccess": _allowing("cms:*"),
    "AliyunCloudMonitorReadOnlyAccess": _allowing("cms:Describe*", "cms:Query*"),
    "AliyunLogFullAccess": _allowing("log:*"),
    "AliyunLogReadOnlyAccess": _allowing("log:Get*", "log:List*"),
    "AliyunRAMFullAccess": _allowing("ram:*"),
    "AliyunSTSAssumeRoleAccess": _allowing("sts:AssumeRole"),
    "AliyunContainerRegistryReadOnlyAccess": _allowing("cr:Get*", "cr:List*", "cr:PullRepository"),
}
