"""TensorBoard logs of a run: `tensorboard --logdir FOLDER` shows them."""

from pathlib import Path

from torch.utils.tensorboard import SummaryWriter

from model.learning import Step


class Board:
    """Scalars by the number of the step: loss, learning rate, and the loss on validation where there is one.

    What an earlier run wrote from the first step on is no longer shown.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writer: SummaryWriter | None = None

    def __call__(self, step: Step) -> None:
        if self._writer is None:
            self._writer = SummaryWriter(str(self._folder), purge_step=step.number)
        scalars = {"loss/train": step.loss, "learning_rate": step.learning_rate}
        if step.validation_loss is not None:
            scalars["loss/validation"] = step.validation_loss
        for name, value in scalars.items():
            self._writer.add_scalar(name, value, step.number)

    def close(self) -> None:
        """Write what is still in memory."""
        if self._writer is not None:
            self._writer.close()
