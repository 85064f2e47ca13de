"""From a trained model to a proven one on a board: the steps that all examples end with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from outcome import Outcome
from raw_samples import RawSamples, answers_to_raw
from stage import Stage

import tinyml_tool as tt
from tinyml_tool.api.train import Trained


def quantize_and_deploy(
    stage: Stage,
    trained: Trained,
    raw: RawSamples,
    answer: Callable[[Path], dict[str, Any]] | None = None,
) -> Outcome:
    """Quantize to int8, put that on the board with its features, and measure what it does there.

    `answer` makes the table `[answer]` of the quantized model, which then says what its outputs
    mean.
    """
    model = trained.folder / "model_int8.tflite"
    with stage.progress("quantizing") as progress:
        tt.quantize(trained.folder, output=model, force=True, progress=progress)
        if answer is not None:
            tt.store_answer(model, answer(model))
        before = tt.evaluate(trained.float_model, progress=progress)
    with stage.progress(f"deploying to {stage.board}") as progress:
        evidence = tt.deploy(
            model,
            board=stage.board,
            output=stage.project,
            force=True,
            progress=progress,
        )
    with stage.progress(f"evaluating on {stage.board}") as progress:
        after = tt.evaluate(model, on=stage.board, progress=progress)
    with stage.progress(f"feeding raw samples to {stage.board}"):
        from_raw = answers_to_raw(stage.project, model, raw)
    return Outcome(trained, model, before, after, evidence, from_raw)
