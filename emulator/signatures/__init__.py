"""How callers prove who they are, in each of the ways that Alibaba Cloud accepts."""
