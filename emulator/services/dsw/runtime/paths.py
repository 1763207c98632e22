"""The directories that every instance has."""

WORKSPACE = "/mnt/workspace"
HOME = "/root"
