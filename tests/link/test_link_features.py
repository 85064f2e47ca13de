"""Raw samples over the link: pushed in any pieces, replayed from files, refused where not built."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import pytest
from link_device import QUICK, SMALL_BOARD, StartDevice
from link_fake_model import INPUT_0, expected_outputs, random_inputs

from tinyml_tool.devices.link.client import LinkClient
from tinyml_tool.devices.link.diagnosis import RefusedError
from tinyml_tool.errors import LinkError, OutputError
from tinyml_tool.protocol import ReplayFlag, Status
from tinyml_tool.verify.application import feed_application
from tinyml_tool.verify.replay import replay_samples

HASH = "ffeeddccbbaa99887766554433221100" * 2


@pytest.fixture
def client(start_device: StartDevice, tmp_path: Path) -> LinkClient:
    return LinkClient(start_device(directory=tmp_path), timeouts=QUICK)


def samples_of(values: np.ndarray) -> np.ndarray:
    """Samples whose features the fake device makes these values."""
    return values.reshape(-1).astype(np.int16)


def test_the_device_tells_its_preprocessing(client: LinkClient) -> None:
    info = client.features()
    assert info is not None
    assert info.features_hash.hex() == HASH
    assert (info.sample_bytes, info.input_bytes, info.ram_bytes) == (2, INPUT_0, 16)


def test_the_expected_preprocessing_is_accepted(client: LinkClient) -> None:
    client.expect_features(HASH)


@pytest.mark.parametrize("expected", ["ab" * 32, None])
def test_another_preprocessing_is_refused(client: LinkClient, expected: str | None) -> None:
    with pytest.raises(LinkError, match="has the preprocessing ffeeddccbbaa9988, expected"):
        client.expect_features(expected)


def test_a_board_without_preprocessing_is_refused_where_some_is_expected(
    start_device: StartDevice,
) -> None:
    client = LinkClient(start_device(SMALL_BOARD), timeouts=QUICK)
    client.expect_features(None)
    with pytest.raises(LinkError, match="has no preprocessing, expected ffee"):
        client.expect_features(HASH)


def test_a_board_without_preprocessing_says_so(start_device: StartDevice) -> None:
    client = LinkClient(start_device(SMALL_BOARD), timeouts=QUICK)
    with pytest.raises(LinkError, match="takes inputs of the model, no raw samples"):
        replay_samples(client, np.zeros(4, np.int16))
    with pytest.raises(RefusedError, match="built without preprocessing"):
        client.push(b"\0\0")


def test_a_window_becomes_an_input_that_runs(client: LinkClient) -> None:
    values, _ = random_inputs(3)
    client.start_features()
    data = samples_of(values).tobytes()
    position = 0
    while position < len(data):
        reply = client.push(data[position:])
        position += reply.taken
    assert reply.ready == 1
    assert client.read_input() == values.tobytes()
    zeros = np.zeros(3, np.float32)
    assert reply.inputs_crc == zlib.crc32(values.tobytes() + zeros.tobytes())
    outputs = client.run_pushed(reply).outputs
    wanted = expected_outputs([values, zeros])
    assert outputs == tuple(array.tobytes() for array in wanted)


def test_a_push_stops_where_an_input_is_complete(client: LinkClient) -> None:
    client.start_features()
    client.push(bytes(2 * 400))
    reply = client.push(bytes(2 * 400))
    assert (reply.taken, reply.ready) == (2 * 300, 1)


def test_an_incomplete_input_does_not_run(client: LinkClient) -> None:
    client.start_features()
    reply = client.push(bytes(20))
    assert (reply.ready, reply.inputs_crc) == (0, 0)
    with pytest.raises(RefusedError) as caught:
        client.run_pushed(reply)
    assert caught.value.status == Status.INPUTS_DIFFER
    with pytest.raises(RefusedError) as caught:
        client.read_input()
    assert caught.value.status == Status.NO_RESULT


def test_starting_anew_forgets_samples(client: LinkClient) -> None:
    client.start_features()
    client.push(bytes(2 * 699))
    client.start_features()
    assert client.push(bytes(2)).ready == 0


def test_half_a_sample_is_refused(client: LinkClient) -> None:
    client.start_features()
    with pytest.raises(RefusedError, match="MALFORMED"):
        client.push(b"\0\0\0")


def test_both_lanes_make_the_same_windows(client: LinkClient) -> None:
    chance = np.random.default_rng(2)
    samples = chance.integers(-128, 128, 3 * INPUT_0 + 50).astype(np.int16)
    by_wire = replay_samples(client, samples, use_files=False)
    by_files = replay_samples(client, samples)
    assert by_wire.windows == by_files.windows
    features = [np.frombuffer(w.features, np.int8) for w in by_files.windows]
    np.testing.assert_array_equal(np.concatenate(features), samples[: 3 * INPUT_0])


def test_a_replay_runs_the_model_where_asked(client: LinkClient) -> None:
    samples = samples_of(random_inputs(4)[0])
    (window,) = replay_samples(client, samples, run=True).windows
    (wired,) = replay_samples(client, samples, run=True, use_files=False).windows
    assert len(window.outputs) == len(wired.outputs) == 2
    assert window.outputs[0] == wired.outputs[0]


def test_a_replay_from_a_file_that_is_not_there_is_refused(
    client: LinkClient, tmp_path: Path
) -> None:
    (tmp_path / "replay_results.bin").mkdir()
    with pytest.raises(OutputError):
        client.replay(b"\0\0", tmp_path, ReplayFlag.FEATURES)


def fed_reports(client: LinkClient, windows: list[np.ndarray]) -> None:
    """The application runs the model on each window of a recording, and reports its outputs."""
    samples = np.concatenate([samples_of(values) for values in windows])
    reports = feed_application(client, samples)
    zeros = np.zeros(3, np.float32)
    assert len(reports) == len(windows)
    for values, report in zip(windows, reports, strict=True):
        (scores, _) = expected_outputs([values, zeros])
        assert report.outputs[0].top[0].stored == scores.max()
        assert report.answer is not None
        assert report.answer.best == int(scores.reshape(-1)[:3].argmax())


def test_the_application_works_on_samples_that_are_fed(client: LinkClient) -> None:
    windows = [random_inputs(seed)[0] for seed in range(3)]
    fed_reports(client, windows)
    fed_reports(client, windows[:1])


def test_samples_that_are_fed_begin_anew_after_the_link_made_features(client: LinkClient) -> None:
    client.start_features()
    client.push(bytes(20))
    assert client.feed(bytes(200)).taken == 200  # as if it had said so
    while client.feed(b"").left:
        pass
    client.push(bytes(20))
    fed_reports(client, [random_inputs(5)[0]])


def test_who_feeds_gives_up_the_outputs_of_the_last_run(client: LinkClient) -> None:
    client.infer(random_inputs(1))
    client.feed(bytes(2), anew=True)
    with pytest.raises(RefusedError) as caught:
        client.answer()
    assert caught.value.status == Status.NO_RESULT


def test_half_a_sample_cannot_be_fed(client: LinkClient) -> None:
    client.hello()
    with pytest.raises(RefusedError, match="MALFORMED"):
        client.feed(b"\0\0\0")


def test_a_board_without_preprocessing_cannot_be_fed(start_device: StartDevice) -> None:
    client = LinkClient(start_device(SMALL_BOARD), timeouts=QUICK)
    with pytest.raises(LinkError, match="its application takes no raw samples"):
        feed_application(client, np.zeros(4, np.int16))
    with pytest.raises(RefusedError, match="built without preprocessing"):
        client.feed(b"\0\0")
