"""The alicloud provider of a stack, pointed at the stack's target."""

import pulumi_alicloud as alicloud

from cloud.target import Target


def alicloud_provider(target: Target) -> alicloud.Provider:
    """Credentials and, for the emulator, the proxy come from the environment: `cloud.target` checks both.

    Region and account are given, so that configuring the provider asks no service; it would ask STS for the account,
    BSS for its type, and ECS for the regions.
    """
    return alicloud.Provider(
        "alicloud",
        region=target.region,
        account_id=target.account_id,
        account_type="Domestic",
        skip_region_validation=True,
        protocol="HTTP" if target.emulator else "HTTPS",
    )
