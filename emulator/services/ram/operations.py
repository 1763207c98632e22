"""All emulated operations of RAM: importing this module registers them at `ram`."""

from emulator.services.ram import attachments, policies, policy_versions, roles, tags

MODULES = (attachments, policies, policy_versions, roles, tags)

__all__ = ["MODULES"]
