"""The line that reports an inference: what the firmware's C writes is what the host reads."""

from __future__ import annotations

import math
import struct
import subprocess
import zlib
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from numpy.typing import NDArray

from tinyml_tool.api.monitor import MonitorEvent
from tinyml_tool.devices.inference_line import (
    ConsoleRun,
    DamagedInference,
    ReportedAnswer,
    ReportedInference,
    ReportedOutput,
    parse_inference_line,
)
from tinyml_tool.firmware.link_config import LINK_CONFIG_HEADER, link_config_header
from tinyml_tool.firmware.protocol_header import PROTOCOL_HEADER, protocol_header
from tinyml_tool.report.monitoring import event_line
from tinyml_tool.resources import data_folder

HERE = Path(__file__).parent
MODEL_HEADER = HERE.parent / "link" / "fake_device"
WARNINGS = ("-Wall", "-Wextra", "-Wconversion", "-Wsign-conversion", "-Wshadow", "-Werror")
TYPES = ("int8", "uint8", "int16", "int32", "float32", "int64", "bool")
"""By the numbers of model.h."""

SHOWN = 8


@pytest.fixture(scope="module")
def reporter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The firmware's report as a program of this computer, with sanitizers."""
    templates = data_folder("firmware_templates")
    folder = tmp_path_factory.mktemp("reporter")
    program = folder / "reporter"
    config = link_config_header(
        board="b", build_id="i", tool_version="1", payload_bytes=256, emulated=False
    )
    (folder / LINK_CONFIG_HEADER).write_text(config)
    (folder / PROTOCOL_HEADER).write_text(protocol_header())
    sources = [templates / "link" / name for name in ("tinyml_report.c", "tinyml_crc32.c")]
    command = ["gcc", "-std=c11", "-O1", *WARNINGS, "-fsanitize=address,undefined"]
    command += ["-fno-sanitize-recover=all", "-o", str(program)]
    command += [
        f"-I{place}" for place in (folder, MODEL_HEADER, templates / "link", templates / "port")
    ]
    command += [str(HERE / "report_program.c"), *map(str, sources)]
    subprocess.run(command, check=True, capture_output=True)
    return program


def report(program: Path, outputs: list[tuple[NDArray[Any], float, int]], ticks: int) -> list[str]:
    """The lines of two reports about the same outputs."""
    data = b""
    for values, scale, zero_point in outputs:
        content = values.tobytes()
        data += struct.pack(
            "=BfiI", TYPES.index(str(values.dtype)), scale, zero_point, len(content)
        )
        data += content
    done = subprocess.run(
        [program], input=data + struct.pack("=Q", ticks), capture_output=True, check=True
    )
    return done.stdout.decode("ascii").split("\r\n")


def parsed(line: str) -> ReportedInference:
    inference = parse_inference_line(line)
    assert isinstance(inference, ReportedInference), line
    return inference


ONE = (np.array([7], np.int8), 0.5, -128)


def test_a_report_says_which_time_and_what(reporter: Path) -> None:
    scores = np.array([-128, 127, 0], np.int8)
    first, second, end = report(reporter, [(scores, 1 / 256, -128), ONE], 50_000)
    assert end == ""
    inference = parsed(first)
    assert (inference.number, inference.ticks, inference.ticks_hz) == (1, 50_000, 25_000_000)
    assert inference.seconds == 0.002
    top = inference.outputs[0].top
    assert [(value.index, value.stored, value.real) for value in top] == [
        (1, 127, 255 / 256),
        (2, 0, 0.5),
        (0, -128, 0.0),
    ]
    assert inference.outputs[1].size == 1
    assert (parsed(second).number, parsed(second).ticks) == (2, 50_001)


def finite_or_not(dtype: str) -> st.SearchStrategy[NDArray[Any]]:
    return npst.arrays(dtype, st.integers(1, 20))


@settings(max_examples=60, deadline=None)
@given(
    values=st.sampled_from(TYPES).flatmap(finite_or_not),
    scale=st.floats(0, 1000, width=32),
    zero_point=st.integers(-128, 127),
    ticks=st.integers(0, 2**64 - 2),
)
def test_the_highest_values_arrive_exactly(
    reporter: Path, values: NDArray[Any], scale: float, zero_point: int, ticks: int
) -> None:
    inference = parsed(report(reporter, [(values, scale, zero_point), ONE], ticks)[0])
    assert inference.ticks == ticks
    (output, _) = inference.outputs
    assert output.size == values.size
    assert len(output.top) == min(SHOWN, values.size)
    for value in output.top:
        stored = values[value.index].item()
        assert value.stored == stored or (math.isnan(value.stored) and math.isnan(stored))
    if values.dtype != np.float32:
        order = sorted(range(values.size), key=lambda i: (-int(values[i]), i))[:SHOWN]
        assert [value.index for value in output.top] == order
        exact = scale * (int(values[order[0]]) - zero_point) if scale > 0 else int(values[order[0]])
        assert output.top[0].real == exact
    elif not np.isnan(values).any():
        best = sorted(values.tolist(), reverse=True)[:SHOWN]
        assert [value.real for value in output.top] == best


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_changed_line_is_never_taken_for_another_inference(
    reporter: Path, data: st.DataObject
) -> None:
    good = _GOOD.setdefault("line", report(reporter, [ONE, ONE], 123)[0])
    how = data.draw(st.sampled_from(("change", "lose", "double", "cut")))
    at = data.draw(st.integers(0, len(good) - 1))
    if how == "change":
        other = data.draw(st.characters(min_codepoint=32, max_codepoint=126))
        bad = good[:at] + other + good[at + 1 :]
    elif how == "lose":
        bad = good[:at] + good[at + 1 :]
    elif how == "double":
        bad = good[:at] + good[at] + good[at:]
    else:
        bad = good[:at]
    found = parse_inference_line(bad)
    assert not isinstance(found, ReportedInference) or found == parsed(good)


_GOOD: dict[str, str] = {}


def test_a_line_cut_off_in_the_middle_is_told_to_be_damaged(reporter: Path) -> None:
    good = report(reporter, [ONE, ONE], 123)[0]
    assert isinstance(parse_inference_line(good[:60]), DamagedInference)


def test_the_line_in_the_documentation_is_a_report() -> None:
    page = (HERE.parents[1] / "docs" / "monitor.md").read_text()
    lines = page[page.index("!inference ") :].split("```")[0].split()
    assert parsed(" ".join(lines)).outputs[0].size == 12


def test_what_a_person_was_typing_may_stand_before_it(reporter: Path) -> None:
    good = report(reporter, [ONE, ONE], 123)[0]
    assert parsed("ru" + good) == parsed(good)


@pytest.mark.parametrize("line", ["", "hello", "inference 3", "!fault kind=bus", "!inferences"])
def test_other_text_is_no_report(line: str) -> None:
    assert parse_inference_line(line) is None


RUN = """\
inputs: zeros
output 0[0] = 0.0625  stored -112
output 0[1] = 0.539063  stored 10
output 0[2] = 0  stored -128
... and 9 more
output 1[0] = -1.5
time: 50000 ticks at 25000000 Hz, 2000 us
"""


def fed(text: str) -> list[ReportedInference]:
    run = ConsoleRun()
    return [found for line in text.splitlines() if (found := run.feed(line))]


def test_the_answer_to_run_is_an_inference() -> None:
    (inference,) = fed(RUN)
    assert (inference.ticks, inference.ticks_hz, inference.emulated) == (50000, 25000000, False)
    assert not inference.checked
    first, second = inference.outputs
    assert [(v.index, v.stored, v.real) for v in first.top] == [
        (1, 10, 0.539063),
        (0, -112, 0.0625),
        (2, -128, 0.0),
    ]
    assert first.size == 12
    assert second == ReportedOutput(1, second.top)
    assert second.top[0].real == -1.5


def test_an_emulators_time_is_no_time() -> None:
    text = RUN.replace(", 2000 us", " (emulated: no measure of a real board)")
    assert fed(text)[0].seconds is None


@pytest.mark.parametrize("lost", ["output 0[1] = 0.539063  stored 10\n", "output 0[0] = "])
def test_an_answer_with_a_line_missing_is_no_inference(lost: str) -> None:
    assert [len(found.outputs) for found in fed(RUN.replace(lost, ""))] != [2]


def test_two_answers_are_two_inferences() -> None:
    assert len(fed(RUN + RUN)) == 2


def test_very_large_and_strange_numbers_are_read() -> None:
    text = (
        "output 0[0] = 3 * 2^70\noutput 0[1] = nan\noutput 0[2] = -inf\ntime: 1 ticks at 1 Hz, 1 us"
    )
    (inference,) = fed(text)
    assert [value.index for value in inference.outputs[0].top] == [0, 1, 2]
    assert inference.outputs[0].top[0].real == 3 * 2.0**70


def answered(words: str) -> str:
    covered = f"!inference n=3 ticks=9 hz=100 emulated=1 type0=int8 size0=1 scale0=00000000 {words}"
    return f"{covered} crc={zlib.crc32(covered.encode()):08x}"


WORDS = "zero0=0 top0=0:1 best=2 score=3f000000 detected=2 label=a%20%25b"


def test_a_report_tells_what_the_outputs_say() -> None:
    inference = parsed(answered(WORDS))
    assert inference.answer == ReportedAnswer(best=2, label="a %b", score=0.5, detected=True)
    event = MonitorEvent(datetime.now(), inference)
    told = event.to_json()["answer"]
    assert told == {"label": "a %b", "score": 0.5, "detected": True}
    assert "a %b 0.5  DETECTED" in event_line(event, ()).plain


def test_a_report_tells_that_outputs_are_no_numbers() -> None:
    inference = parsed(answered("zero0=0 top0=0:1 best=-1 score=00000000 detected=-1 label="))
    event = MonitorEvent(datetime.now(), inference)
    assert event.to_json()["answer"] == {"label": None, "score": 0.0, "detected": False}
    assert "no answer: an output is no number" in event_line(event, ()).plain


@pytest.mark.parametrize("lost", [" label=a%20%25b", " detected=2", " score=3f000000"])
def test_a_report_with_half_an_answer_is_damaged(lost: str) -> None:
    assert isinstance(parse_inference_line(answered(WORDS.replace(lost, ""))), DamagedInference)
