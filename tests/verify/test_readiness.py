"""Why a model does not start, and how much of its arena is used, as the device tells."""

from __future__ import annotations

from pathlib import Path

import pytest
from shared import shared_model
from test_device_runner import HELLO

from tinyml_tool.compiler.tflm_arena import arena_enough
from tinyml_tool.errors import DeviceFaultError, ExitCode
from tinyml_tool.graph import Graph, read_model
from tinyml_tool.protocol import ModelStateReply
from tinyml_tool.report.arena import arena_line
from tinyml_tool.verify.evidence import ArenaUse
from tinyml_tool.verify.readiness import arena_use, not_ready, silent_tflm


@pytest.fixture(scope="module")
def kws() -> Graph:
    return read_model(Path(shared_model("kws_ref_model.tflite")))


def state(used: int, arena: int = 25_552, status: int = 0, failure: bytes = b"") -> ModelStateReply:
    return ModelStateReply(status, arena, used, failure)


def test_engine_aot_has_nothing_to_give_back(kws: Graph) -> None:
    assert arena_use(kws, "aot", state(16_000, arena=16_000)) == ArenaUse(16_000, 16_000, 16_000)


def test_engine_tflm_gives_back_what_is_not_used(kws: Graph) -> None:
    use = arena_use(kws, "tflm", state(22_772))
    assert use.enough_bytes == arena_enough(kws, 22_772)
    assert use.spare_bytes == 25_552 - use.enough_bytes > 1_000


def test_enough_is_never_more_than_there_is(kws: Graph) -> None:
    assert arena_use(kws, "tflm", state(22_772, arena=22_784)).spare_bytes == 0


def test_what_to_type_is_told() -> None:
    line = arena_line(ArenaUse(25_552, 22_772, 22_848))
    assert line == ("22,772 of 25,552 bytes used; generated with --arena 22848 it gives 2,704 back")


def test_nothing_is_advised_where_nothing_is_left() -> None:
    assert arena_line(ArenaUse(22_848, 22_772, 22_848)) == "22,772 of 22,848 bytes used"
    assert arena_line(ArenaUse(16_000, 16_000, 16_000)) == "16,000 bytes"


def test_too_small_an_arena_is_told_with_the_numbers() -> None:
    words = b"Failed to resize buffer. Requested: 16000, available 13360, missing: 2640"
    error = not_ready(state(0, arena=16_000, status=3, failure=words), HELLO)
    assert "its arena of 16,000 bytes is too small by at least 2,640" in error.message
    assert words.decode() in error.message
    assert "--arena" in str(error.hint)
    assert error.exit_code is ExitCode.DEVICE


def test_another_reason_is_told_in_the_devices_words() -> None:
    error = not_ready(state(0, status=2, failure=b"an operator could not be registered"), HELLO)
    assert "model_init() returned 2: an operator could not be registered" in error.message
    assert "too small" not in error.message


def test_a_device_without_words_tells_the_number() -> None:
    assert not_ready(state(0, status=3), HELLO).message.endswith("model_init() returned 3")


def test_a_crash_of_engine_tflm_is_told_with_its_arena() -> None:
    before = DeviceFaultError("BusFault", hint="look at it", details=["pc 0"])
    error = silent_tflm(before, 512)
    assert isinstance(error, DeviceFaultError)
    assert (error.message, error.details) == ("BusFault", ("pc 0",))
    assert str(error.hint).startswith("look at it; ")
    assert "arena of 512 bytes" in str(error.hint)
