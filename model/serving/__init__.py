"""The code of a serving container; it needs nothing of the project around it."""
