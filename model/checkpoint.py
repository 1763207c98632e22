"""A run's state on disk, from which a run that was killed goes on as if nothing had happened."""

import os
import pickle
import time
from pathlib import Path
from typing import Any

import torch


class Checkpoint:
    """One file, there whole or not at all; the state of another job in it does not count.

    `job` is what the weights follow from. `every_s` is the time after which another state is due.
    """

    def __init__(self, path: Path, job: str, every_s: float) -> None:
        self._path, self._job, self._every_s = path, job, every_s
        self._saved_at = time.monotonic()
        self.problem = ""
        """Why the file could not be used, where it could not."""

    def is_due(self) -> bool:
        """Whether the last state is older than it should be."""
        return time.monotonic() - self._saved_at >= self._every_s

    def load(self) -> dict[str, Any] | None:
        """The job's last state; None when there is none, or it is another job's or damaged."""
        try:
            kept = torch.load(self._path, map_location="cpu", weights_only=True)
            return kept["state"] if kept["job"] == self._job else None
        except FileNotFoundError:
            return None
        except (OSError, RuntimeError, EOFError, KeyError, TypeError, ValueError, pickle.UnpicklingError) as error:
            self.problem = f"{self._path}: the checkpoint is damaged, the run begins anew ({error})"
            return None

    def save(self, state: dict[str, Any]) -> None:
        """Put the state in place of the last one. Raises OSError."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        partial = self._path.with_name(f"{self._path.name}.partial")
        with partial.open("wb") as file:
            torch.save({"job": self._job, "state": state}, file)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(self._path)
        self._saved_at = time.monotonic()

    def remove(self) -> None:
        """The run is over."""
        self._path.unlink(missing_ok=True)
        self._path.with_name(f"{self._path.name}.partial").unlink(missing_ok=True)
