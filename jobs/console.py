"""Where commands speak to a person: results on standard output, the rest on standard error."""

from rich.console import Console

results = Console(highlight=False)
notes = Console(stderr=True, highlight=False)


def say(text: str) -> None:
    """A line about what is going on."""
    notes.print("[bold cyan]•[/]", end=" ")
    notes.print(text, markup=False, soft_wrap=True)


def complain(text: str) -> None:
    """What went wrong, as it stands, without markup."""
    notes.print("error:", style="bold red", end=" ")
    notes.print(text, markup=False, soft_wrap=True)
