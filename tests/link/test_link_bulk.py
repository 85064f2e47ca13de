"""The emulator's file lane: many inferences between two files, all checked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from link_device import QUICK, SMALL_BOARD, StartDevice
from link_fake_model import expected_layers, expected_outputs, random_inputs

from tinyml_tool.devices.link.bulk_file import read_bulk_file
from tinyml_tool.devices.link.client import LinkClient
from tinyml_tool.devices.link.diagnosis import RefusedError
from tinyml_tool.devices.link.exchange import Exchange
from tinyml_tool.errors import InputError, LinkError, OutputError
from tinyml_tool.protocol import BULK, BulkRequest, RunFlag

BATCH = [random_inputs(seed) for seed in range(12)]


@pytest.mark.parametrize("layers", [False, True])
def test_a_batch_gives_what_single_runs_give(
    client: LinkClient, tmp_path: Path, layers: bool
) -> None:
    result = client.run_bulk(BATCH, tmp_path, layers=layers)
    for inputs, inference in zip(BATCH, result.inferences, strict=True):
        outputs = [output.tobytes() for output in expected_outputs(inputs)]
        assert inference.outputs == outputs
        assert inference.layers == (expected_layers(inputs) if layers else {})


def test_a_batch_has_a_time_unless_layers_are_written(client: LinkClient, tmp_path: Path) -> None:
    assert client.run_bulk(BATCH, tmp_path).ticks > 0
    assert client.run_bulk(BATCH, tmp_path, layers=True).ticks == 0


def test_the_folder_may_have_another_name_for_the_emulator(
    client: LinkClient, tmp_path: Path
) -> None:
    result = client.run_bulk(BATCH[:1], tmp_path, seen_as="")
    assert result.inferences[0].outputs[0] == expected_outputs(BATCH[0])[0].tobytes()


def test_an_empty_batch_is_no_trouble(client: LinkClient, tmp_path: Path) -> None:
    assert client.run_bulk([], tmp_path).inferences == ()


def test_the_link_goes_on_after_a_batch(client: LinkClient, tmp_path: Path) -> None:
    client.run_bulk(BATCH, tmp_path)
    np.testing.assert_array_equal(client.run(BATCH[3])[1], expected_outputs(BATCH[3])[1])


def test_a_slow_batch_shows_signs_of_life(start_device: StartDevice, tmp_path: Path) -> None:
    client = LinkClient(start_device(FAKE_RUN_MS="60"), timeouts=QUICK)
    client.hello()
    before = client.statistics.bytes_received
    client.run_bulk(BATCH, tmp_path)
    assert client.statistics.sent_again == 0
    assert client.statistics.bytes_received - before > 150, "more than one WORKING and the reply"


def test_a_board_without_files_says_so(start_device: StartDevice, tmp_path: Path) -> None:
    client = LinkClient(start_device(SMALL_BOARD), timeouts=QUICK)
    with pytest.raises(RefusedError, match="built without TINYML_SEMIHOSTING"):
        client.run_bulk(BATCH, tmp_path)


def bulk(exchange: Exchange, source: Path, target: str) -> None:
    exchange.open()
    exchange.call(BULK, BulkRequest(2, RunFlag.OBSERVE, str(source), target))


@pytest.mark.parametrize(
    ("source", "target", "detail"),
    [
        ("missing", "out", "cannot open the input file"),
        ("two", "no/such/folder", "cannot open the output file"),
        ("one", "out", "the input file is too short"),
        ("two", "/dev/full", "cannot write: is the disk full"),
    ],
)
def test_trouble_with_files_is_reported(
    start_device: StartDevice, tmp_path: Path, source: str, target: str, detail: str
) -> None:
    (tmp_path / "one").write_bytes(bytes(712))
    (tmp_path / "two").write_bytes(bytes(2 * 712))
    with pytest.raises(RefusedError, match=detail):
        bulk(Exchange(start_device(), QUICK), tmp_path / source, target)


def test_a_path_that_does_not_fit_a_frame_is_refused(client: LinkClient, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the paths of the file lane take"):
        client.run_bulk(BATCH, tmp_path, seen_as="x" * 600)


def test_a_folder_that_does_not_exist_is_named(client: LinkClient, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="absent: No such file or directory"):
        client.run_bulk(BATCH, tmp_path / "absent")


def test_files_that_are_not_the_device_s_are_not_accepted(
    client: LinkClient, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    client.run_bulk(BATCH, elsewhere)
    stale = (elsewhere / "bulk_outputs.bin").read_bytes()
    (tmp_path / "bulk_inputs.bin").write_bytes((elsewhere / "bulk_inputs.bin").read_bytes())

    class Mixed(type(elsewhere)):  # type: ignore[misc]
        """A folder where someone replaces the outputs before they are read."""

        def __truediv__(self, name: str) -> Path:
            path = Path(elsewhere) / name
            if name == "bulk_outputs.bin" and path.exists():
                path.write_bytes(stale)
            return path

    with pytest.raises(LinkError, match="the output file changed"):
        client.run_bulk(BATCH[:5], Mixed(elsewhere), seen_as=str(elsewhere))


def written(client: LinkClient, directory: Path) -> bytes:
    client.run_bulk(BATCH[:2], directory, layers=True)
    return (directory / "bulk_outputs.bin").read_bytes()


def test_a_damaged_or_cut_output_file_is_refused(client: LinkClient, tmp_path: Path) -> None:
    content = written(client, tmp_path)
    for position in range(20, len(content), 211):
        with pytest.raises(ValueError, match=r"\w"):
            read_bulk_file(content[:position], 2, 2)
    flipped = content[:40] + bytes([content[40] ^ 1]) + content[41:]
    with pytest.raises(ValueError, match="the record of inference 0 is damaged"):
        read_bulk_file(flipped, 2, 2)


def test_a_missing_inference_is_noticed(client: LinkClient, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="inference 2 has 0 outputs"):
        read_bulk_file(written(client, tmp_path), 3, 2)
