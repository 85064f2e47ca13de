"""What happens beside the fitting: telling progress, checkpoints, stopping early."""

from __future__ import annotations

import time
from typing import Any

import keras
import numpy as np

from tinyml_tool.train.engine import checkpoint
from tinyml_tool.train.engine.batches import Batches
from tinyml_tool.train.engine.job import Job
from tinyml_tool.train.engine.messages import EngineError, Messages
from tinyml_tool.train.engine.schedule import learning_rate

_SECONDS_BETWEEN = 0.25


class Pace(keras.callbacks.Callback):
    """Sets batches and learning rate of each epoch."""

    def __init__(self, job: Job, batches: Batches) -> None:
        super().__init__()
        self._fit = job.fit
        self._batches = batches

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ANN401
        """Called by Keras."""
        del logs
        self._batches.epoch = epoch
        rate = learning_rate(self._fit.schedule, self._fit.learning_rate, epoch, self._fit.epochs)
        self.model.optimizer.learning_rate.assign(rate)


class Reporter(keras.callbacks.Callback):
    """Tells steps, at most four a second, and epochs."""

    def __init__(self, job: Job, messages: Messages) -> None:
        super().__init__()
        self._epochs = job.fit.epochs
        self._messages = messages
        self._epoch = 0
        self._told = 0.0
        self._started = time.monotonic()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ANN401
        """Called by Keras."""
        del logs
        self._epoch = epoch
        self._started = time.monotonic()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:  # noqa: ANN401
        """Called by Keras."""
        now = time.monotonic()
        if now - self._told < _SECONDS_BETWEEN:
            return
        self._told = now
        self._messages.send(
            "step",
            epoch=self._epoch + 1,
            epochs=self._epochs,
            step=batch + 1,
            steps=self.params["steps"],
            metrics=_floats(logs),
        )

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:  # noqa: ANN401
        """Called by Keras."""
        self._messages.send(
            "epoch",
            epoch=epoch + 1,
            epochs=self._epochs,
            seconds=time.monotonic() - self._started,
            metrics=_floats(logs),
        )


class Keeper(keras.callbacks.Callback):
    """Keeps the best weights, writes the checkpoint, and stops where nothing gets better."""

    def __init__(self, job: Job, progress: checkpoint.Progress) -> None:
        super().__init__()
        self._job = job
        self._progress = progress

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:  # noqa: ANN401
        """Called by Keras.  Raises EngineError where the loss is no number any more."""
        metrics = _floats(logs)
        if not np.isfinite([metrics["loss"], metrics["val_loss"]]).all():
            raise EngineError(
                "input",
                f"in epoch {epoch + 1} the loss is {metrics['loss']:g} in training and "
                f"{metrics['val_loss']:g} in validation: the training diverged",
                "take a lower --learning-rate, or scale the data",
            )
        progress = self._progress
        progress.epoch = epoch + 1
        progress.history.append(
            {**metrics, "learning_rate": float(np.array(self.model.optimizer.learning_rate))}
        )
        if metrics["val_loss"] < progress.best_loss:
            progress.best_loss, progress.best_epoch = metrics["val_loss"], epoch + 1
            progress.best_weights = checkpoint.state(self.model.variables)
        checkpoint.save(self._job.work, self.model, progress)
        if stops(progress, self._job.fit.patience):
            self.model.stop_training = True


def stops(progress: checkpoint.Progress, patience: int) -> bool:
    """Whether `patience` epochs have passed since the best one."""
    return patience > 0 and progress.epoch - progress.best_epoch >= patience


def _floats(logs: Any) -> dict[str, float]:  # noqa: ANN401
    return {name: float(value) for name, value in (logs or {}).items() if name != "learning_rate"}
