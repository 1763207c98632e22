"""The Pulumi program."""

from stacks.config import StackConfig
from stacks.deploy import deploy

deploy(StackConfig.load())
