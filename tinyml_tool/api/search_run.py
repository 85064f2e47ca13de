"""The steps of a search: candidates are priced, some refused, the others trained and judged."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from tinyml_tool.api.cost import measure_cost, source_of
from tinyml_tool.api.evaluate import evaluate
from tinyml_tool.api.generate import Progress, compile_for
from tinyml_tool.api.int8_model import int8_of
from tinyml_tool.api.search_result import Judged, Limits, read_judged
from tinyml_tool.api.training_facts import weights_of_classes
from tinyml_tool.api.training_run import result_files
from tinyml_tool.boards import Board
from tinyml_tool.compiler.footprint import footprint_estimate
from tinyml_tool.errors import DoesNotFitError, InputError, UnsupportedModelError
from tinyml_tool.train.engine_process import EngineResult, run_engine
from tinyml_tool.train.job import Job, write_job
from tinyml_tool.train.journal import Journal
from tinyml_tool.train.pareto import Point
from tinyml_tool.train.prepare import Prepared
from tinyml_tool.train.proposals import propose
from tinyml_tool.train.result_folder import CALIBRATION_FILE, FLOAT_FILE, INT8_FILE, VALIDATION_FILE
from tinyml_tool.train.search_space import Candidate, SearchSpace, read_candidate
from tinyml_tool.train.settings import TrainSettings

FACTS_FILE = "facts.json"
OnCandidate = Callable[[Candidate, dict[str, Any]], None]


@dataclass(frozen=True, eq=False)
class SearchRun:
    """What all steps of a search share."""

    work: Path
    board: Board
    limits: Limits
    settings: TrainSettings
    prepared: Prepared
    journal: Journal
    progress: Progress

    def write_samples(self) -> None:
        """Write the samples, as quantization and evaluation take them."""
        for name, content in result_files(self.prepared, {}).items():
            if name.endswith(".npz"):
                (self.work / name).write_bytes(content)

    def job(self, mode: str, chosen: Sequence[Candidate]) -> Job:
        """The engine's job for some candidates."""
        return Job(
            work=self.work,
            model={},
            task="classification",
            classes=len(self.prepared.data.classes),
            settings=self.settings,
            class_weights=weights_of_classes(self.prepared, self.settings),
            mode=mode,
            options={"candidates": [{"id": one.id, **one.to_json()} for one in chosen]},
        )

    def generations(self, space: SearchSpace, count: int, size: int, seed: int) -> list[Judged]:
        """Judge `count` candidates, those of the journal included; fewer where there are no more.

        What a generation consists of depends on seed and earlier generations alone, so a search
        that goes on tries the same networks as one that never stopped.
        """
        number = 0
        while True:
            judged = [read_judged(line) for line in self.journal.entries]
            before = [one for one in judged if one.generation < number]
            room = min(size, count - len(before))
            known = [(one.candidate, self._point(one)) for one in before]
            rng = np.random.default_rng((seed, number))
            chosen = propose(space, known, room, rng) if room > 0 else []
            if not chosen:
                return before
            done = {one.candidate.id for one in judged}
            self._judge([one for one in chosen if one.id not in done], number, count)
            number += 1

    def _point(self, one: Judged) -> Point | None:
        """What makes a candidate a parent; None where it is none."""
        if one.accuracy is None or not self.limits.reached(one.accuracy):
            return None
        return one.point

    def _judge(self, chosen: Sequence[Candidate], number: int, count: int) -> None:
        """One line of the journal for each candidate."""
        built: list[Judged] = []

        def is_built(one: Candidate, facts: dict[str, Any]) -> None:
            built.append(Judged(one, number, facts.get("parameters") or 0, facts["error"]))

        if not chosen:
            return
        self.progress(f"generation {number + 1}: building {len(chosen)} candidates")
        self._engine("build", chosen, is_built)
        priced: dict[str, Judged] = {}
        self._refuse_twins(built)
        for plain in built:
            self.progress(f"generation {number + 1}: measuring {plain.candidate}")
            entry = self._priced(plain)
            if entry.refused is None:
                priced[entry.candidate.id] = entry
            else:
                self.journal.add(entry.to_json())

        def is_trained(one: Candidate, facts: dict[str, Any]) -> None:
            folder = self.work / one.id
            (folder / FACTS_FILE).write_text(json.dumps(facts))
            (folder / INT8_FILE).write_bytes(self._int8(one))
            accuracy = accuracy_of(folder / INT8_FILE, self.work / VALIDATION_FILE)
            self.journal.add(replace(priced[one.id], accuracy=accuracy).to_json())

        trained = [one for one in chosen if one.id in priced]
        if trained:
            self._engine("train_many", trained, is_trained, count)

    def _refuse_twins(self, built: list[Judged]) -> None:
        """Refuse what is the very network that another candidate is, in other words."""
        seen = {line["network"]: line["id"] for line in self.journal.entries if line["network"]}
        names = {line["id"]: read_candidate(line["candidate"]) for line in self.journal.entries}
        for place, one in enumerate(built):
            if one.refused is not None:
                continue
            data = (self.work / one.candidate.id / FLOAT_FILE).read_bytes()
            network = hashlib.sha256(data).hexdigest()[:10]
            twin = seen.setdefault(network, one.candidate.id)
            names[one.candidate.id] = one.candidate
            refused = f"the same network as {names[twin]}" if twin != one.candidate.id else None
            built[place] = replace(one, network=network, refused=refused)

    def _priced(self, entry: Judged) -> Judged:
        """The candidate with its cost, or with the reason why it is refused.

        The compiler's own footprint refuses first: what it is certain of needs no build.
        """
        if entry.refused is not None:
            return entry
        try:
            data = self._int8(entry.candidate)
            plan = compile_for(source_of(data, entry.candidate.id), self.board)
            sure = footprint_estimate(plan)
            excess = self.limits.exceeded(sure.certain_flash_bytes, sure.arena_bytes, None)
            if excess is not None:
                return replace(entry, refused=f"{excess}, by its weights or tensors alone")
            cost = measure_cost(data, self.board, name=entry.candidate.id)
        except (DoesNotFitError, InputError, UnsupportedModelError) as error:
            return replace(entry, refused=error.message)
        return replace(
            entry,
            cost=cost,
            refused=self.limits.exceeded(cost.flash_bytes, cost.ram_bytes, cost.instructions),
        )

    def _int8(self, one: Candidate) -> bytes:
        return int8_of(self.work / one.id / FLOAT_FILE, self.work / CALIBRATION_FILE, one.id)

    def _engine(
        self, mode: str, chosen: Sequence[Candidate], done: OnCandidate, count: int = 0
    ) -> EngineResult:
        """Run the engine on candidates; `done` gets each one's facts as soon as it is ready."""
        waiting = {one.id: one for one in chosen}
        versions: dict[str, str] = {}

        def on_event(event: Mapping[str, Any]) -> None:
            if event["event"] == "started":
                versions.update(event["versions"])
            elif event["event"] == "candidate":
                done(waiting.pop(event["id"]), {**event, "versions": versions})
            elif event["event"] == "epoch" and waiting:
                self._tell(next(iter(waiting.values())), event, count)

        job = write_job(
            self.job(mode, chosen), self.prepared.x, self.prepared.y, self.prepared.parts
        )
        return run_engine(job, on_event)

    def _tell(self, one: Candidate, event: Mapping[str, Any], count: int) -> None:
        judged = len(self.journal.entries)
        share = 100 * (judged + event["epoch"] / event["epochs"]) / count
        self.progress(
            f"candidate {judged + 1} of {count}, {share:.0f} %, {one}: "
            f"epoch {event['epoch']} of {event['epochs']}"
        )


def accuracy_of(model: Path, samples: Path) -> float:
    """Share of right answers of a `.tflite` in the reference."""
    found = evaluate(model, data=samples).host.confusion
    assert found is not None, "a search is for classifiers"
    return found.accuracy
