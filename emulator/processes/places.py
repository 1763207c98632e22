"""Moving a container's paths to this machine, where there are no containers."""

import re
from collections.abc import Mapping
from pathlib import Path

# What a path or a port may stand between, where a command or a variable names it.
BEFORE = r"""(?<![^\s=:"'`,;|&()<>])"""
_AFTER = r"""(?=$|[\s/:"'`,;|&()<>])"""


def relocated(text: str, places: Mapping[str, Path]) -> str:
    """`text` (a script, a word of a command, a variable's value) with the container's paths replaced by those on this
    machine, where they stand as a whole path or as the beginning of one (`/mnt/model`, `--model=/mnt/model/a.pt`).

    A program that has such a path written into its own code cannot be moved this way; it must take it from its
    arguments or its environment.
    """
    if not places:
        return text
    longest_first = sorted(places, key=len, reverse=True)
    declared = "|".join(re.escape(path) for path in longest_first)
    return re.sub(f"{BEFORE}({declared}){_AFTER}", lambda match: str(places[match[1]]), text)
