"""`paistack env`: what a shell needs so that `pulumi` by hand reaches a stack's target."""

import os
import shlex
from collections.abc import Mapping

from cloud.target import Target
from engine.environment import ROOT, pulumi_settings
from jobs.environment import loopback_proxies


def shell_exports(target: Target, environ: Mapping[str, str] = os.environ) -> str:
    """Lines for `eval` in a POSIX shell.

    For the cloud they hold no credentials, which are in the environment already under names that everybody reads; they
    take away what leads to an emulator.
    """
    settings = pulumi_settings(ROOT, environ) | {
        "PATH": f"{ROOT / '.venv' / 'bin'}{os.pathsep}{environ.get('PATH', '')}"
    }
    unwanted = [] if target.emulator else loopback_proxies(environ)
    return "".join(
        [
            *(f"unset {name}\n" for name in unwanted),
            *(f"export {name}={shlex.quote(value)}\n" for name, value in (settings | target.environment()).items()),
        ]
    )
