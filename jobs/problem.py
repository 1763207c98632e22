"""The one exception by which a command ends with a message instead of a traceback."""


class JobError(Exception):
    """What went wrong and what to do about it, for the person at the terminal."""
