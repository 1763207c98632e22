"""RAM: roles, custom policies with their versions, and which policy is attached to which role."""

from emulator.services.ram import attachments, policies, policy_versions, roles, tags
from emulator.services.ram.service import ram

__all__ = ["attachments", "policies", "policy_versions", "ram", "roles", "tags"]
