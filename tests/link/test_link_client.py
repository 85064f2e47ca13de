"""A whole conversation between the Python client and the real C of the device."""

from __future__ import annotations

import numpy as np
import pytest
from link_device import EMULATED, QUICK, SMALL_BOARD, StartDevice
from link_fake_model import HASH, expected_layers, expected_outputs, random_inputs

from tinyml_tool.devices.link.client import LinkClient
from tinyml_tool.devices.link.diagnosis import RefusedError, RestartedError
from tinyml_tool.errors import InputError, LinkError
from tinyml_tool.protocol import Capability, Paused, ResetReason, Status


def test_hello_tells_all_about_the_device(client: LinkClient) -> None:
    hello = client.hello()
    assert hello.model_hash.hex() == HASH
    names = (hello.model_name, hello.build_id, hello.board, hello.engine, hello.tool_version)
    assert names == ("fake", "b1d", "fake-board", "aot", "9.8.7")
    assert (hello.stack_high_water, hello.stack_bytes, hello.arena_bytes) == (1234, 4096, 2048)
    assert (hello.input_count, hello.output_count, hello.layer_count) == (2, 2, 2)
    assert (hello.timer_hz, hello.model_status) == (25_000_000, 0)
    assert hello.reset_reason == ResetReason.POWER_ON


@pytest.mark.parametrize(
    ("variant", "capabilities", "payload"),
    [(EMULATED, ~Capability(0), 1024), (SMALL_BOARD, Capability(0), 256)],
)
def test_hello_tells_what_the_firmware_was_built_with(
    start_device: StartDevice, variant, capabilities, payload
) -> None:
    client = LinkClient(start_device(variant), timeouts=QUICK)
    assert client.hello().payload_bytes == payload
    assert client.capabilities == capabilities


def test_inputs_and_outputs_are_described(any_client: LinkClient) -> None:
    samples, settings = any_client.inputs
    assert (samples.name, samples.dtype, samples.shape) == ("samples", np.int8, (1, 700))
    assert (samples.scale, samples.zero_point) == (0.5, -3)
    assert (settings.dtype, settings.shape, settings.scale) == (np.float32, (3,), 0)
    assert [output.name for output in any_client.outputs] == ["scores", "digest"]


def test_runs_answer_what_the_model_computes(any_client: LinkClient) -> None:
    for seed in range(5):
        inputs = random_inputs(seed)
        for output, expected in zip(any_client.run(inputs), expected_outputs(inputs), strict=True):
            np.testing.assert_array_equal(output, expected)


def test_a_run_has_a_time(start_device: StartDevice) -> None:
    client = LinkClient(start_device(FAKE_RUN_MS="20"), timeouts=QUICK)
    assert client.infer(random_inputs(0)).ticks >= 0.02 * 25_000_000


def test_an_observed_run_shows_every_layer(client: LinkClient) -> None:
    inputs = random_inputs(3)
    outputs, layers = client.run_observed(inputs)
    assert layers == expected_layers(inputs)
    np.testing.assert_array_equal(outputs[0], expected_outputs(inputs)[0])


def test_an_observed_run_fetches_only_wanted_layers(client: LinkClient) -> None:
    inference = client.observe(random_inputs(3), wanted=lambda paused: paused.tensor == 9)
    assert set(inference.layers) == {9}
    assert set(inference.layer_crcs) == {7, 9, 11}


def test_an_aborted_observed_run_leaves_no_result(client: LinkClient) -> None:
    def stop(paused: Paused) -> bool:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        client.observe(random_inputs(1), wanted=stop)
    client.abort()
    inputs = random_inputs(2)
    np.testing.assert_array_equal(client.run(inputs)[1], expected_outputs(inputs)[1])


def test_a_new_session_ends_a_paused_run(client: LinkClient) -> None:
    def stop(paused: Paused) -> bool:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        client.observe(random_inputs(1), wanted=stop)
    client.hello()
    inputs = random_inputs(2)
    assert client.run_observed(inputs)[1] == expected_layers(inputs)


def test_a_paused_device_refuses_another_run(client: LinkClient) -> None:
    def run_again(paused: Paused) -> bool:
        client.run(random_inputs(4))
        return True

    with pytest.raises(RefusedError) as caught:
        client.observe(random_inputs(1), wanted=run_again)
    assert caught.value.status == Status.IS_PAUSED


def test_a_board_without_observer_says_so(start_device: StartDevice) -> None:
    client = LinkClient(start_device(SMALL_BOARD), timeouts=QUICK)
    with pytest.raises(RefusedError, match=r"NOT_SUPPORTED.*MODEL_OBSERVER"):
        client.run_observed(random_inputs(1))


def test_a_benchmark_counts_its_inferences(start_device: StartDevice) -> None:
    client = LinkClient(start_device(SMALL_BOARD, FAKE_RUN_MS="10"), timeouts=QUICK)
    benchmark = client.benchmark(3)
    assert benchmark.count == 3
    assert benchmark.seconds is not None
    assert 0.01 <= benchmark.least_ticks / benchmark.timer_hz <= benchmark.seconds
    assert benchmark.instructions is None, "this computer does not count instructions"


def test_a_time_of_an_emulator_is_no_time(start_device: StartDevice) -> None:
    benchmark = LinkClient(start_device(EMULATED, FAKE_RUN_MS="10"), timeouts=QUICK).benchmark(1)
    assert benchmark.least_ticks > 0
    assert benchmark.seconds is None


def test_a_long_run_is_waited_for(start_device: StartDevice) -> None:
    client = LinkClient(start_device(FAKE_RUN_MS="700"), timeouts=QUICK)
    client.run(random_inputs(0))
    assert client.statistics.sent_again == 0


def test_a_failing_model_is_reported_with_its_number(start_device: StartDevice) -> None:
    client = LinkClient(start_device(FAKE_RUN_STATUS="-17"), timeouts=QUICK)
    with pytest.raises(RefusedError, match=r"MODEL_FAILED.*model_invoke\(\) returned -17"):
        client.run(random_inputs(0))


def test_a_model_that_does_not_start_is_reported(start_device: StartDevice) -> None:
    client = LinkClient(start_device(FAKE_INIT_STATUS="5"), timeouts=QUICK)
    assert client.hello().model_status == 5
    with pytest.raises(RefusedError, match=r"model_init\(\) failed"):
        client.run(random_inputs(0))


def test_the_arena_in_use_is_told(client: LinkClient) -> None:
    client.hello()
    state = client.model_state()
    assert (state.status, state.arena_bytes, state.arena_used) == (0, 2048, 2000)
    assert state.failure == b""


def test_the_reason_of_a_failure_is_told_in_words(start_device: StartDevice) -> None:
    device = start_device(FAKE_INIT_STATUS="5", FAKE_FAILURE="no room for a tensor")
    client = LinkClient(device, timeouts=QUICK)
    client.hello()
    state = client.model_state()
    assert (state.status, state.arena_used) == (5, 0)
    assert state.failure == b"no room for a tensor"


def test_a_long_reason_is_cut_to_the_shortest_payload(start_device: StartDevice) -> None:
    client = LinkClient(start_device(SMALL_BOARD, FAKE_FAILURE="x" * 1000), timeouts=QUICK)
    client.hello()
    assert client.model_state().failure == b"x" * (256 - 12)


def test_the_expected_model_is_accepted(client: LinkClient) -> None:
    client.expect_model(HASH, "b1d")


def test_another_model_is_refused(client: LinkClient) -> None:
    with pytest.raises(LinkError, match="another model is on the device: 'fake'"):
        client.expect_model("ab" * 32)


def test_another_build_is_refused(client: LinkClient) -> None:
    with pytest.raises(LinkError, match="another build is on the device: b1d, expected c0de"):
        client.expect_model(HASH, "c0de")


def test_inputs_that_do_not_fit_are_refused_before_they_are_sent(client: LinkClient) -> None:
    with pytest.raises(InputError, match=r"input 0 'samples' is int8 \[1, 700\], not float64"):
        client.run([np.zeros((1, 700)), np.zeros(3, np.float32)])


def test_a_device_can_be_restarted(client: LinkClient) -> None:
    client.run(random_inputs(0))
    assert client.restart().reset_reason == ResetReason.SOFTWARE
    inputs = random_inputs(1)
    np.testing.assert_array_equal(client.run(inputs)[1], expected_outputs(inputs)[1])


def test_a_second_host_takes_the_session_over(start_device: StartDevice) -> None:
    stream = start_device()
    first = LinkClient(stream, timeouts=QUICK)
    first.hello()
    LinkClient(stream, timeouts=QUICK).hello()
    with pytest.raises(RestartedError, match="nothing of this run was used"):
        first.run(random_inputs(0))
