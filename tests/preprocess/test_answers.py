"""What scores say: averages, detections and a pause after them, the same on every core."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from answer_case import (
    BLOCKS,
    CORES,
    INT8,
    LABELS,
    REAL,
    TABLE,
    anomaly_plan,
    answers_here,
    answers_on,
    classes_plan,
    compared,
    scores_of,
    windows_of,
)
from numpy.typing import NDArray
from project_case import small_model

from tinyml_tool.api.answers import answers_of, load_answer
from tinyml_tool.api.generate import generate
from tinyml_tool.boards import Core, load_boards
from tinyml_tool.errors import ConfigError, InputError
from tinyml_tool.firmware.answer_files import answer_files
from tinyml_tool.firmware.build_flags import C_WARNING_FLAGS, COMPILE_FLAGS, WARNING_FLAGS
from tinyml_tool.preprocess.answer_spec import parse_answer
from tinyml_tool.preprocess.plan import ValueFormat
from tinyml_tool.preprocess.spec_toml import answer_toml
from tinyml_tool.strict_toml import read_toml
from tinyml_tool.toolchain.answer_binding import AnswerStream
from tinyml_tool.toolchain.host import SANITIZERS, WARNINGS

EVERY_CORE = list({b.core.name: b.core for b in load_boards().values() if b.emulator}.values())


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
            and mean[best] >= spec.get("thresholds", {}).get(LABELS[best], spec["threshold"])
        ):
            detected, quiet = best, spec["refractory"]
        told.append((detected, best))
    return told


def stream(value_format: ValueFormat, **changes: Any) -> AnswerStream:
    return AnswerStream(classes_plan(value_format, **changes))


@pytest.mark.parametrize("value_format", [INT8, REAL], ids=["int8", "float32"])
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"average": 1, "refractory": 0, "ignore": []},
        {"average": 50},
        {"thresholds": {"yes": 0.55, "unknown": 0.5, "go": 0.9}, "refractory": 1},
    ],
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


def test_an_anomaly_score_is_the_mean_squared_error() -> None:
    for block in ("anomaly-int8", "anomaly-int16", "anomaly-float32"):
        plan = BLOCKS[block]
        assert plan.rebuilt is not None
        stream, errors = AnswerStream(plan), []
        for given, output in windows_of(plan, 300):
            real = [
                (values.astype(np.float64) - stored.zero_point) * stored.scale
                for values, stored in ((given, plan.rebuilt.format), (output, plan.format))
            ]
            errors.append(float(np.mean((real[0] - real[1]) ** 2)))
            answer = stream.take(output, given)
            wanted = np.mean(errors[-plan.spec.average :])
            # The score is rounded to float32; host and device are compared by their bits elsewhere.
            assert answer.score == pytest.approx(wanted, rel=1e-6), block
            assert answer.best == int(answer.score > np.float32(0.02))
        assert any(error > 0.02 for error in errors)
        assert any(error < 0.02 for error in errors)


@pytest.mark.parametrize(
    ("values", "given", "made"),
    [
        (1, ValueFormat("int8", 1e-6, 127), ValueFormat("int8", 1e-6, -128)),
        (640, ValueFormat("int8", 1000.0, -128), ValueFormat("int8", 0.001, 127)),
        (640, ValueFormat("uint8", 3e-5, 0), ValueFormat("int8", 2.5e4, 127)),
        (33_025, ValueFormat("uint8", 0.02, 255), ValueFormat("uint8", 0.02, 0)),
        (33_026, ValueFormat("int8", 0.02, -128), ValueFormat("int8", 0.02, 127)),
        (7, ValueFormat("int16", 1e-5, 0), ValueFormat("int16", 1e-3, 0)),
    ],
)
def test_an_anomaly_score_is_right_at_the_edges(
    values: int, given: ValueFormat, made: ValueFormat
) -> None:
    stream = AnswerStream(anomaly_plan(given, made, values))
    chance = np.random.default_rng(values)
    low, high = given.limits, made.limits
    windows = [(low[a], high[b]) for a in (0, 1) for b in (0, 1)]
    rows = [
        (np.full(values, one, given.dtype), np.full(values, other, made.dtype))
        for one, other in windows
    ]
    rows.append(
        (
            chance.integers(low[0], low[1] + 1, values).astype(given.dtype),
            chance.integers(high[0], high[1] + 1, values).astype(made.dtype),
        )
    )
    for one, other in rows:
        x = (one.astype(np.float64) - given.zero_point) * given.scale
        y = (other.astype(np.float64) - made.zero_point) * made.scale
        energy = float(np.mean(x**2 + y**2))
        answer = stream.alone(other, one)
        wanted = float(np.mean((x - y) ** 2))
        # Float32, and scales are fractions of 31 bits: the error follows the values themselves.
        assert answer.score == pytest.approx(wanted, rel=1e-6, abs=1e-8 * energy)


def test_an_anomaly_is_told_once_in_the_refractory_time() -> None:
    stream = AnswerStream(anomaly_plan(REAL, REAL, threshold=0.5, refractory=2, average=2))
    bad, good = np.full(5, 2, np.float32), np.zeros(5, np.float32)
    told = [stream.take(out, good) for out in (bad, bad, bad, bad, bad, good, good, good, bad, bad)]
    assert [a.detected for a in told] == [None, 1, None, None, 1, None, None, None, 1, None]
    assert [a.score for a in told[:2]] == [4, 4]
    assert stream.label(told[-1]) == "anomaly"
    assert stream.top() == [("anomaly", 4.0)]


def test_starting_anew_leaves_the_input_of_the_run(tmp_path: Path) -> None:
    """As the link does: it hears that a run stands alone only after it."""
    library = AnswerStream(anomaly_plan(REAL, REAL))._library
    given = np.array([1, 2, 3, 4, 5], np.float32)
    library.answer_host_keep_input(given.ctypes.data_as(ctypes.c_void_p))
    library.answer_start()
    told = (ctypes.c_int32 * 3)()
    library.answer_host_take(given.ctypes.data_as(ctypes.c_void_p), ctypes.byref(told))
    assert (told[1], told[2]) == (0, 0)


def test_an_anomaly_score_without_input_is_refused() -> None:
    with pytest.raises(InputError, match="needs the model's input"):
        AnswerStream(BLOCKS["anomaly-int8"]).take(np.zeros(5, np.int8))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_window_with_a_number_that_is_none_is_left_out(bad: float) -> None:
    scores = np.array([0.1, 0.2, 0.9, 0, 0], np.float32)
    stream = AnswerStream(classes_plan(REAL, average=2))
    stream.take(scores)
    broken = scores.copy()
    broken[1] = bad
    answer = stream.take(broken)
    assert (answer.best, answer.detected, stream.label(answer)) == (None, None, None)
    assert stream.take(scores).detected == 2
    anomalies = AnswerStream(anomaly_plan(REAL, REAL, average=2))
    anomalies.take(scores, scores)
    assert anomalies.take(scores, broken).best is None
    assert anomalies.take(scores, scores).score == 0


@pytest.mark.parametrize("board", CORES)
@pytest.mark.parametrize("block", ["classes-int8", "classes-float32", "anomaly-int8"])
def test_every_core_gives_the_hosts_bits(tmp_path: Path, board: str, block: str) -> None:
    windows = windows_of(BLOCKS[block], 400, seed=3)
    found = answers_on(board, BLOCKS[block], windows, tmp_path)
    assert compared(found, answers_here(BLOCKS[block], windows)).different == 0


LIMITS = {
    "anomaly-long": anomaly_plan(INT8, ValueFormat("int8", 1 / 200, 127), 3000, average=256),
    "classes-many": classes_plan(INT8, average=256, top=5, thresholds={"go": 0.4}),
}


@pytest.mark.parametrize("block", [*BLOCKS, *LIMITS])
def test_nothing_is_read_or_written_out_of_bounds(tmp_path: Path, block: str) -> None:
    plan = {**BLOCKS, **LIMITS}[block]
    for path, text in answer_files(plan).items():
        (tmp_path / Path(path).name).write_text(text)
    shutil.copy(Path(__file__).parent / "sanitized_answers.c", tmp_path)
    command = ["gcc", "-std=c11", "-O1", "-ffp-contract=off", *WARNINGS, "-Werror", *SANITIZERS]
    sources = ["model_answer.c", "sanitized_answers.c", "-o", "sanitized"]
    subprocess.run([*command, *sources], cwd=tmp_path, check=True)
    windows = windows_of(plan, 600, seed=6)
    data = b"".join(part.tobytes() for window in windows for part in window if part is not None)
    result = subprocess.run([tmp_path / "sanitized"], input=data, capture_output=True, check=False)
    assert result.returncode == 0, result.stderr.decode()
    assert result.stdout == answers_here(plan, windows).tobytes()


@pytest.mark.parametrize("core", EVERY_CORE, ids=lambda core: core.name)
@pytest.mark.parametrize("block", BLOCKS)
def test_it_compiles_for_a_core_without_warning_and_needs_no_library(
    tmp_path: Path, block: str, core: Core
) -> None:
    if shutil.which("arm-none-eabi-gcc") is None:
        pytest.skip("arm-none-eabi-gcc is not installed")
    for path, text in answer_files(BLOCKS[block]).items():
        (tmp_path / Path(path).name).write_text(text)
    flags = [*core.gcc_flags, *COMPILE_FLAGS, *WARNING_FLAGS, *C_WARNING_FLAGS]
    command = ["arm-none-eabi-gcc", "-std=c11", *flags, "-Werror", "-c", "model_answer.c"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    symbols = subprocess.run(
        ["arm-none-eabi-nm", "-u", "model_answer.o"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()[1::2]
    routines = [name for name in symbols if not name.startswith("__")]
    assert set(routines) <= {"memcpy", "memset"}


@pytest.mark.slow
@pytest.mark.parametrize("board", CORES)
@pytest.mark.parametrize("block", BLOCKS)
def test_no_value_of_very_many_differs_from_the_hosts(
    tmp_path: Path, board: str, block: str
) -> None:
    windows = windows_of(BLOCKS[block], 25_000, seed=9)
    found = answers_on(board, BLOCKS[block], windows, tmp_path)
    result = compared(found, answers_here(BLOCKS[block], windows))
    assert result.values >= 100_000
    assert result.different == 0


def test_cores_leave_out_the_same_windows_as_the_host(tmp_path: Path) -> None:
    plan = classes_plan(REAL)
    windows = windows_of(plan, 300, seed=4)
    for place, bad in zip(range(5, 300, 11), [np.nan, np.inf, -np.inf] * 10, strict=False):
        windows[place][1][place % 5] = bad
    found = answers_on("qemu-m4", plan, windows, tmp_path)
    assert (found["best"] == -1).sum() == len(range(5, 300, 11))
    assert compared(found, answers_here(plan, windows)).different == 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"labels": ["a"]}, "'labels'"),
        ({"labels": ["a", "a"]}, "two labels are the same"),
        ({"ignore": ["silense"]}, "which is no label, did you mean 'silence'?"),
        ({"averge": 3}, "unknown key 'averge', did you mean 'average'?"),
        ({"average": 0}, "'average' = 0"),
        ({"version": 7}, "version = 7 is not known here"),
        ({"version": True}, "version = True is not known here"),
        ({"kind": "anomoly"}, "unknown kind 'anomoly', did you mean 'anomaly'?"),
        ({"kind": 3}, "unknown kind 3"),
        ({"threshold": float("nan")}, "'threshold' = nan"),
        ({"threshold": "high"}, "'threshold' = 'high'"),
        ({"thresholds": {"yess": 0.5}}, "thresholds names 'yess', which is no label, did you mean"),
        ({"thresholds": {"yes": float("inf")}}, "'thresholds.yes' = inf"),
        ({"top": 0}, "'top' = 0"),
        ({"kind": "anomaly"}, "'labels'"),
    ],
)
def test_a_wrong_spec_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_answer({**TABLE, **changes}, "tinyml.toml: [answer]")
    assert message in caught.value.message


ANOMALY = {"kind": "anomaly", "threshold": 0.25}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"threshold": -1}, "'threshold' = -1"),
        ({"threshold": float("nan")}, "'threshold' = nan"),
        ({"labels": ["fine"]}, "'labels'"),
        ({"labels": ["fine", "fine"]}, "two labels are the same"),
        ({"top": 2}, "unknown key 'top'"),
    ],
)
def test_a_wrong_spec_of_anomalies_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_answer({**ANOMALY, **changes}, "tinyml.toml: [answer]")
    assert message in caught.value.message


def test_an_anomaly_needs_a_threshold() -> None:
    with pytest.raises(ConfigError, match="'threshold' is missing"):
        parse_answer({"kind": "anomaly"}, "x")


@pytest.mark.parametrize(
    "table",
    [
        TABLE,
        ANOMALY,
        {**TABLE, "thresholds": {"yes": 0.5, "no": 0.25}},
        {**TABLE, "labels": ["a b", 'c"', "d=", "#", "e"], "ignore": []},
    ],
)
def test_a_spec_survives_toml(tmp_path: Path, table: dict[str, Any]) -> None:
    if "a b" in table.get("labels", ()):
        table = {**table, "thresholds": {"a b": 0.5, 'c"': 0.75}}
    spec = parse_answer(table, "x")
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


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"threshold": 254.5}, "holds scores from -256 to 254: .* reached by no score"),
        ({"thresholds": {"b": 300}}, "the threshold 300 of 'b' is reached by no score"),
        ({"threshold": -257}, "is reached by every score"),
    ],
)
def test_thresholds_outside_the_scores_are_refused(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    (tmp_path / "m.tflite").write_bytes(small_model())
    with pytest.raises(InputError, match=message):
        answers_of(tmp_path / "m.tflite", {"labels": ["a", "b", "c", "d"], **changes})


def test_an_anomaly_score_of_what_is_no_autoencoder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "m.tflite").write_bytes(small_model())
    with pytest.raises(InputError, match=r"input 'x' is .*, output 'y' 1 x 4") as caught:
        answers_of(tmp_path / "m.tflite", ANOMALY)
    assert "autoencoder" in str(caught.value.hint)


def test_scores_of_another_type_are_refused() -> None:
    with pytest.raises(InputError, match="expected 5 of int8"):
        stream(INT8).take(np.zeros(5, np.float32))
