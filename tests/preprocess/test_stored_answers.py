"""The answer spec inside a model and a project: put there, told, never two different ones."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from answer_case import LABELS, TABLE
from command import tinyml
from model_builder import ModelBuilder
from project_case import small_files, small_model

import tinyml_tool as tt
from tinyml_tool.api.project import open_project
from tinyml_tool.errors import ConfigError, InputError, InvalidModelError, OutputError
from tinyml_tool.firmware.manifest import read_manifest
from tinyml_tool.graph.metadata import read_metadata, with_metadata
from tinyml_tool.preprocess.answer_spec import answer_hash, parse_answer
from tinyml_tool.preprocess.model_answer import METADATA_NAME, answer_of_model, model_with_answer
from tinyml_tool.preprocess.model_features import model_with_features
from tinyml_tool.preprocess.spec import parse_features
from tinyml_tool.preprocess.spec_toml import answer_toml

SPEC = parse_answer({**TABLE, "thresholds": {"yes": 0.5}}, "x")
FOUR = {"labels": ["a", "b", "c", "d"], "threshold": 7.0, "average": 3}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "m.tflite"
    path.write_bytes(small_model())
    return path


def autoencoder(values: int = 6) -> bytes:
    builder = ModelBuilder()
    x = builder.input("int8", (1, values), scale=0.5, zero_point=1, name="x")
    weights = builder.constant(np.eye(values, dtype=np.int8) * 3, scale=0.25)
    bias = builder.constant(np.zeros(values, np.int32), scale=0.125)
    y = builder.tensor("int8", (1, values), scale=0.5, zero_point=0, name="y")
    builder.operator("FULLY_CONNECTED", [x, weights, bias], y)
    return builder.build([y])


def test_a_model_tells_the_spec_that_was_stored() -> None:
    stored = model_with_answer(small_model(), SPEC, "m")
    assert answer_of_model(stored, "m") == SPEC
    assert model_with_answer(stored, SPEC, "m") is stored
    assert answer_of_model(small_model(), "m") is None


def test_both_specs_lie_side_by_side() -> None:
    features = parse_features({"kind": "series", "rate": 1, "window": 8, "stride": 8}, "x")
    both = model_with_features(model_with_answer(small_model(), SPEC, "m"), features, "m")
    assert answer_of_model(both, "m") == SPEC
    assert read_metadata(both, "TINYML_FEATURES", "m") is not None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff\xfe", "is not text in UTF-8"),
        (b"labels", "is not JSON"),
        (b"[1]", "is not a JSON object"),
        (b'{"version": 9}', "version = 9 is not known here"),
        (b'{"kind": "classes", "version": 1}', "'labels' is missing"),
        (b" " * (256 * 1024 + 1), "are no answer spec"),
    ],
)
def test_hostile_metadata_is_refused(content: bytes, message: str) -> None:
    stored = with_metadata(small_model(), METADATA_NAME, content, "m")
    with pytest.raises(InvalidModelError) as caught:
        answer_of_model(stored, "m.tflite")
    assert message in caught.value.message
    assert caught.value.hint


def test_a_model_brings_its_answers_along(model: Path, tmp_path: Path) -> None:
    assert tt.store_answer(model, FOUR) == model
    assert tt.load_answer(model) == parse_answer(FOUR, "x")
    made = tt.generate(model, output=tmp_path / "p")
    assert made.answer is not None
    assert made.to_json()["answer"]["ram_bytes"] == made.answer.ram_bytes == 28 + 12
    facts = read_manifest(tmp_path / "p").answer
    assert facts is not None
    assert facts["sha256"] == answer_hash(made.answer.spec)
    header = (tmp_path / "p/lib/answer/model_answer.h").read_text()
    assert f'#define ANSWER_HASH "{made.answer.hash}"' in header
    config = (tmp_path / "p/lib/link/tinyml_link_config.h").read_text()
    assert "#define TINYML_ANSWER 1" in config
    assert "40 bytes of RAM" in (tmp_path / "p/README.md").read_text()
    assert open_project(tmp_path / "p").answer_hash == made.answer.hash


def test_a_project_without_answers_has_none() -> None:
    files = small_files()
    assert not [path for path in files if path.startswith("lib/answer")]
    assert json.loads(files["manifest.json"])["answer"] is None
    assert b"#define TINYML_ANSWER 0" in files["lib/link/tinyml_link_config.h"]


def test_other_answers_than_the_models_are_refused(model: Path, tmp_path: Path) -> None:
    tt.store_answer(model, FOUR)
    tt.generate(model, output=tmp_path / "same", answer=FOUR)
    other = {**FOUR, "average": 5}
    with pytest.raises(ConfigError, match="carries another answer spec") as caught:
        tt.generate(model, output=tmp_path / "p", answer=other)
    assert answer_hash(parse_answer(FOUR, "x"))[:16] in caught.value.message
    assert answer_hash(parse_answer(other, "x"))[:16] in caught.value.message
    assert "tinyml answers store" in str(caught.value.hint)
    assert caught.value.details == ("average: 3 in the model, 5 in [answer]",)
    assert not (tmp_path / "p").exists()


def test_a_spec_that_does_not_suit_the_model_is_not_stored(model: Path) -> None:
    before = model.read_bytes()
    with pytest.raises(InputError, match="5 labels"):
        tt.store_answer(model, {"labels": LABELS})
    with pytest.raises(InputError, match="an anomaly score compares"):
        tt.store_answer(model, {"kind": "anomaly", "threshold": 1})
    with pytest.raises(OutputError, match="cannot be written"):
        tt.store_answer(model, FOUR, model.parent / "gone" / "m.tflite")
    assert model.read_bytes() == before


def test_answers_that_do_not_fit_the_ram_are_refused(model: Path, tmp_path: Path) -> None:
    labels = [f"class {i}" for i in range(1000)]
    model.write_bytes(small_model(outputs=1000))
    with pytest.raises(tt.TinymlError, match="does not fit qemu-m0"):
        tt.generate(
            model,
            board="qemu-m0",
            output=tmp_path / "p",
            answer={"labels": labels, "average": 60},
        )


def test_an_autoencoder_keeps_its_input_in_planned_ram(tmp_path: Path) -> None:
    path = tmp_path / "ad.tflite"
    path.write_bytes(autoencoder(6))
    made = tt.generate(path, output=tmp_path / "p", answer={"kind": "anomaly", "threshold": 0.5})
    assert made.answer is not None
    assert made.answer.ram_bytes == 4 * 5 + 8
    assert "answer_keep_input" in (tmp_path / "p/README.md").read_text()


def test_the_commands_store_and_show(model: Path, tmp_path: Path) -> None:
    (tmp_path / "tinyml.toml").write_text(answer_toml(parse_answer(FOUR, "x")))
    result = tinyml("answers", "store", "m.tflite", "--json", cwd=tmp_path)
    assert result.code == 0
    told = result.envelope["result"]["answer_sha256"]
    assert told == answer_hash(parse_answer(FOUR, "x"))
    shown = tinyml("answers", "show", "m.tflite", cwd=tmp_path)
    assert shown.code == 0
    assert "b: detected from 7 on" in shown.stdout
    assert told in shown.stdout
    result = tinyml("answers", "show", "--json", cwd=tmp_path)
    assert result.envelope["result"]["sha256"] == told


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("show",), "cannot be read"),
        (("show", "m.tflite"), "the model does not tell what its outputs mean"),
        (("show", "empty.toml"), "has no table [answer]"),
        (("show", "wrong.toml"), "unknown key 'averge', did you mean 'average'?"),
        (("store", "m.tflite", "-a", "five.toml"), "[answer] has 5 labels, but the model's output"),
        (("store", "gone.tflite", "-a", "five.toml"), "gone.tflite"),
    ],
)
def test_wrong_files_are_refused_with_the_cause(
    model: Path, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    (tmp_path / "empty.toml").write_text("[project]\n")
    (tmp_path / "wrong.toml").write_text('[answer]\nlabels = ["a", "b"]\naverge = 2\n')
    (tmp_path / "five.toml").write_text(answer_toml(parse_answer(TABLE, "x")))
    result = tinyml("answers", *arguments, "--json", cwd=tmp_path)
    assert result.code == 2
    assert message in result.envelope["error"]["message"]
