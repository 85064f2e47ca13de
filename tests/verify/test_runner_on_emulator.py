"""The runner, the comparison and the reference together, on a real firmware in QEMU."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import tinyml_tool as tt
from tinyml_tool.api.project import Project, open_project
from tinyml_tool.devices.link.client import LinkClient
from tinyml_tool.devices.qemu import QemuDevice
from tinyml_tool.errors import LinkError
from tinyml_tool.protocol import Capability
from tinyml_tool.reference.tflm import TflmReference
from tinyml_tool.verify.inputs import vectors
from tinyml_tool.verify.parity import compare
from tinyml_tool.verify.runner import DeviceRunner

MODEL = Path(__file__).resolve().parents[2] / "examples" / "digits" / "digits.tflite"


@dataclass(frozen=True)
class Built:
    """The digits model as firmware for qemu-m4."""

    project: Project
    elf: Path


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("digits") / "project"
    tt.generate(MODEL, board="qemu-m4", output=folder)
    return Built(open_project(folder), tt.build(folder, system="cmake").elf)


@pytest.fixture
def client(built: Built) -> Iterator[LinkClient]:
    with (
        QemuDevice(built.project.board, built.elf, time_limit=120) as device,
        LinkClient(device.stream) as client,
    ):
        yield client


@pytest.fixture
def reference(built: Built) -> TflmReference:
    return TflmReference(built.project.source.data, "digits")


@pytest.fixture
def without_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes the firmware look like that of a board, which reaches no files of the host."""
    monkeypatch.setattr(LinkClient, "capabilities", Capability.OBSERVER)


def test_every_layer_is_exact_through_files(
    built: Built, client: LinkClient, reference: TflmReference
) -> None:
    graph = built.project.source.graph
    with DeviceRunner(client, graph) as runner:
        parity = compare(graph, runner, reference, vectors(graph, 10, 0))
    assert (parity.exact, parity.layers, parity.vectors) == (True, 10, 10)
    layer_values = sum(graph.tensor(op.outputs[0]).elements for op in graph.operators)
    assert parity.values_compared == 10 * (layer_values + 10)


@pytest.mark.usefixtures("without_files")
def test_every_layer_is_exact_over_the_wire(
    built: Built, client: LinkClient, reference: TflmReference
) -> None:
    graph = built.project.source.graph
    with DeviceRunner(client, graph) as runner:
        parity = compare(graph, runner, reference, vectors(graph, 7, 0)[-2:])
    assert (parity.exact, parity.layers) == (True, 10)


def test_an_observed_run_does_not_change_the_next_answer(
    built: Built, client: LinkClient, reference: TflmReference
) -> None:
    graph = built.project.source.graph
    first, second = vectors(graph, 8, 1)[-2:]
    with DeviceRunner(client, graph) as runner:
        runner.run_layers(first)
        np.testing.assert_array_equal(runner.run(second)[0], reference.run(second)[0])


def test_many_inferences_keep_their_order(
    built: Built, client: LinkClient, reference: TflmReference
) -> None:
    graph = built.project.source.graph
    batch = vectors(graph, 60, 2)
    with DeviceRunner(client, graph) as runner:
        answers = [outputs[0].tolist() for outputs in runner.run_many(batch)]
    assert answers == [reference.run(inputs)[0].tolist() for inputs in batch]


def test_another_build_on_the_device_is_refused(built: Built, client: LinkClient) -> None:
    with pytest.raises(LinkError, match="another build"):
        DeviceRunner(client, built.project.source.graph, "0123456789abcdef")
