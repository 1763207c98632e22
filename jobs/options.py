"""Options and arguments that several commands have."""

from enum import StrEnum
from typing import Annotated

import typer

Stack = Annotated[str, typer.Option("--stack", "-s", help="local, dev, staging or production.")]
Service = Annotated[str, typer.Argument(help="Name of the service in the stack's settings.")]
Since = Annotated[str, typer.Option(help="15m, 2h, 1d ago, or a time in UTC.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


class LoadFrom(StrEnum):
    """Who loads a service: `here`, this machine; `eas`, agents of EAS in a stress test of its own."""

    HERE = "here"
    EAS = "eas"
