from __future__ import annotations

from pathlib import Path

import numpy as np
from command import tinyml
from float_models import data_file, float_file


def test_the_command_writes_a_model_and_tells_what_it_costs(tmp_path: Path) -> None:
    float_file(tmp_path)
    data_file(tmp_path)
    done = tinyml(
        "quantize", "float.tflite", "--data", "data.npz", "-o", "q.tflite", "-q", cwd=tmp_path
    )
    assert done.code == 0, done.stderr
    assert (tmp_path / "q.tflite").is_file()
    for word in ("accuracy", "SQNR dB", "layer 2 CONV_2D", "engine aot"):
        assert word in done.stdout


def test_the_same_as_json(tmp_path: Path) -> None:
    float_file(tmp_path)
    data_file(tmp_path)
    done = tinyml("quantize", "float.tflite", "--data", "data.npz", "--json", cwd=tmp_path)
    result = done.envelope["result"]
    assert result["output"] == "float-int8.tflite"
    assert result["backend"] == "ai-edge-quantizer"
    assert result["answers"]["accuracy_before"] == 1.0
    assert len(result["noise"]["layers"]) == 7
    assert result["engines"]["aot"] == {"runs": True, "problems": []}


def test_random_calibration_is_said_aloud(tmp_path: Path) -> None:
    float_file(tmp_path)
    done = tinyml("quantize", "float.tflite", "--random-calibration", "--json", cwd=tmp_path)
    assert done.envelope["result"]["data"]["random_calibration"] is True
    assert any("random numbers" in warning for warning in done.envelope["warnings"])


def test_without_data_the_way_out_is_told(tmp_path: Path) -> None:
    float_file(tmp_path)
    done = tinyml("quantize", "float.tflite", "--json", cwd=tmp_path)
    assert done.code == 2
    assert "--random-calibration" in done.error["hint"]


def test_the_ladder_is_shown_as_a_table(tmp_path: Path) -> None:
    float_file(tmp_path)
    data_file(tmp_path)
    done = tinyml(
        *("quantize", "float.tflite", "--data", "data.npz", "--fit", "netduinoplus2", "-q"),
        cwd=tmp_path,
    )
    assert done.code == 0, done.stderr
    assert (tmp_path / "float-netduinoplus2.tflite").is_file()
    for word in ("int16x8", "int4 weights", "tflm", "aot", "accuracy"):
        assert word in done.stdout


def test_a_board_too_small_for_every_rung_is_exit_code_4(tmp_path: Path) -> None:
    from float_models import float_classifier

    (tmp_path / "float.tflite").write_bytes(float_classifier())
    np.savez(tmp_path / "d.npz", x=np.random.default_rng(0).random((30, 8, 8, 1)))
    board = Path(__file__).parents[2] / "boards" / "qemu-m0.toml"
    tiny = (
        board.read_text()
        .replace("0x0004_0000", "0x0000_2000")
        .replace("size = 0x0000_4000", "size = 0x0000_0800")
    )
    (tmp_path / "tiny.toml").write_text(tiny.replace('id = "qemu-m0"', 'id = "tiny"'))
    done = tinyml(
        *("quantize", "float.tflite", "--data", "d.npz", "--fit", "tiny.toml", "--json"),
        cwd=tmp_path,
    )
    assert done.code == 4, done.stdout
    assert len(done.error["details"]) == 9


def test_dense_weights_that_cmsis_nn_refuses_are_told_with_the_way_out(tmp_path: Path) -> None:
    float_file(tmp_path)
    data_file(tmp_path)
    words = ("quantize", "float.tflite", "--data", "data.npz", "--scheme", "int16x8", "--json")
    plain = tinyml(*words, "-o", "a.tflite", cwd=tmp_path).envelope
    (warning,) = (text for text in plain["warnings"] if "CMSIS-NN" in text)
    assert "FULLY_CONNECTED" in warning
    assert "--dense-per-tensor" in warning
    assert plain["result"]["engines"]["aot"]["runs"]
    one = tinyml(*words, "--dense-per-tensor", "-o", "b.tflite", cwd=tmp_path).envelope
    assert not [text for text in one["warnings"] if "CMSIS-NN" in text]
    assert one["result"]["answers"]["accuracy_after"] > 0.95


def test_mixed_models_can_have_dense_weights_of_one_scale_too(tmp_path: Path) -> None:
    float_file(tmp_path)
    data_file(tmp_path)
    done = tinyml(
        *("quantize", "float.tflite", "--data", "data.npz", "--scheme", "mixed", "--int16", "5"),
        *("--dense-per-tensor", "--json"),
        cwd=tmp_path,
    )
    assert done.code == 0, done.stderr
    assert done.envelope["result"]["int16_layers"] == ["layer 5 FULLY_CONNECTED"]
    assert not [text for text in done.envelope["warnings"] if "CMSIS-NN" in text]


def test_tensorflow_does_not_take_one_scale(tmp_path: Path) -> None:
    (tmp_path / "m.keras").write_bytes(b"")
    done = tinyml(
        "quantize", "m.keras", "--dense-per-tensor", "--data", "x.npz", "--json", cwd=tmp_path
    )
    assert done.code == 2
    assert "--backend ai-edge" in done.error["hint"]
