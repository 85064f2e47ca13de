"""Features in a generated project: told in its files, checked against the model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from feature_case import feature_project, model_for, spec_of
from project_case import small_files

from tinyml_tool.api.feature_source import chosen_features
from tinyml_tool.api.generate import generate
from tinyml_tool.api.project import open_project
from tinyml_tool.errors import ConfigError, DoesNotFitError, InputError
from tinyml_tool.firmware.manifest import read_manifest
from tinyml_tool.preprocess.model_features import model_with_features
from tinyml_tool.preprocess.spec import features_hash, parse_features


def model_file(folder: Path, name: str, *, inside: bool = False) -> Path:
    spec = spec_of(name)
    model = model_for(spec)
    path = folder / "m.tflite"
    path.write_bytes(model_with_features(model, spec, "m") if inside else model)
    return path


def test_a_project_without_features_has_none() -> None:
    files = small_files()
    assert not [path for path in files if path.startswith("lib/features")]
    assert json.loads(files["manifest.json"])["features"] is None
    assert b"#define TINYML_FEATURES 0" in files["lib/link/tinyml_link_config.h"]
    assert b"[features]" not in files["tinyml.toml"]


def test_a_project_tells_its_features_everywhere(tmp_path: Path) -> None:
    spec = spec_of("kws")
    folder = feature_project(tmp_path / "p", spec, "qemu-m4")
    facts = read_manifest(folder).features
    assert facts is not None
    assert facts["sha256"] == features_hash(spec)
    assert facts["ram_bytes"] == 3720
    header = (folder / "lib/features/model_features.h").read_text()
    assert f'#define FEATURES_HASH "{features_hash(spec)}"' in header
    assert "#define FEATURES_RAM_BYTES 3720" in header
    assert "3,720 bytes of RAM" in (folder / "README.md").read_text()
    assert open_project(folder).features == spec


def test_a_model_brings_its_features_along(tmp_path: Path) -> None:
    made = generate(model_file(tmp_path, "kws", inside=True), output=tmp_path / "p")
    assert made.features is not None
    assert made.features.spec == spec_of("kws")
    assert made.to_json()["features"]["ram_bytes"] == 3720


def test_the_same_features_twice_are_fine(tmp_path: Path) -> None:
    model = model_file(tmp_path, "kws", inside=True)
    generate(model, output=tmp_path / "p", features={"preset": "kws"})


def test_other_features_than_the_models_are_refused() -> None:
    model = model_with_features(model_for(spec_of("kws")), spec_of("kws"), "m")
    with pytest.raises(ConfigError, match="was trained on other features") as caught:
        chosen_features(model, "m", {"preset": "kws", "low_hz": 40.0})
    assert caught.value.details == ("low_hz: 20.0 in the model, 40.0 in [features]",)


def test_features_that_do_not_fit_the_input_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"make 49 x 12 values, but the model's input .* 49 x 10"):
        generate(
            model_file(tmp_path, "kws"),
            output=tmp_path / "p",
            features={"preset": "kws", "coefficients": 12},
        )
    assert not (tmp_path / "p").exists()


def test_features_that_do_not_fit_the_ram_are_refused(tmp_path: Path) -> None:
    spec = parse_features(
        {"kind": "series", "rate": 100, "channels": 1, "window": 5000, "stride": 5000}
        | {"summary": ["mean", "std"]},
        "x",
    )
    (tmp_path / "m.tflite").write_bytes(model_for(spec))
    with pytest.raises(DoesNotFitError, match=r"buffers \(20,"):
        generate(tmp_path / "m.tflite", board="qemu-m0", output=tmp_path / "p", features=spec)


def test_features_edited_in_the_project_are_read_strictly(tmp_path: Path) -> None:
    folder = feature_project(tmp_path / "p", spec_of("kws"), "qemu-m4")
    settings = folder / "tinyml.toml"
    settings.write_text(settings.read_text().replace("bands = 40", "bandz = 40"))
    with pytest.raises(ConfigError, match="unknown key 'bandz', did you mean 'bands'"):
        open_project(folder)
