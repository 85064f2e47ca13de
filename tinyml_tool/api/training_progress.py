"""The engine's events as messages such as `epoch 3 of 50, 5 %, loss 0.31, ..., 40 s left`."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from tinyml_tool.api.time_left import duration_text

_NAMES = {
    "loss": "loss",
    "accuracy": "accuracy",
    "val_loss": "validation loss",
    "val_accuracy": "validation accuracy",
}


class TrainingProgress:
    """Tells how far a training is and how long it will take, if it does not stop early."""

    def __init__(
        self, tell: Callable[[str], None], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._tell = tell
        self._clock = clock
        self._validation: dict[str, float] = {}
        self._began: tuple[float, float] | None = None
        tell("starting TensorFlow")

    def __call__(self, event: Mapping[str, Any]) -> None:
        """Take an event of the engine."""
        match event["event"]:
            case "resumed":
                self._tell(f"going on after epoch {event['epoch']} of {event['epochs']}")
            case "step":
                done = event["epoch"] - 1 + event["step"] / event["steps"]
                self._say(event, done)
            case "epoch":
                metrics = event["metrics"]
                self._validation = {k: v for k, v in metrics.items() if k.startswith("val_")}
                self._say(event, event["epoch"])
            case "exporting":
                self._tell("exporting the model")

    def _say(self, event: Mapping[str, Any], done: float) -> None:
        now, epochs = self._clock(), event["epochs"]
        if self._began is None:
            self._began = (now, done)
        metrics = {**event["metrics"], **self._validation}
        figures = [
            f"{text} {metrics[name]:.3f}"
            for name, text in _NAMES.items()
            if metrics.get(name) is not None
        ]
        words = [f"epoch {event['epoch']} of {epochs}", f"{int(100 * done / epochs)} %", *figures]
        spent, share = now - self._began[0], done - self._began[1]
        if spent > 1 and share > 0 and done < epochs:
            words.append(f"{duration_text(spent / share * (epochs - done))} left")
        self._tell(", ".join(words))
