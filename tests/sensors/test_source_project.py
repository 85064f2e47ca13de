"""A source in a generated project: only what it needs, and nothing where there is none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command import tinyml
from shared import shared_model
from source_case import AUDIO, MOTION, PICTURE, features_of, plan_of, relu_model, source_project

import tinyml_tool as tt
from tinyml_tool.errors import DoesNotFitError
from tinyml_tool.firmware.source_files import source_files

EVERY = {"tinyml_sense.c", "tinyml_sense.h", "tinyml_source.h", "tinyml_source_config.h"}


def names(files: dict[str, bytes]) -> set[str]:
    return {path.removeprefix("lib/sensors/") for path in files if path.startswith("lib/sensors/")}


def test_a_project_without_a_source_has_nothing_of_it() -> None:
    files = source_project(None, features_of(AUDIO), "nano33ble")
    assert not names(files)
    assert b"#define TINYML_SOURCE 0" in files["lib/link/tinyml_link_config.h"]
    assert b"[source]" not in files["tinyml.toml"]
    assert b"lib/sensors" not in files["README.md"]


@pytest.mark.parametrize(
    ("kind", "features", "board", "own"),
    [
        ("replay", AUDIO, "qemu-m4", {"source_replay.c"}),
        ("pdm", AUDIO, "nano33ble", {"source_replay.c", "source_pdm.cpp"}),
        ("i2s", AUDIO, "esp32s3", {"source_replay.c", "source_i2s.cpp"}),
        ("camera", PICTURE, "esp32", {"source_replay.c", "source_camera_esp32.cpp"}),
        (
            "lsm6dsl",
            MOTION,
            "b_l475e_iot01a",
            {
                *("source_replay.c", "source_lsm6dsl.c", "i2c_wire.cpp"),
                *("tinyml_i2c.h", "motion_sample.h"),
            },
        ),
    ],
)
def test_a_project_has_the_driver_of_its_source_alone(
    kind: str, features: dict[str, object], board: str, own: set[str]
) -> None:
    files = source_project({"kind": kind}, features_of(features), board)
    assert names(files) == EVERY | own
    assert b"#define TINYML_SOURCE 1" in files["lib/link/tinyml_link_config.h"]
    assert f'kind = "{kind}"'.encode() in files["tinyml.toml"]
    assert b"`lib/sensors/` reads it" in files["README.md"]


def test_the_library_of_a_camera_is_fetched_for_the_real_board_only() -> None:
    files = source_project({"kind": "camera"}, features_of(PICTURE), "nano33ble")
    ini = files["platformio.ini"].decode()
    emulated, real = ini.split("[env:nano33ble]")
    assert "lib_deps = arduino-libraries/Arduino_OV767X @ 0.0.2" in real
    assert "lib_deps" not in emulated


def test_the_same_arguments_give_the_same_bytes() -> None:
    plan = plan_of({"kind": "pdm"}, features_of(AUDIO), "nano33ble")
    assert source_files(plan) == source_files(plan)


def test_the_ram_of_a_source_counts(tmp_path: Path) -> None:
    features = features_of({"kind": "audio", "sample_rate": 41667, "frames": 4, "bands": 8})
    model = tmp_path / "m.tflite"
    model.write_bytes(relu_model(features))
    source = {"kind": "pdm", "buffer_ms": 1000}
    made = tt.generate(
        model, board="nano33ble", output=tmp_path / "p", features=features, source=source
    )
    assert made.source is not None
    assert made.source.ram_bytes > 131_072
    assert made.to_json()["source"]["ram_bytes"] == made.source.ram_bytes
    too_long = {**source, "buffer_ms": 2000}
    with pytest.raises(DoesNotFitError, match=r"buffers \(27\d,"):
        tt.generate(
            model, board="nano33ble", output=tmp_path / "q", features=features, source=too_long
        )


def test_the_option_chooses_a_source_and_the_file_sets_it(tmp_path: Path) -> None:
    model = shared_model("kws_ref_model.tflite")
    (tmp_path / "tinyml.toml").write_text(
        f'[project]\nmodel = "{model}"\nboard = "nano33ble"\n[features]\npreset = "kws"\n'
        '[source]\nkind = "pdm"\ngain = 40\n'
    )
    for arguments in ((), ("--source", "pdm")):
        tinyml("generate", "-o", "p", "--force", *arguments, cwd=tmp_path)
        config = (tmp_path / "p/lib/sensors/tinyml_source_config.h").read_text()
        assert "#define SOURCE_GAIN 40" in config
    result = tinyml(
        "generate", "-o", "q", "-b", "qemu-m4", "--source", "replay", "--json", cwd=tmp_path
    )
    made = json.loads(result.stdout)["result"]["source"]
    assert made["kind"] == "replay"


def test_a_source_that_does_not_fit_ends_with_the_exit_code_of_usage(tmp_path: Path) -> None:
    model = shared_model("kws_ref_model.tflite")
    (tmp_path / "tinyml.toml").write_text(
        f'[project]\nmodel = "{model}"\n[features]\npreset = "kws"\n'
    )
    result = tinyml("generate", "-b", "esp32", "--source", "pdm", cwd=tmp_path)
    assert result.code == 2
    assert "has no source 'pdm'; it has i2s, camera" in result.stderr


def test_a_board_tells_its_sources() -> None:
    told = tinyml("boards", "show", "nano33ble").stdout
    assert "sources.pdm.rates" in told
    assert "sources.lsm9ds1.wire" in told
    facts = json.loads(tinyml("boards", "show", "b_l475e_iot01a", "--json").stdout)["result"]
    assert facts["sources"]["lsm6dsl"]["address"] == 0x6A
