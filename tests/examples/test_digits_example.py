from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from tinyml_tool.graph.reader import read_model
from tinyml_tool.reference.tflm import TflmReference
from tinyml_tool.verify.accuracy import predicted_class

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "digits"
MODEL = FOLDER / "digits.tflite"
RECORD = json.loads((FOLDER / "training.json").read_text())


@pytest.fixture
def dataset(example_module: Callable[[str], ModuleType]) -> Any:
    pytest.importorskip("sklearn")
    return example_module("digits/dataset")


@pytest.fixture
def pictures(example_module: Callable[[str], ModuleType]) -> Any:
    return example_module("digits/pictures")


def test_the_model_is_the_one_of_the_training_record() -> None:
    assert hashlib.sha256(MODEL.read_bytes()).hexdigest() == RECORD["model"]["sha256"]


def test_the_model_takes_at_most_20_kilobytes() -> None:
    assert len(MODEL.read_bytes()) == RECORD["model"]["bytes"] <= 20_000


def test_the_model_is_int8_throughout() -> None:
    graph = read_model(MODEL)
    activations = [t for t in graph.tensors if not t.is_constant]
    assert {tensor.dtype.value for tensor in activations} == {"int8"}


def test_the_data_are_those_of_the_training(dataset: Any) -> None:
    training, test = dataset.load_samples()
    assert dataset.fingerprint(training) == RECORD["training"]["sha256"]
    assert dataset.fingerprint(test) == RECORD["test"]["sha256"]


def test_no_test_picture_is_in_the_training(dataset: Any) -> None:
    training, test = dataset.load_samples()
    known = {image.tobytes() for image in training.images}
    assert not [image for image in test.images if image.tobytes() in known]


def test_the_accuracy_in_the_reference_is_that_of_the_record(dataset: Any) -> None:
    _, test = dataset.load_samples()
    graph = read_model(MODEL)
    quantization = graph.tensor(graph.inputs[0]).quantization
    assert quantization is not None
    inputs = dataset.quantize(test.images, quantization.scale, quantization.zero_point)
    reference = TflmReference(MODEL.read_bytes(), "digits")
    answers = [predicted_class(reference.run([image[np.newaxis]])[0]) for image in inputs]
    accuracy = float(np.mean(np.array(answers) == test.labels))
    assert accuracy == RECORD["accuracy"]["int8"]
    assert accuracy >= 0.97


def test_the_readme_tells_the_accuracy_and_size_of_the_record() -> None:
    readme = (FOLDER / "README.md").read_text()
    assert f"{RECORD['model']['bytes']:,} bytes" in readme
    assert f"{RECORD['parameters']:,} parameters" in readme
    assert f"{100 * RECORD['accuracy']['int8']:.1f} % right" in readme


IMAGE = np.array([[0.0, 1.0], [0.5, 0.25]])


def test_a_picture_without_colours_is_two_shades_a_pixel(pictures: Any) -> None:
    assert pictures.draw(IMAGE, colours=False).plain == "  ██\n▒▒░░"


def test_a_picture_in_colours_shows_two_pixels_a_character(pictures: Any) -> None:
    text = pictures.draw(IMAGE, colours=True)
    assert text.plain == "▀▀▀▀\n▀▀▀▀"
    console = Console(force_terminal=True, color_system="truecolor", width=20)
    with console.capture() as capture:
        console.print(text)
    assert "38;2;20;20;20;48;2;20;20;20m▀" in capture.get()
    assert "38;2;255;255;255;48;2;255;255;255m▀" in capture.get()
