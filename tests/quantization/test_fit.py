from __future__ import annotations

from pathlib import Path

import pytest
from float_models import data_file, float_file

import tinyml_tool as tt
from tinyml_tool.api.float_source import FloatSource
from tinyml_tool.api.generate import Progress
from tinyml_tool.boards import Board, load_board
from tinyml_tool.errors import DoesNotFitError


def small_board(flash: int, ram: int) -> Board:
    """An emulated Cortex-M4 with that much memory."""
    board = load_board("netduinoplus2")
    memory = board.memory.model_copy(
        update={
            "flash": board.memory.flash.model_copy(update={"size": flash}),
            "ram": board.memory.ram.model_copy(update={"size": ram}),
        }
    )
    return board.model_copy(update={"memory": memory})


def test_all_rungs_are_tried_and_the_smallest_good_one_is_written(tmp_path: Path) -> None:
    table = tt.quantize_to_fit(
        float_file(tmp_path),
        board="netduinoplus2",
        data=data_file(tmp_path),
        output=tmp_path / "out.tflite",
        measure=False,
    )
    assert [rung.rung.name for rung in table.rungs] == [
        *("float", "int16x8", "int16x8", "int8, float input", "int8"),
        *("int8, --optimize size", "int8", "int4 weights"),
    ]
    assert all(rung.fits for rung in table.rungs)
    assert table.rungs[0].accuracy == 1.0
    good = [rung for rung in table.rungs if (rung.accuracy or 0) >= 0.99]
    assert table.chosen is min(good, key=lambda rung: rung.flash_bytes + rung.ram_bytes)
    assert (tmp_path / "out.tflite").read_bytes() == table.chosen.model


def test_where_only_engine_aot_fits_it_is_chosen(tmp_path: Path) -> None:
    table = tt.quantize_to_fit(
        float_file(tmp_path),
        board=small_board(64 * 1024, 32 * 1024),
        data=data_file(tmp_path),
        measure=False,
    )
    fitting = {(rung.rung.name, rung.rung.engine) for rung in table.rungs if rung.fits}
    assert fitting == {
        ("int16x8", "aot"),
        ("int8", "aot"),
        ("int8, --optimize size", "aot"),
        ("int8, float input", "aot"),
    }


def test_where_nothing_fits_all_numbers_are_told_and_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(DoesNotFitError, match="on any rung") as caught:
        tt.quantize_to_fit(
            float_file(tmp_path),
            board=small_board(8 * 1024, 4 * 1024),
            data=data_file(tmp_path),
            output=tmp_path / "out.tflite",
        )
    assert len(caught.value.details) == 8
    assert all("flash" in detail and "RAM" in detail for detail in caught.value.details)
    assert not (tmp_path / "out.tflite").exists()


def test_a_narrower_network_is_trained_only_where_nothing_else_fits(tmp_path: Path) -> None:
    widths: list[float] = []

    def narrower(width: float, progress: Progress) -> FloatSource:
        del progress
        widths.append(width)
        return FloatSource(float_file(tmp_path), "narrow", data_file(tmp_path), None)

    tt.quantize_to_fit(
        float_file(tmp_path),
        board="netduinoplus2",
        data=data_file(tmp_path),
        narrower=narrower,
        measure=False,
    )
    assert widths == []
    with pytest.raises(DoesNotFitError) as caught:
        tt.quantize_to_fit(
            float_file(tmp_path),
            board=small_board(8 * 1024, 4 * 1024),
            data=data_file(tmp_path),
            narrower=narrower,
            measure=False,
        )
    assert widths == [0.75, 0.5, 0.25]
    assert any("width 0.25" in detail for detail in caught.value.details)


def test_the_chosen_rung_is_built_for_a_board_file_too(tmp_path: Path) -> None:
    table = tt.quantize_to_fit(
        float_file(tmp_path),
        board=small_board(64 * 1024, 32 * 1024).model_copy(update={"id": "my-board"}),
        data=data_file(tmp_path),
    )
    assert table.chosen is not None
    assert table.chosen.measured_flash_bytes is not None
    assert 1000 < table.chosen.measured_flash_bytes < 20_000
