from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from float_models import data_file, float_classifier, float_file, images
from model_builder import ModelBuilder
from shared import shared_model

import tinyml_tool as tt
from tinyml_tool.errors import InputError, OutputError, UnsupportedModelError
from tinyml_tool.graph.reader import read_model
from tinyml_tool.graph.types import DType, Graph
from tinyml_tool.preprocess.answer_spec import parse_answer
from tinyml_tool.preprocess.model_answer import answer_of_model, model_with_answer
from tinyml_tool.preprocess.model_features import features_of_model, model_with_features
from tinyml_tool.preprocess.spec import parse_features
from tinyml_tool.quantization.int4_weights import with_int4_weights
from tinyml_tool.quantization.lint import lint


def types_of(graph: Graph, kind: str) -> list[tuple[DType, DType]]:
    """Types of input and weights of every operator of that kind."""
    return [
        (graph.tensor(op.inputs[0]).dtype, graph.tensor(op.inputs[1]).dtype)
        for op in graph.operators
        if op.kind == kind
    ]


def test_int8_is_per_channel_runs_on_both_engines_and_answers_like_float(tmp_path: Path) -> None:
    result = tt.quantize(
        float_file(tmp_path), data=data_file(tmp_path), calibration=30, output=tmp_path / "q.tflite"
    )
    graph = read_model(tmp_path / "q.tflite")
    assert types_of(graph, "CONV_2D") == [(DType.INT8, DType.INT8)] * 2
    weights = graph.tensor(graph.operators[0].inputs[1])
    assert weights.quantization is not None
    assert len(weights.quantization.scales) == 6
    assert result.problems == ()
    assert result.engines == {"aot": (), "tflm": ()}
    assert result.answers.accuracy_before == 1.0
    assert result.answers.accuracy_after is not None
    assert result.answers.accuracy_after >= 0.9
    assert (result.use.calibration_samples, result.use.evaluation_samples) == (30, 30)
    assert result.answers.output_sqnr_db > 25


def test_every_layer_is_matched_and_has_a_plausible_ratio(tmp_path: Path) -> None:
    noise = tt.quantize(float_file(tmp_path), data=data_file(tmp_path)).noise
    assert [layer.kind for layer in noise.layers] == [
        *("CONV_2D", "DEPTHWISE_CONV_2D", "CONV_2D", "AVERAGE_POOL_2D"),
        *("RESHAPE", "FULLY_CONNECTED", "SOFTMAX"),
    ]
    assert noise.unmatched == ()
    assert all(20 < layer.sqnr_db < 60 for layer in noise.layers)


def test_int16x8_is_quieter_than_int8_and_int8_than_int4(tmp_path: Path) -> None:
    model, data = float_file(tmp_path), data_file(tmp_path)
    ratios = [
        tt.quantize(model, data=data, scheme=scheme).noise.layers[2].sqnr_db
        for scheme in ("int16x8", "int8", "int4")
    ]
    assert ratios[0] > ratios[1] + 3
    assert ratios[1] > ratios[2] + 10


def test_int4_weights_are_told_to_run_on_both_engines(tmp_path: Path) -> None:
    result = tt.quantize(float_file(tmp_path), data=data_file(tmp_path), scheme="int4")
    assert types_of(result.graph, "CONV_2D") == [(DType.INT8, DType.INT4)] * 2
    assert types_of(result.graph, "FULLY_CONNECTED") == [(DType.INT8, DType.INT4)]
    assert result.engines == {"aot": (), "tflm": ()}


def test_of_clipped_and_unclipped_int4_weights_those_with_less_noise_are_taken(
    tmp_path: Path,
) -> None:
    model, data = float_file(tmp_path), data_file(tmp_path)
    int8 = tt.quantize(model, data=data).data
    both = [with_int4_weights(int8, "float", clipped=clipped) for clipped in (False, True)]
    taken = tt.quantize(model, data=data, scheme="int4")
    assert taken.data in both
    assert both[0] != both[1]


def test_int4_weights_may_be_chosen_by_layer_depthwise_ones_too(tmp_path: Path) -> None:
    result = tt.quantize(
        float_file(tmp_path), data=data_file(tmp_path), scheme="int4", int4_layers=("1", "second")
    )
    assert types_of(result.graph, "DEPTHWISE_CONV_2D") == [(DType.INT8, DType.INT4)]
    assert [weights for _, weights in types_of(result.graph, "CONV_2D")] == [
        DType.INT8,
        DType.INT4,
    ]
    assert types_of(result.graph, "FULLY_CONNECTED") == [(DType.INT8, DType.INT8)]
    assert result.int4_layers == ("layer 1 DEPTHWISE_CONV_2D", "layer 2 CONV_2D")
    assert result.engines == {"aot": (), "tflm": ()}
    assert result.problems == ()


@pytest.mark.parametrize(
    ("scheme", "layers", "cause"),
    [
        ("int8", ("0",), "are for scheme 'int4'"),
        ("int4", ("3",), "AVERAGE_POOL_2D cannot have int4 weights"),
        ("int4", ("nowhere",), "no layer 'nowhere'"),
    ],
)
def test_layers_that_cannot_have_int4_weights_are_refused(
    tmp_path: Path, scheme: str, layers: tuple[str, ...], cause: str
) -> None:
    with pytest.raises(InputError, match=cause):
        tt.quantize(
            float_file(tmp_path), data=data_file(tmp_path), scheme=scheme, int4_layers=layers
        )


def test_mixed_makes_the_named_layers_int16x8_and_no_other(tmp_path: Path) -> None:
    result = tt.quantize(
        float_file(tmp_path), data=data_file(tmp_path), scheme="mixed", int16_layers=("second",)
    )
    assert result.int16_layers == ("layer 2 CONV_2D",)
    assert types_of(result.graph, "CONV_2D") == [
        (DType.INT8, DType.INT8),
        (DType.INT16, DType.INT8),
    ]
    assert types_of(result.graph, "DEPTHWISE_CONV_2D") == [(DType.INT8, DType.INT8)]


def test_mixed_without_names_takes_the_noisiest_layers(tmp_path: Path) -> None:
    result = tt.quantize(float_file(tmp_path), data=data_file(tmp_path), scheme="mixed")
    assert 1 <= len(result.int16_layers) <= 3
    int16 = [types for types in types_of(result.graph, "CONV_2D") if types[0] is DType.INT16]
    dense = types_of(result.graph, "FULLY_CONNECTED") + types_of(result.graph, "DEPTHWISE_CONV_2D")
    int16 += [types for types in dense if types[0] is DType.INT16]
    assert len(int16) == len(result.int16_layers)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [("int8", DType.INT8), ("uint8", DType.UINT8), ("float", DType.FLOAT32)],
)
def test_types_of_inputs_and_outputs_are_as_chosen(
    tmp_path: Path, wanted: str, found: DType
) -> None:
    result = tt.quantize(
        float_file(tmp_path), data=data_file(tmp_path), input_type=wanted, output_type=wanted
    )
    graph = result.graph
    assert graph.tensor(graph.inputs[0]).dtype is found
    assert graph.tensor(graph.outputs[0]).dtype is found
    assert result.answers.accuracy_after is not None
    assert result.answers.accuracy_after >= 0.9


def test_a_file_of_old_operator_codes_is_quantized_as_what_it_is(tmp_path: Path) -> None:
    # Files of 2020 hold the operator's number in another field: without care each becomes an ADD,
    # and biases int8.
    model = shared_model("kws_ref_model_float32.tflite")
    result = tt.quantize(model, random_calibration=True, calibration=5)
    assert lint(result.graph) == ()
    assert set(types_of(result.graph, "CONV_2D")) == {(DType.INT8, DType.INT8)}
    assert any("float32" in change for change in result.changes)
    assert result.use.random_calibration


def test_the_folder_of_a_training_brings_its_data_along(tmp_path: Path) -> None:
    folder = tmp_path / "digits"
    folder.mkdir()
    float_file(folder, name="model_float.tflite")
    data_file(folder, 30, name="calibration.npz")
    data_file(folder, 25, name="test.npz")
    use = tt.quantize(folder).use
    assert (use.calibration_samples, use.evaluation_samples) == (30, 25)
    assert (use.calibration, use.evaluation) == ("calibration.npz", "test.npz")


def test_data_are_needed_unless_noise_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no data to calibrate on") as caught:
        tt.quantize(float_file(tmp_path))
    assert "--random-calibration" in (caught.value.hint or "")


def test_what_the_reference_cannot_convert_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="uint8 and int16"):
        tt.quantize(float_file(tmp_path), scheme="int16x8", input_type="uint8")


@pytest.mark.parametrize(
    ("option", "hint"), [({"scheme": "int7"}, "int16x8"), ({"backend": "magic"}, "ai-edge")]
)
def test_unknown_words_are_told_with_the_known_ones(
    tmp_path: Path, option: dict[str, str], hint: str
) -> None:
    with pytest.raises(InputError) as caught:
        tt.quantize(float_file(tmp_path), **option)
    assert hint in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("layer", "message"), [("99", "no layer '99'"), ("flat", "layer 4 RESHAPE cannot be int16x8")]
)
def test_a_layer_that_cannot_be_int16_is_told(tmp_path: Path, layer: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        tt.quantize(
            float_file(tmp_path),
            data=data_file(tmp_path),
            scheme="mixed",
            int16_layers=(layer,),
        )


def test_a_quantized_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedModelError, match="quantized already"):
        tt.quantize(shared_model("kws_ref_model.tflite"), data=data_file(tmp_path))


def test_an_existing_file_is_kept_unless_forced(tmp_path: Path) -> None:
    target = tmp_path / "q.tflite"
    target.write_text("mine")
    model, data = float_file(tmp_path), data_file(tmp_path)
    with pytest.raises(OutputError, match="exists already"):
        tt.quantize(model, data=data, output=target)
    assert target.read_text() == "mine"
    tt.quantize(model, data=data, output=target, force=True)
    assert read_model(target).operators


def test_nothing_is_written_when_the_data_are_wrong(tmp_path: Path) -> None:
    data = tmp_path / "data.npz"
    np.savez(data, x=np.full((4, 8, 8, 1), np.nan, np.float32))
    model = float_file(tmp_path)
    with pytest.raises(InputError, match="NaN"):
        tt.quantize(model, data=data, output=tmp_path / "q.tflite")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data.npz", "float.tflite"]


def test_values_outside_the_calibrated_range_are_counted(tmp_path: Path) -> None:
    x = np.linspace(0, 1, 40 * 64, dtype=np.float32).reshape(40, 8, 8, 1)
    np.savez(tmp_path / "small.npz", x=x / 2)
    np.savez(tmp_path / "large.npz", x=x)
    result = tt.quantize(
        float_file(tmp_path), data=tmp_path / "small.npz", test=tmp_path / "large.npz"
    )
    (port, *_) = result.answers.saturation
    assert port.port == "input 0"
    assert 0.45 < port.share < 0.55
    assert 0.49 < port.high < 0.51


def test_few_samples_are_named_as_the_reason_of_noise(tmp_path: Path) -> None:
    result = tt.quantize(
        float_file(tmp_path), data=data_file(tmp_path), scheme="int8", calibration=2
    )
    assert result.advice
    assert "more calibration data" in result.advice[0].suggestion


def test_a_loud_channel_costs_its_layer_dearly_and_is_advised_on(tmp_path: Path) -> None:
    model = float_file(tmp_path, float_classifier(loud_channel=400.0))
    data = tmp_path / "many.npz"
    from float_models import images

    np.savez(data, x=images(150))
    result = tt.quantize(model, data=data, calibration=120)
    worst = result.advice[0]
    assert "int16" in worst.suggestion
    assert result.noise.layers[worst.index].sqnr_db == worst.sqnr_db


def autoencoder() -> bytes:
    """8 values -> 3 -> 8: rebuilds what lies in a plane of three directions, nothing else."""
    random = np.random.default_rng(0)
    basis = np.linalg.qr(random.normal(size=(8, 3)))[0].astype(np.float32)
    builder = ModelBuilder()
    x = builder.input("float32", (1, 8), name="x")
    narrow = builder.operator(
        "FULLY_CONNECTED", [x, builder.constant(basis.T), -1], builder.tensor("float32", (1, 3))
    )
    wide = builder.operator(
        "FULLY_CONNECTED",
        [narrow, builder.constant(basis), -1],
        builder.tensor("float32", (1, 8)),
    )
    return builder.build([wide])


@pytest.mark.parametrize("normal", [0, 1])
def test_a_model_that_rebuilds_its_input_is_judged_by_its_errors(
    tmp_path: Path, normal: int
) -> None:
    random = np.random.default_rng(0)
    basis = np.linalg.qr(random.normal(size=(8, 3)))[0]
    usual = random.normal(size=(60, 3)) @ basis.T
    odd = random.normal(size=(30, 8))
    labels = [normal] * 60 + [1 - normal] * 30
    folder = tmp_path / "trained"
    folder.mkdir()
    float_file(folder, autoencoder(), name="model_float.tflite")
    np.savez(folder / "calibration.npz", x=usual[:40])
    np.savez(folder / "test.npz", x=np.vstack([usual, odd]), y=labels)
    record = {"classes": ["a", "b"], "normal": ["a", "b"][normal]}
    (folder / "training.json").write_text(json.dumps(record))
    answers = tt.quantize(folder).answers
    assert answers.accuracy_before is None
    assert answers.auc_before == 1.0
    assert answers.auc_after is not None
    assert 0.9 < answers.auc_after <= 1.0


def test_two_layers_that_share_a_bias_are_quantized_right(tmp_path: Path) -> None:
    builder = ModelBuilder()
    x = builder.input("float32", (1, 4), name="x")
    shared = builder.constant(np.array([1.0, -2.0, 0.5, 0.25], np.float32))
    hidden = x
    for seed in range(2):
        weights = np.random.default_rng(seed).normal(size=(4, 4)).astype(np.float32)
        hidden = builder.operator(
            "FULLY_CONNECTED",
            [hidden, builder.constant(weights), shared],
            builder.tensor("float32", (1, 4)),
        )
    data = tmp_path / "data.npz"
    np.savez(data, x=np.random.default_rng(5).normal(size=(60, 4)))
    result = tt.quantize(float_file(tmp_path, builder.build([hidden])), data=data)
    assert result.problems == ()
    assert result.answers.output_sqnr_db > 25


def test_a_layer_without_an_integer_form_is_an_error_that_names_it(tmp_path: Path) -> None:
    builder = ModelBuilder()
    x = builder.input("float32", (1, 4), name="x")
    weights = builder.constant(np.eye(4, dtype=np.float32))
    hidden = builder.operator(
        "FULLY_CONNECTED", [x, weights, -1], builder.tensor("float32", (1, 4))
    )
    output = builder.operator("SIN", [hidden], builder.tensor("float32", (1, 4)))
    data = tmp_path / "data.npz"
    np.savez(data, x=np.random.default_rng(5).normal(size=(60, 4)))
    result = tt.quantize(float_file(tmp_path, builder.build([output])), data=data)
    assert [problem.cause.split(" (")[0] for problem in result.problems] == ["it was left in float"]
    assert result.engines["aot"] != ()


def test_labels_that_are_no_class_of_the_model_are_told(tmp_path: Path) -> None:
    data = tmp_path / "data.npz"
    np.savez(data, x=images(40), y=np.arange(40))
    with pytest.raises(InputError, match="is no class of a model of 4 classes"):
        tt.quantize(float_file(tmp_path), data=data, output=tmp_path / "q.tflite")
    assert not (tmp_path / "q.tflite").exists()


def test_samples_that_never_differ_are_refused(tmp_path: Path) -> None:
    data = tmp_path / "data.npz"
    np.savez(data, x=np.full((40, 8, 8, 1), 0.5))
    with pytest.raises(InputError, match=r"every value of every sample is 0\.5"):
        tt.quantize(float_file(tmp_path), data=data)


def test_a_layer_that_overflows_is_named(tmp_path: Path) -> None:
    data = tmp_path / "data.npz"
    np.savez(data, x=images(40) * np.float32(3e38))
    with pytest.raises(InputError, match="layer 0 CONV_2D gives NaN or infinity on sample"):
        tt.quantize(float_file(tmp_path), data=data)


def test_what_the_float_model_tells_goes_into_all_that_is_made_of_it(tmp_path: Path) -> None:
    features = parse_features(
        {"kind": "image", "source_width": 8, "source_height": 8, "width": 8, "height": 8}, "test"
    )
    answer = parse_answer({"labels": ["a", "b", "c", "d"], "threshold": 0.5}, "test")
    told = model_with_answer(model_with_features(float_classifier(), features, "m"), answer, "m")
    model, data = float_file(tmp_path, told), data_file(tmp_path)
    made = [tmp_path / name for name in ("q.tflite", "fit.tflite", "imported.tflite")]
    tt.quantize(model, data=data, output=made[0])
    tt.quantize_to_fit(model, board="netduinoplus2", data=data, output=made[1], measure=False)
    tt.import_model(model, output=made[2])
    for path in made:
        assert features_of_model(path.read_bytes(), path.name) == features
        assert answer_of_model(path.read_bytes(), path.name) == answer
    other = parse_features({"kind": "series", "rate": 1, "window": 9, "stride": 9}, "test")
    wrong = float_file(tmp_path, model_with_features(float_classifier(), other, "m"), "w.tflite")
    with pytest.raises(InputError, match="9 x 1 values, but the model's input"):
        tt.quantize(wrong, data=data, output=tmp_path / "wrong.tflite")
    assert not (tmp_path / "wrong.tflite").exists()
