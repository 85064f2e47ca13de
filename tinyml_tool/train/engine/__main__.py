"""Runs one job and ends with status 0; a failure is told as the event `error`, with status 1."""

from __future__ import annotations

import os
import platform
import sys
import threading
from pathlib import Path

from tinyml_tool.train.engine.messages import EngineError, Messages


def main() -> None:
    """`python -m tinyml_tool.train.engine JOB.json`."""
    messages = Messages()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        _run(Path(sys.argv[1]), messages)
    except EngineError as failure:
        messages.send("error", kind=failure.kind, message=failure.message, hint=failure.hint)
        sys.exit(1)
    except MemoryError as error:
        messages.send("error", kind="memory", message=str(error), hint=None)
        sys.exit(1)


def _run(path: Path, messages: Messages) -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    # Without a GPU everywhere: the same numbers, and these models are too small to need one.
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    try:
        import keras
        import numpy as np
        import tensorflow as tf
    except ImportError as error:
        raise EngineError(
            "missing", f"TensorFlow does not load in {sys.executable}: {error}"
        ) from None
    from tinyml_tool.train.engine.job import read_job
    from tinyml_tool.train.engine.modes import MODES

    job = read_job(path)
    versions = {
        "python": platform.python_version(),
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "numpy": np.__version__,
    }
    messages.send("started", versions=versions)
    keras.utils.set_random_seed(job.fit.seed)
    tf.config.experimental.enable_op_determinism()
    try:
        facts = MODES[job.mode](job, messages)
    except tf.errors.ResourceExhaustedError as error:
        raise EngineError("memory", str(error).splitlines()[0]) from None
    messages.send("done", **facts)


def _end_with_parent() -> None:
    """Standard input is a pipe that nobody writes to; its end is the end of the parent."""
    os.read(0, 1)
    os._exit(1)


if __name__ == "__main__":
    main()
