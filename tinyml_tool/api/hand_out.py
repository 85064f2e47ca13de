"""Makes folders like those of a training of the best networks that a search found."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tinyml_tool.api.cost import measure_cost
from tinyml_tool.api.search_result import Found, Judged, front_of
from tinyml_tool.api.search_run import FACTS_FILE, SearchRun, accuracy_of
from tinyml_tool.api.training_features import keep_features
from tinyml_tool.api.training_figures import figures_of
from tinyml_tool.api.training_run import result_files, scores_of
from tinyml_tool.preprocess.spec import FeatureSpec
from tinyml_tool.train.dataset import TEST, VALIDATION
from tinyml_tool.train.result_folder import FLOAT_FILE, INT8_FILE, KERAS_FILE, TEST_FILE


def measured_front(run: SearchRun, judged: Sequence[Judged]) -> list[Judged]:
    """The front, by costs measured again with the trained weights; the most accurate first.

    Networks whose trained weights exceed a limit that the untrained ones did not are left out.
    """
    again: dict[str, Judged] = {}
    left = list(judged)
    while True:
        best = front_of(left, run.limits)
        waiting = [one for one in best if one.candidate.id not in again]
        if not waiting:
            return best
        for one in waiting:
            run.progress(f"measuring {one.candidate} with its trained weights")
            cost = measure_cost(run.work / one.candidate.id / INT8_FILE, run.board)
            excess = run.limits.exceeded(cost.flash_bytes, cost.ram_bytes, cost.instructions)
            again[one.candidate.id] = replace(one, cost=cost, refused=excess)
        left = [again.get(one.candidate.id, one) for one in left]
        left = [one for one in left if one.refused is None]


def hand_out(
    run: SearchRun,
    best: Sequence[Judged],
    keep: int,
    target: Path,
    record: Mapping[str, Any],
    features: FeatureSpec | None = None,
) -> tuple[list[Found], dict[str, Path], dict[str, bytes]]:
    """(the front tested, files to copy, files to write).

    Only the first `keep` become folders; `record` is what their records have in common, and
    `features` what their models carry.
    """
    found: list[Found] = []
    moved: dict[str, Path] = {}
    made: dict[str, bytes] = {}
    for place, judged in enumerate(best):
        one = judged.candidate
        run.progress(f"testing {one}, {place + 1} of {len(best)} of the front")
        source = run.work / one.id
        keep_features([source / FLOAT_FILE, source / INT8_FILE], features)
        name = f"{place + 1}-{one.architecture.name}" if place < keep else None
        found.append(
            Found(
                judged,
                target / name if name else None,
                accuracy_of(source / INT8_FILE, run.work / TEST_FILE),
            )
        )
        if name is None:
            continue
        moved |= {f"{name}/{file}": source / file for file in (KERAS_FILE, FLOAT_FILE, INT8_FILE)}
        content = {**record, **_facts(run, judged)}
        made |= {
            f"{name}/{file}": data for file, data in result_files(run.prepared, content).items()
        }
    return found, moved, made


def _facts(run: SearchRun, judged: Judged) -> dict[str, Any]:
    """What of the record is this network's own."""
    one = judged.candidate
    folder = run.work / one.id
    facts = json.loads((folder / FACTS_FILE).read_text())
    return {
        "architecture": one.architecture.to_json(),
        "averaged": one.resolution,
        "parameters": judged.parameters,
        "best_epoch": facts["best_epoch"],
        "history": facts["history"],
        "more": {"resolution": one.resolution, "generation": judged.generation},
        "seconds": round(facts["seconds"], 1),
        "versions": facts["versions"],
        **{
            name: figures_of(scores_of(folder, name), run.prepared, part).to_json()
            for name, part in (("validation", VALIDATION), ("test", TEST))
        },
    }
