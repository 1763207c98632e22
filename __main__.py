"""The Pulumi program."""

import asyncio

import pulumi

from stacks.config import StackConfig
from stacks.deploy import deploy


async def main() -> None:
    """Declares the stack, and lets its registrations begin.

    Once they are under way Pulumi waits for each of them; before, it would wait for all outputs together, and walk
    through every one of them again whenever another becomes known.
    """
    deploy(StackConfig.load())
    await asyncio.sleep(0)


pulumi.run(main)
