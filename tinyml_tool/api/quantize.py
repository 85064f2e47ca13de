"""`quantize`: from a float model and the user's data to an integer model, and what that costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from tinyml_tool.api.calibration_data import read_calibration
from tinyml_tool.api.float_source import FloatSource, find_float_model
from tinyml_tool.api.generate import Progress, no_progress
from tinyml_tool.boards import load_board
from tinyml_tool.compiler.compile import problems_of
from tinyml_tool.compiler.plan import Plan
from tinyml_tool.compiler.target import Target
from tinyml_tool.compiler.tflm_plan import TflmPlan, cmsis_nn_problems, tflm_problems
from tinyml_tool.environments.catalogue import TENSORFLOW
from tinyml_tool.environments.make import Consent, refuse, require_environment
from tinyml_tool.errors import InputError, TinymlError, UnsupportedModelError
from tinyml_tool.graph.problem import layer_name
from tinyml_tool.graph.reader import parse_model
from tinyml_tool.graph.types import Graph
from tinyml_tool.importers.normalise import NormalModel
from tinyml_tool.importers.sources import KERAS_QUANTIZE
from tinyml_tool.output_file import check_output_file, write_output_file
from tinyml_tool.preprocess.spec import FeatureSpec
from tinyml_tool.quantization.advice import advise
from tinyml_tool.quantization.ai_edge import BACKEND as AI_EDGE
from tinyml_tool.quantization.ai_edge import quantize_with_ai_edge
from tinyml_tool.quantization.answers import compare_answers
from tinyml_tool.quantization.int4_weights import KINDS, with_int4_weights
from tinyml_tool.quantization.int16_layers import named_layers, noisiest_layers
from tinyml_tool.quantization.lint import lint
from tinyml_tool.quantization.noise import measure_noise
from tinyml_tool.quantization.options import QuantizationOptions, Scheme, parse_options
from tinyml_tool.quantization.ranges import Range, measure_ranges
from tinyml_tool.quantization.result import DataUse, Quantized
from tinyml_tool.quantization.samples import Samples, random_samples
from tinyml_tool.quantization.tensorflow_backend import (
    TensorflowConverter,
    check_tensorflow_options,
    quantize_with_tensorflow,
)
from tinyml_tool.reference.litert import LitertReference
from tinyml_tool.reference.tflm import TflmReference

CALIBRATION_SAMPLES = 200
EVALUATION_SAMPLES = 1000
NOISE_SAMPLES = 50
BACKENDS = ("auto", "ai-edge", "tensorflow")
_ENOUGH_HELD_OUT = 20


@dataclass(frozen=True, eq=False)
class QuantizationData:
    """Samples to measure ranges on, and samples to measure the result on."""

    calibration: Samples
    evaluation: Samples
    same: bool

    @property
    def use(self) -> DataUse:
        """What was used for what, for the record."""
        return DataUse(
            self.calibration.source,
            len(self.calibration),
            self.calibration.is_random,
            self.evaluation.source,
            len(self.evaluation),
            self.same,
        )


def quantize(
    model: str | Path,
    *,
    data: str | Path | None = None,
    output: str | Path | None = None,
    test: str | Path | None = None,
    scheme: str = Scheme.INT8.value,
    input_type: str | None = None,
    output_type: str | None = None,
    int16_layers: tuple[str, ...] = (),
    dense_per_tensor: bool = False,
    int4_layers: tuple[str, ...] = (),
    calibration: int = CALIBRATION_SAMPLES,
    random_calibration: bool = False,
    seed: int = 0,
    backend: str = "auto",
    consent: Consent = refuse,
    force: bool = False,
    progress: Progress = no_progress,
) -> Quantized:
    """Quantize a float model to integers and measure what that costs.

    `model` is a float `.tflite`, a Keras file, or the folder that `tinyml train` made, whose data
    are then taken.  `backend` is "ai-edge" (ai-edge-quantizer), "tensorflow" (its converter, for
    Keras files, in a process of its own), or "auto": TensorFlow for Keras files, else ai-edge.
    `data` is a `.npz` with samples `x` and, for accuracy, labels `y`, or raw samples (a folder of
    sounds or pictures, `.csv`, `.ts`) that go through the features the model carries; `calibration`
    of them, evenly spread, give the ranges, the others (or those in `test`) the measurements.
    `dense_per_tensor` gives all weights of a dense layer one scale, as some kernels want it.
    Writes `output` where it is given.  Raises InputError for data that do not fit,
    UnsupportedModelError for a model that cannot be quantized or that the reference does not run
    afterwards.
    """
    options = parse_options(
        scheme,
        input_type,
        output_type,
        int16_layers,
        int4_layers,
        dense_per_tensor=dense_per_tensor,
    )
    target = None if output is None else Path(output)
    if target is not None:
        check_output_file(target, force=force)
    found = find_float_model(model, data, test)
    progress(f"reading {found.path.name}")
    by_tensorflow = _by_tensorflow(backend, found, options)
    source = found.read(consent, progress)
    samples = choose_data(
        source.graph,
        None if random_calibration and data is None else found.data,
        found.test,
        calibration=calibration,
        random_calibration=random_calibration,
        seed=seed,
        normal=found.normal,
        features=source.features,
        classes=found.classes,
    )
    if by_tensorflow is None:
        result = quantize_model(source, samples, options, progress)
    else:
        result = _quantize_keras(by_tensorflow, source, samples, options, consent, progress)
    if target is not None:
        write_output_file(target, result.data, force=force)
    return result


def _by_tensorflow(backend: str, found: FloatSource, options: QuantizationOptions) -> Path | None:
    """The Keras file that TensorFlow shall quantize; None where ai-edge-quantizer shall."""
    if backend not in BACKENDS:
        raise InputError(f"there is no backend '{backend}'", hint=f"use {', '.join(BACKENDS)}")
    if backend == "tensorflow" and found.keras is None:
        raise InputError(
            f"{found.path}: TensorFlow's converter quantizes Keras files only",
            hint="give the .keras file, or leave out --backend",
        )
    if backend == "ai-edge" or found.keras is None:
        return None
    check_tensorflow_options(options)
    return found.keras


def _quantize_keras(
    keras: Path,
    source: NormalModel,
    data: QuantizationData,
    options: QuantizationOptions,
    consent: Consent,
    progress: Progress,
) -> Quantized:
    converter = TensorflowConverter(
        require_environment(TENSORFLOW, consent, progress), KERAS_QUANTIZE
    )
    quantized, version = quantize_with_tensorflow(
        keras, data.calibration, options, converter, progress
    )
    ranges = measure_ranges(source.data, source.graph, data.calibration, progress)
    return measure_cost(source, quantized, data, options, ranges, version, progress=progress)


def choose_data(
    graph: Graph,
    data: str | Path | None,
    test: str | Path | None = None,
    *,
    calibration: int = CALIBRATION_SAMPLES,
    random_calibration: bool = False,
    seed: int = 0,
    normal: int = 0,
    features: FeatureSpec | None = None,
    classes: tuple[str, ...] = (),
) -> QuantizationData:
    """Read the samples and decide which of them calibrate and which measure.

    Raw samples go through `features`; `classes` are the names of the model's.
    Raises InputError where there are none and noise was not asked for.
    """
    if calibration < 1:
        raise InputError("calibration needs at least 1 sample")
    if data is None and not random_calibration:
        raise InputError(
            "no data to calibrate on",
            hint="give --data FILE.npz with samples as the model sees them; to try things out "
            "without data, --random-calibration takes noise and says so",
        )
    if data is not None and random_calibration:
        raise InputError("both data and random calibration were asked for", hint="choose one")
    if data is None:
        chosen = random_samples(graph, calibration, seed)
        everything = chosen
    else:
        everything = read_calibration(Path(data), graph, features, classes)
        chosen = everything.spread(calibration)
    if test is not None:
        measured, same = read_calibration(Path(test), graph, features, classes), False
    else:
        rest = everything.without(chosen)
        same = len(rest) < _ENOUGH_HELD_OUT
        measured = everything if same else rest
    judged = replace(measured.spread(EVALUATION_SAMPLES), normal=normal)
    return QuantizationData(chosen, judged, same)


def quantize_model(
    source: NormalModel,
    data: QuantizationData,
    options: QuantizationOptions,
    progress: Progress = no_progress,
) -> Quantized:
    """Quantize a model in memory; see `quantize`."""
    ranges = measure_ranges(source.data, source.graph, data.calibration, progress)
    chosen: tuple[int, ...] = ()
    if options.scheme is Scheme.MIXED:
        chosen = _int16_layers(source, data, options, ranges, progress)
    progress("quantizing")
    names = tuple(_output_name(source.graph, index) for index in chosen)
    quantized = quantize_with_ai_edge(source.data, source.graph, ranges, options, names)
    if options.scheme is Scheme.INT4:
        progress("choosing int4 weights")
        quantized = _with_int4_weights(source, quantized, options, data.calibration, progress)
    return measure_cost(source, quantized, data, options, ranges, AI_EDGE, chosen, progress)


def measure_cost(
    source: NormalModel,
    quantized: bytes,
    data: QuantizationData,
    options: QuantizationOptions,
    ranges: Mapping[int, Range],
    backend: str,
    int16_layers: tuple[int, ...] = (),
    progress: Progress = no_progress,
) -> Quantized:
    """Check a quantized model, run it in the reference, and compare it with the float one.

    It carries the features and the answer spec of the float one.
    Raises UnsupportedModelError with all that the lint found where the reference does not run it.
    """
    quantized = source.told(quantized)
    graph = parse_model(quantized, source.graph.name)
    progress("checking the quantized model")
    problems = (*lint(graph), *cmsis_nn_problems(graph))
    try:
        after = (graph, TflmReference(quantized, graph.name))
    except TinymlError as error:
        raise UnsupportedModelError(
            f"{graph.name} was quantized by {backend}, but the reference does not run the result: "
            f"{error.message}",
            hint="the float model holds layers that cannot be quantized; `tinyml inspect` lists "
            "them, and `tinyml import` removes what is left over from other formats",
            details=[str(problem) for problem in problems] or error.details,
        ) from None
    before = (source.graph, LitertReference(source.data, graph.name))
    noise = measure_noise(before, after, data.evaluation.spread(NOISE_SAMPLES), progress)
    return Quantized(
        data=quantized,
        graph=graph,
        options=options,
        backend=backend,
        int16_layers=tuple(layer_name(source.graph.operators[i]) for i in int16_layers),
        changes=source.changes,
        use=data.use,
        answers=compare_answers(before, after, data.evaluation, progress),
        noise=noise,
        advice=advise(noise, source.graph, graph, ranges, len(data.calibration)),
        problems=problems,
        engines=engines_of(graph),
        float_bytes=len(source.data),
    )


def engines_of(graph: Graph) -> dict[str, tuple[str, ...]]:
    """By engine, why it cannot run the model; on a Cortex-M4, where that matters."""
    compiled, _ = problems_of(graph, Target(load_board("qemu-m4").core))
    return {
        Plan.engine: tuple(map(str, compiled)),
        TflmPlan.engine: tuple(map(str, tflm_problems(graph))),
    }


def _with_int4_weights(
    source: NormalModel,
    quantized: bytes,
    options: QuantizationOptions,
    samples: Samples,
    progress: Progress,
) -> bytes:
    """The int8 model with int4 weights, clipped or not: what leaves less noise in the outputs."""
    graph = source.graph
    layers = _int4_layers(graph, quantized, options)
    before = (graph, LitertReference(source.data, graph.name))
    some = samples.spread(NOISE_SAMPLES)

    def quietness(model: bytes) -> float:
        after = (parse_model(model, graph.name), TflmReference(model, graph.name))
        found = measure_noise(before, after, some, progress).layers
        return found[-1].sqnr_db if found else 0.0

    tried = [
        with_int4_weights(quantized, graph.name, layers, clipped=clipped)
        for clipped in (False, True)
    ]
    return max(tried, key=quietness)


def _int4_layers(graph: Graph, quantized: bytes, options: QuantizationOptions) -> list[int] | None:
    """Layers of the int8 model that the options name by the float model; None for the usual."""
    if not options.int4_layers:
        return None
    new = parse_model(quantized, graph.name)
    by_output = {new.tensor(op.outputs[0]).name: op.index for op in new.operators if op.outputs}
    wanted = named_layers(graph, options.int4_layers, KINDS, "have int4 weights")
    names = [(operator, _output_name(graph, operator.index)) for operator in wanted]
    missing = [layer_name(operator) for operator, name in names if name not in by_output]
    if missing:
        raise InputError(
            f"{', '.join(missing)}: no layer of the int8 model has such an output",
            hint="leave out --int4: all convolutions and fully connected layers are then taken",
        )
    return [by_output[name] for _, name in names]


def _int16_layers(
    source: NormalModel,
    data: QuantizationData,
    options: QuantizationOptions,
    ranges: Mapping[int, Range],
    progress: Progress,
) -> tuple[int, ...]:
    if options.int16_layers:
        named = named_layers(source.graph, options.int16_layers)
        return tuple(operator.index for operator in named)
    progress("quantizing to int8 to find the noisiest layers")
    trial = quantize_with_ai_edge(source.data, source.graph, ranges, QuantizationOptions())
    graph = parse_model(trial, source.graph.name)
    profile = measure_noise(
        (source.graph, LitertReference(source.data, graph.name)),
        (graph, TflmReference(trial, graph.name)),
        data.evaluation.spread(NOISE_SAMPLES),
        progress,
    )
    return tuple(operator.index for operator in noisiest_layers(source.graph, profile))


def _output_name(graph: Graph, operator: int) -> str:
    return graph.tensor(graph.operators[operator].outputs[0]).name
