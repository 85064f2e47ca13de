from __future__ import annotations

import json
from dataclasses import replace

from tinyml_tool.report.evidence import evidence_table
from tinyml_tool.verify.evidence import ArenaUse, Evidence, MemoryUse
from tinyml_tool.verify.parity import Difference, Parity, Place

EVIDENCE = Evidence(
    board="nucleo_l4r5zi",
    ran_on="qemu-m4",
    engine="aot",
    optimize="balanced",
    parity=Parity(
        10,
        13,
        721_640,
        1,
        Difference(0, Place(3, 1, "ADD"), 4, (0, 4), 7, 8),
        values_rounded=3,
        worst_rounding=1e-6,
        float_tolerance=6e-5,
    ),
    memory=MemoryUse(flash_bytes=70_000, ram_bytes=30_000, arena_bytes=16_256, stack_bytes=512),
    arena=ArenaUse(16_256, 14_000, 14_256),
    instructions_per_inference=43_040_000,
    seconds={"generate": 0.12345, "build": 2.0},
)


def test_the_json_has_exactly_the_documented_keys() -> None:
    assert EVIDENCE.to_json() == {
        "board": "nucleo_l4r5zi",
        "ran_on": "qemu-m4",
        "engine": "aot",
        "optimize": "balanced",
        "parity": {
            "vectors": 10,
            "layers": 13,
            "values_compared": 721_640,
            "values_different": 1,
            "values_by_checksum": 0,
            "values_foretold": 0,
            "values_rounded": 3,
            "worst_rounding": 1e-06,
            "float_tolerance": 6e-05,
        },
        "arena": {
            "bytes": 16_256,
            "used_bytes": 14_000,
            "enough_bytes": 14_256,
            "spare_bytes": 2_000,
        },
        "answers": None,
        "passes": None,
        "instructions_per_inference": 43_040_000,
        "seconds_per_inference": None,
        "memory": {
            "flash_bytes": 70_000,
            "ram_bytes": 30_000,
            "arena_bytes": 16_256,
            "stack_bytes": 512,
            "model_stack_bytes": None,
            "features_bytes": None,
            "answer_bytes": None,
        },
        "seconds": {"generate": 0.123, "build": 2.0},
    }


def test_the_json_can_be_written_and_read() -> None:
    assert json.loads(json.dumps(EVIDENCE.to_json())) == EVIDENCE.to_json()


def test_unknown_memory_is_null() -> None:
    assert replace(EVIDENCE, memory=None).to_json()["memory"] is None


def rows(evidence: Evidence) -> dict[str, str]:
    names, values = evidence_table(evidence).columns
    return dict(zip(map(str, names.cells), map(str, values.cells), strict=True))


def test_the_time_of_a_board_is_told_and_none_of_an_emulator() -> None:
    board = replace(EVIDENCE, instructions_per_inference=None, seconds_per_inference=0.0125)
    assert rows(board)["time"] == "12.50 ms for one inference"
    assert board.to_json()["seconds_per_inference"] == 0.0125
    assert "time" not in rows(EVIDENCE)


def test_a_stack_that_the_device_cannot_measure_is_unknown() -> None:
    assert EVIDENCE.memory is not None
    unknown = replace(EVIDENCE, memory=replace(EVIDENCE.memory, stack_bytes=None))
    assert rows(unknown)["stack"] == "unknown"
    assert rows(EVIDENCE)["stack"] == "512 bytes used"
