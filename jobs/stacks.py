"""Opening a stack for a command: its settings, its environment, and its emulator where it has one."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from cloud.target import Credentials, Target
from engine.environment import ROOT
from jobs.console import say
from jobs.emulator import EmulatorProcess
from jobs.environment import command_environment, offline_environment, target_environment
from jobs.pulumi_stack import PulumiStack
from stacks.config import StackConfig, settings_file


@dataclass(frozen=True)
class OpenStack:
    """A stack that commands can run on."""

    config: StackConfig
    pulumi: PulumiStack

    @property
    def target(self) -> Target:
        return self.config.target

    def credentials(self) -> Credentials:
        """The caller's own, or the emulator's."""
        return Credentials.from_environment(self.target, self.pulumi.environment)


def open_stack(name: str, *, offline: bool = False, environ: Mapping[str, str] = os.environ) -> OpenStack:
    """The stack by that name, with its emulator started where it has one.

    Raises ConfigError for wrong settings, TargetError without credentials, JobError without an engine.
    """
    config = StackConfig.of_stack(name)
    settings = offline_environment(config.target) if offline else target_environment(config.target, environ)
    if config.target.emulator and not offline:
        process = EmulatorProcess(config.target.emulator)
        if process.start():
            say(f"Emulator started at {process.url}, log in {process.log.relative_to(ROOT)}")
        elif elsewhere := process.elsewhere():
            say(f"The emulator at {process.url} is not this checkout's: it keeps its data in {elsewhere}")
    environment = command_environment(settings, environ)
    stack = PulumiStack.open(name, settings_file(name), environment, copies=ROOT / ".paistack" / "stacks")
    return OpenStack(config, stack)
