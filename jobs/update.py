"""up, preview, refresh and destroy: Pulumi's own commands, on a stack that was made ready for them."""

from collections.abc import Sequence

from jobs.recovery import recover
from jobs.stacks import OpenStack


def run(command: str, stack: OpenStack, arguments: Sequence[str]) -> int:
    """Runs `pulumi COMMAND` with `arguments` in this terminal; its exit status.

    What a run that was cut off left behind is put right first, except before a preview, which changes nothing.
    Changes on the emulator need no confirmation: they cost nothing, and nothing of worth is there.
    """
    if command == "preview":
        return stack.pulumi.run(command, *arguments)
    recover(stack.pulumi, stack.target, stack.credentials())
    agreed = ["--yes"] if stack.target.emulator and not {"--yes", "-y"} & set(arguments) else []
    return stack.pulumi.run(command, *agreed, *arguments)
