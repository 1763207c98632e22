"""Instances as processes on this machine: their start command, their notebook, their mounts."""
