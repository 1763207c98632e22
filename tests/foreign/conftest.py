"""The vendor's own clients, which know nothing of the emulator."""

from tests.emulator.conftest import emulator

__all__ = ["emulator"]
