"""The feature spec inside a model: put there without touching the model, and never trusted."""

import struct
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from feature_case import TABLES, model_for, spec_of
from project_case import small_model
from shared import shared_model

from tinyml_tool.errors import InvalidModelError
from tinyml_tool.graph.metadata import read_metadata, with_metadata
from tinyml_tool.graph.reader import parse_model
from tinyml_tool.preprocess.model_features import (
    METADATA_NAME,
    features_of_model,
    model_with_features,
)
from tinyml_tool.preprocess.spec import features_hash
from tinyml_tool.reference.tflm import TflmReference

KWS = spec_of("kws")


def stored(content: bytes) -> bytes:
    """A model with `content` where the feature spec should be."""
    return with_metadata(small_model(), METADATA_NAME, content, "m")


@pytest.mark.parametrize("name", TABLES)
def test_a_model_tells_the_spec_that_was_stored(name: str) -> None:
    spec = spec_of(name)
    model = model_with_features(model_for(spec), spec, "m")
    assert features_of_model(model, "m") == spec


def test_a_model_without_spec_has_none() -> None:
    assert features_of_model(small_model(), "m") is None


def test_storing_the_same_spec_again_changes_nothing() -> None:
    model = model_with_features(small_model(), KWS, "m")
    assert model_with_features(model, KWS, "m") is model


def test_storing_another_spec_replaces_the_first() -> None:
    model = model_with_features(small_model(), KWS, "m")
    other = spec_of("area")
    model = model_with_features(model, other, "m")
    assert features_of_model(model, "m") == other
    assert schema.Model.GetRootAs(model, 0).MetadataLength() == 1


def test_other_metadata_stays() -> None:
    model = with_metadata(small_model(), "min_runtime_version", b"1.5.0\0", "m")
    model = model_with_features(model, KWS, "m")
    assert read_metadata(model, "min_runtime_version", "m") == b"1.5.0\0"
    assert features_of_model(model, "m") == KWS


def test_the_old_file_is_in_the_new_one_byte_for_byte() -> None:
    before = small_model()
    after = model_with_features(before, KWS, "m")
    assert after.endswith(before)
    assert (len(after) - len(before)) % 64 == 0


@pytest.mark.parametrize(
    "name", ["kws_ref_model", "ad01_int8", "person_detect", "pretrainedResnet_quant"]
)
def test_a_real_model_computes_the_same_with_a_spec(name: str) -> None:
    before = shared_model(f"{name}.tflite").read_bytes()
    after = model_with_features(before, KWS, name)
    old, new = parse_model(before, name), parse_model(after, name)
    assert [t.shape for t in old.tensors] == [t.shape for t in new.tensors]
    for a, b in zip(old.tensors, new.tensors, strict=True):
        assert (a.data is None) == (b.data is None)
        assert a.data is None or np.array_equal(a.data, b.data)
        assert a.quantization == b.quantization
    chance = np.random.default_rng(0)
    inputs = [chance.integers(-128, 128, old.tensors[i].shape, np.int8) for i in old.inputs]
    for x, y in zip(
        TflmReference(before, "a").run(inputs), TflmReference(after, "b").run(inputs), strict=True
    ):
        np.testing.assert_array_equal(x, y)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not JSON"),
        (b"{", "is not JSON"),
        (b"[]", "is not a JSON object"),
        (b"\xff\xfe", "is not text in UTF-8"),
        (b"[" * 60_000, "is not JSON"),
        (b"{" + b" " * 70_000 + b"}", "are no feature spec"),
        (b'{"kind":"audio","version":2}', "version = 2 is not known here"),
        (b'{"kind":"audio","bands":1e999}', "'bands'"),
        (b'{"kind":"audio","bands":-1}', "'bands' = -1"),
        (b'{"kind":"audio","gain":NaN}', "'gain'"),
        (b'{"kind":"audio","frames":99999999999999999999}', "'frames'"),
        (b'{"kind":"audio","lod":"none"}', "did you mean 'log'?"),
    ],
)
def test_hostile_metadata_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(InvalidModelError) as caught:
        features_of_model(stored(content), "m.tflite")
    assert message in caught.value.message
    assert "m.tflite" in caught.value.message


def test_metadata_in_a_buffer_that_is_not_there_is_refused() -> None:
    model = bytearray(model_with_features(small_model(), KWS, "m"))
    name = bytes(model).index(METADATA_NAME.encode())
    buffer = name - 8  # the number lies before the length of the name
    assert struct.unpack_from("<I", model, buffer)[0] < 100
    struct.pack_into("<I", model, buffer, 4_000_000)
    with pytest.raises(InvalidModelError, match="is in buffer 4000000, but there are"):
        features_of_model(bytes(model), "m")


def test_no_damaged_byte_in_the_head_harms() -> None:
    model = model_with_features(small_model(), KWS, "m")
    head = len(model) - len(small_model())
    for position in range(head):
        for value in (0, 1, 0x7F, 0xFF):
            damaged = bytearray(model)
            damaged[position] = value
            try:
                features_of_model(bytes(damaged), "m")
            except InvalidModelError as error:
                assert error.message


def test_weights_behind_the_flatbuffer_are_refused() -> None:
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(small_model(), 0))
    model.buffers[-1].offset, model.buffers[-1].size = 640, 8
    import flatbuffers

    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    with pytest.raises(InvalidModelError, match="outside its FlatBuffer"):
        model_with_features(bytes(builder.Output()), KWS, "m")


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidModelError):
        model_with_features(b"no model at all", KWS, "m")


def test_the_hash_of_a_model_changes_with_its_spec() -> None:
    models = [small_model(), *(model_with_features(small_model(), s, "m") for s in (KWS,))]
    assert len({parse_model(model, "m").model_hash for model in models}) == 2
    assert len(features_hash(KWS)) == 64
