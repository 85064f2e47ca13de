"""What scores say: averages, detections and a pause after them, the same on every core."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from project_case import small_model

from tinyml_tool.api.answers import answers_of, load_answer
from tinyml_tool.api.generate import generate
from tinyml_tool.boards import load_boards
from tinyml_tool.devices.qemu import QemuDevice
from tinyml_tool.errors import ConfigError, InputError
from tinyml_tool.firmware.answer_files import answer_files
from tinyml_tool.preprocess.answer_plan import AnswerPlan
from tinyml_tool.preprocess.answer_spec import parse_answer
from tinyml_tool.preprocess.plan import ValueFormat
from tinyml_tool.preprocess.spec_toml import answer_toml
from tinyml_tool.strict_toml import read_toml
from tinyml_tool.toolchain.answer_binding import AnswerStream

sys.path.append(str(Path(__file__).resolve().parents[1] / "devices"))
from selftest_firmware import build, need_tools, read_to_end

LABELS = ["silence", "unknown", "yes", "no", "go"]
TABLE = {"labels": LABELS, "average": 4, "threshold": 0.3, "refractory": 6, "ignore": ["silence"]}
INT8 = ValueFormat("int8", 1 / 256, -128)
REAL = ValueFormat()
CORES = ("qemu-m0", "qemu-m3", "qemu-m4", "qemu-m7", "qemu-m33", "qemu-m55")


def scores_of(count: int, value_format: ValueFormat, seed: int = 0) -> NDArray[Any]:
    """Windows of scores that often agree with the one before; (count, classes)."""
    chance = np.random.default_rng(seed)
    favourite = np.repeat(chance.integers(0, 5, -(-count // 7)), 7)[:count]
    real = chance.uniform(0, 0.45, (count, 5)) + 0.5 * np.eye(5)[favourite]
    if value_format.type == "float32":
        return real.astype(np.float32)
    return np.clip(np.rint(real * 256 - 128), -128, 127).astype(np.int8)


def expected(scores: NDArray[Any], spec: dict[str, Any], real: Any) -> list[tuple[Any, int]]:
    """(detected, best) of each window, written from the documentation; exact in double."""
    newest: list[NDArray[np.float64]] = []
    told, quiet = [], 0
    for window in scores:
        newest = [*newest, real(window)][-spec["average"] :]
        mean = np.mean(newest, axis=0)
        best = int(mean.argmax())
        detected = None
        if quiet:
            quiet -= 1
        elif (
            len(newest) == spec["average"]
            and LABELS[best] not in spec["ignore"]
            and mean[best] >= spec["threshold"]
        ):
            detected, quiet = best, spec["refractory"]
        told.append((detected, best))
    return told


def stream(value_format: ValueFormat, **changes: Any) -> AnswerStream:
    return AnswerStream(AnswerPlan(parse_answer({**TABLE, **changes}, "x"), value_format))


@pytest.mark.parametrize("value_format", [INT8, REAL], ids=["int8", "float32"])
@pytest.mark.parametrize(
    "changes", [{}, {"average": 1, "refractory": 0, "ignore": []}, {"average": 50}]
)
def test_detections_are_those_of_the_documentation(
    value_format: ValueFormat, changes: dict[str, Any]
) -> None:
    scores = scores_of(500, value_format)
    answers = stream(value_format, **changes)
    found = [answers.take(window) for window in scores]

    def real(window: NDArray[Any]) -> NDArray[np.float64]:
        stored = window.astype(np.float64)
        return stored if value_format is REAL else (stored + 128) / 256

    wanted = expected(scores, {**TABLE, **changes}, real)
    assert [(a.detected, a.best) for a in found] == wanted
    if changes.get("average") != 50:
        assert len({a.detected for a in found}) > 3


def test_the_best_classes_come_with_their_labels() -> None:
    answers = stream(INT8, average=1)
    answers.take(np.array([-128, 100, 0, 100, -20], np.int8))
    top = answers.top(3)
    assert [label for label, _ in top] == ["unknown", "no", "yes"]
    assert top[0][1] == (100 + 128) / 256
    with pytest.raises(InputError, match="6 of 5 classes"):
        answers.top(6)


def test_two_streams_do_not_disturb_each_other() -> None:
    one, other = stream(INT8), stream(INT8)
    scores = scores_of(60, INT8)
    apart = [stream(INT8).take(w) for w in scores[:1]]
    together = []
    for window in scores:
        together.append(one.take(window))
        other.take(window[::-1].copy())
    one.restart()
    assert [one.take(w) for w in scores] == together
    assert apart[0] == together[0]


@pytest.mark.parametrize("board", CORES)
@pytest.mark.parametrize("value_format", [INT8, REAL], ids=["int8", "float32"])
def test_every_core_gives_the_hosts_bits(
    tmp_path: Path, board: str, value_format: ValueFormat
) -> None:
    need_tools()
    chosen = load_boards()[board]
    plan = AnswerPlan(parse_answer(TABLE, "x"), value_format)
    folder = tmp_path / "build"
    folder.mkdir()
    for path, text in answer_files(plan).items():
        (folder / Path(path).name).write_text(text)
    program = str(Path(__file__).parent / "answers.c")
    elf = build(chosen, folder, program=program)
    scores = scores_of(400, value_format, seed=3)
    (tmp_path / "scores").write_bytes(scores.tobytes())
    with QemuDevice(chosen, elf, directory=tmp_path, time_limit=60) as device:
        _, ending = read_to_end(device)
    assert ending.exit_status == 0
    record = np.dtype([("detected", "<i4"), ("best", "<i4"), ("score", "<f4"), ("top", "<i4", 5)])
    found = np.frombuffer((tmp_path / "answers").read_bytes(), record)
    host = AnswerStream(plan)
    assert len(found) == len(scores)
    for window, told in zip(scores, found, strict=True):
        answer = host.take(window)
        assert (answer.detected if answer.detected is not None else -1) == told["detected"]
        assert answer.best == told["best"]
        assert np.float32(answer.score).tobytes() == told["score"].tobytes()
        assert [label for label, _ in host.top(5)] == [LABELS[c] for c in told["top"]]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"labels": ["a"]}, "'labels'"),
        ({"labels": ["a", "a"]}, "two labels are the same"),
        ({"ignore": ["silense"]}, "which is no label, did you mean 'silence'?"),
        ({"averge": 3}, "unknown key 'averge', did you mean 'average'?"),
        ({"average": 0}, "'average' = 0"),
        ({"version": 7}, "version = 7 is not known here"),
    ],
)
def test_a_wrong_spec_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_answer({**TABLE, **changes}, "tinyml.toml: [answer]")
    assert message in caught.value.message


def test_a_spec_survives_toml(tmp_path: Path) -> None:
    spec = parse_answer(TABLE, "x")
    (tmp_path / "tinyml.toml").write_text(answer_toml(spec))
    assert load_answer(tmp_path / "tinyml.toml") == spec
    assert read_toml(answer_toml(spec), "x")["answer"]["version"] == 1


def test_a_project_holds_what_its_scores_say(tmp_path: Path) -> None:
    (tmp_path / "m.tflite").write_bytes(small_model())
    table = {"labels": ["a", 'b "c"', "d*/", "e"], "threshold": 0.7}
    made = generate(tmp_path / "m.tflite", output=tmp_path / "p", answer=table)
    assert "lib/answer/model_answer.c" in made.files
    code = (tmp_path / "p/lib/answer/model_answer.c").read_text()
    assert '"b \\"c\\"",' in code
    assert load_answer(tmp_path / "p/tinyml.toml") == parse_answer(table, "x")
    assert "answer_take(model_output(0)->data)" in (tmp_path / "p/README.md").read_text()
    from tinyml_tool.api.build import build as build_project

    build_project(tmp_path / "p", system="cmake")


def test_labels_that_are_not_as_many_as_scores_are_refused(tmp_path: Path) -> None:
    (tmp_path / "m.tflite").write_bytes(small_model())
    with pytest.raises(InputError, match=r"has 5 labels, but the model's output 'y' has 4 scores"):
        answers_of(tmp_path / "m.tflite", TABLE)
    with pytest.raises(InputError, match="5 labels"):
        generate(tmp_path / "m.tflite", output=tmp_path / "p", answer=TABLE)


def test_scores_of_another_type_are_refused() -> None:
    with pytest.raises(InputError, match="expected 5 of int8"):
        stream(INT8).take(np.zeros(5, np.float32))
