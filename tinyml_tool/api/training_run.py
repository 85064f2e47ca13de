"""What every training does, whatever its mode: run the engine, leave the files."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.api.generate import Progress
from tinyml_tool.api.training_progress import TrainingProgress
from tinyml_tool.errors import InputError, TrainingError
from tinyml_tool.train.dataset import TEST, TRAIN, VALIDATION
from tinyml_tool.train.engine_process import EngineResult, run_engine
from tinyml_tool.train.job import JOB_FILE, Job
from tinyml_tool.train.prepare import Prepared
from tinyml_tool.train.result_folder import (
    CALIBRATION_FILE,
    LABELS_FILE,
    RECORD_FILE,
    TEST_FILE,
    TRAIN_FILE,
    VALIDATION_FILE,
    close_work,
    is_resumable,
)

CALIBRATION_SAMPLES = 300


def check_same(job: Job) -> None:
    """Raise InputError where the interrupted training was another one."""
    before = json.loads((job.work / JOB_FILE).read_text())
    now = json.loads(json.dumps(job.to_json()))
    if before == now:
        return
    different = sorted(
        f"{part}.{key}" if isinstance(now[part], dict) else part
        for part in now
        for key in (now[part] if isinstance(now[part], dict) else [part])
        if (now[part].get(key) if isinstance(now[part], dict) else now[part])
        != (before[part].get(key) if isinstance(before.get(part), dict) else before.get(part))
    )
    raise InputError(
        f"the interrupted training was another one: {', '.join(different)} differ",
        hint="use the same data and settings, or begin anew with --force",
    )


def run_job(work: Path, target: Path, progress: Progress) -> EngineResult:
    """Run the engine on the job in `work`; what was interrupted stays there to go on with.

    Raises what `run_engine` raises.
    """
    tell: Callable[[dict[str, Any]], None] = TrainingProgress(progress)
    try:
        with resumable(target, lambda: is_resumable(work)):
            return run_engine(work / JOB_FILE, tell)
    except KeyboardInterrupt:
        if not is_resumable(work):
            close_work(work)
        raise
    except TrainingError:
        raise  # its log stays, and the last epoch
    except BaseException:
        close_work(work)
        raise


@contextmanager
def resumable(target: Path, can_go_on: Callable[[], bool] = lambda: True) -> Iterator[None]:
    """Let Ctrl-C tell how to go on, where that is possible."""
    try:
        yield
    except KeyboardInterrupt:
        if can_go_on():
            raise KeyboardInterrupt(f"{target}: go on with --resume") from None
        raise


def scores_of(work: Path, name: str) -> NDArray[np.float32]:
    """The trained model's answers to the part `name`."""
    with np.load(work / "scores.npz") as file:
        scores: NDArray[np.float32] = file[f"scores_{name}"]
    return scores


def result_files(prepared: Prepared, record: Mapping[str, Any]) -> dict[str, bytes]:
    """What is made here: the record, class names, and the samples that later steps need."""
    x, y = prepared.part(TRAIN)
    chosen = np.sort(np.random.default_rng(0).permutation(len(x))[:CALIBRATION_SAMPLES])
    classes = np.array(prepared.data.classes)
    parts = {
        CALIBRATION_FILE: (x[chosen], y[chosen]),
        TRAIN_FILE: (x, y),
        VALIDATION_FILE: prepared.part(VALIDATION),
        TEST_FILE: prepared.part(TEST),
    }
    files = {name: _npz(x=x, y=y, classes=classes, prepared=True) for name, (x, y) in parts.items()}
    files[RECORD_FILE] = (json.dumps(record, indent=2, allow_nan=False) + "\n").encode()
    files[LABELS_FILE] = ("\n".join(prepared.data.classes) + "\n").encode()
    return files


def _npz(**arrays: Any) -> bytes:  # noqa: ANN401 - arrays
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()
