"""What the engine can do, one mode a file: `run(job, messages)` gives the facts for `done`.

A mode is made of `load_arrays`, `build_model`, `fit` and `export`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tinyml_tool.train.engine.job import Job
from tinyml_tool.train.engine.messages import Messages
from tinyml_tool.train.engine.modes import cluster, distill, prune, qat, scale, search, train

Mode = Callable[[Job, Messages], dict[str, Any]]

MODES: dict[str, Mode] = {
    "build": search.build,
    "cluster": cluster.run,
    "distill": distill.run,
    "prune": prune.run,
    "qat": qat.run,
    "scale": scale.run,
    "train": train.run,
    "train_many": search.train_many,
}
