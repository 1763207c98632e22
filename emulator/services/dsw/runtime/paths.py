"""Where the directories of an instance's container are on this machine."""

import re
from collections.abc import Mapping
from pathlib import Path

WORKSPACE = "/mnt/workspace"
HOME = "/root"

_BEFORE = r"""(?<![^\s=:"'`,;|&()<>])"""
_AFTER = r"""(?=$|[\s/:"'`,;|&()<>])"""


def relocated(text: str, places: Mapping[str, Path]) -> str:
    """`text` (a script, or a variable's value) with the container's paths replaced by those on this machine, where
    they stand as a whole path or as the beginning of one.

    A program that has such a path written into its own code cannot be moved this way; it must take it from its
    arguments or its environment.
    """
    longest_first = sorted(places, key=len, reverse=True)
    declared = "|".join(re.escape(path) for path in longest_first)
    return re.sub(f"{_BEFORE}({declared}){_AFTER}", lambda match: str(places[match[1]]), text)
