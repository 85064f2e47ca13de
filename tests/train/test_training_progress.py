from __future__ import annotations

from tinyml_tool.api.training_progress import TrainingProgress


def told(*events: tuple[float, dict[str, object]]) -> list[str]:
    """What is said about events at given seconds."""
    texts: list[str] = []
    now = 0.0
    progress = TrainingProgress(texts.append, clock=lambda: now)
    for now, event in events:  # noqa: B007 - the clock reads it
        progress(event)
    return texts[1:]


def step(number: int, **metrics: float) -> dict[str, object]:
    return {
        "event": "step",
        "epoch": 1,
        "epochs": 4,
        "step": number,
        "steps": 10,
        "metrics": metrics,
    }


def epoch(number: int, **metrics: float | None) -> dict[str, object]:
    return {"event": "epoch", "epoch": number, "epochs": 4, "metrics": metrics}


def test_it_tells_epoch_share_and_figures() -> None:
    assert told((0, step(5, loss=1.23456, accuracy=0.5))) == [
        "epoch 1 of 4, 12 %, loss 1.235, accuracy 0.500"
    ]


def test_the_time_left_follows_from_the_time_spent() -> None:
    texts = told((0, epoch(1, loss=1.0)), (10, epoch(2, loss=0.5)))
    assert texts[-1] == "epoch 2 of 4, 50 %, loss 0.500, 20 s left"


def test_the_validation_of_the_last_epoch_stays_in_sight() -> None:
    texts = told((0, epoch(1, loss=1.0, val_accuracy=0.75)), (0.1, step(1, loss=0.9)))
    assert "validation accuracy 0.750" in texts[-1]


def test_a_loss_that_is_no_number_is_left_out() -> None:
    assert told((0, epoch(1, loss=None, val_loss=2.0))) == [
        "epoch 1 of 4, 25 %, validation loss 2.000"
    ]


def test_going_on_is_told() -> None:
    assert told((0, {"event": "resumed", "epoch": 3, "epochs": 4})) == [
        "going on after epoch 3 of 4"
    ]
