from __future__ import annotations

from pathlib import Path

import pytest
from float_models import data_file, float_file
from training_case import needs_tensorflow, series

import tinyml_tool as tt
from tinyml_tool.api.fit import LADDER
from tinyml_tool.api.float_source import FloatSource
from tinyml_tool.api.generate import Progress
from tinyml_tool.boards import Board, load_board
from tinyml_tool.errors import DoesNotFitError
from tinyml_tool.report.fit import fit_notes
from tinyml_tool.train.engine_process import PYTHON_VARIABLE


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
        *("int8, --optimize size", "int8", "int4 weights", "int4 weights"),
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
        ("int4 weights", "aot"),
    }


def test_where_nothing_fits_all_numbers_are_told_and_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(DoesNotFitError, match="on any rung") as caught:
        tt.quantize_to_fit(
            float_file(tmp_path),
            board=small_board(8 * 1024, 4 * 1024),
            data=data_file(tmp_path),
            output=tmp_path / "out.tflite",
        )
    assert len(caught.value.details) == 9
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


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training's folder of a network that is wider than its task needs."""
    place = tmp_path_factory.mktemp("trained") / "waves"
    settings = tt.TrainSettings(epochs=8, batch_size=8)
    tt.train(series(), arch="conv1d:width=2,depth=2", output=place, settings=settings)
    return place


def too_small(trained: Path) -> Board:
    """A board that has one byte of flash less than the smallest rung of `trained` takes."""
    table = tt.quantize_to_fit(trained, board=small_board(1 << 20, 1 << 18), measure=False)
    sizes = [rung.flash_bytes for rung in table.rungs if rung.flash_bytes is not None]
    return small_board(min(sizes) - 1, 1 << 18)


@needs_tensorflow
def test_a_network_of_a_training_is_trained_narrower_until_it_fits(
    trained: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out.tflite"
    board = too_small(trained)
    table = tt.quantize_to_fit(trained, board=board, output=output, measure=False)
    assert [rung.rung.width for rung in table.rungs] == [1.0] * len(LADDER) + [0.75] * 5
    chosen = table.chosen
    assert chosen is not None
    assert chosen.rung.width == 0.75
    assert chosen.flash_bytes is not None
    assert chosen.flash_bytes < board.memory.flash.size
    assert tt.evaluate(output, data=trained).host.confusion.accuracy == chosen.accuracy  # type: ignore[union-attr]
    assert any("trained anew at 75%" in note for note in fit_notes(table))
    with pytest.raises(DoesNotFitError) as error:
        tt.quantize_to_fit(trained, board=board, measure=False, train_narrower=False)
    assert len(error.value.details) == len(LADDER)
    assert "--method scale" in str(error.value.hint)


@needs_tensorflow
def test_without_tensorflow_the_table_says_why_no_narrower_one_was_trained(
    trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    board = too_small(trained)
    monkeypatch.setenv(PYTHON_VARIABLE, "/nowhere/python")
    with pytest.raises(DoesNotFitError) as error:
        tt.quantize_to_fit(trained, board=board, measure=False)
    assert len(error.value.details) == len(LADDER) + 1
    assert "width 0.75: cannot be trained: " in error.value.details[-1]


def test_a_file_alone_says_what_to_give_for_narrower_ones(tmp_path: Path) -> None:
    with pytest.raises(DoesNotFitError) as error:
        tt.quantize_to_fit(
            float_file(tmp_path),
            board=small_board(8 * 1024, 4 * 1024),
            data=data_file(tmp_path),
            measure=False,
        )
    assert "give the folder of `tinyml train`" in str(error.value.hint)
