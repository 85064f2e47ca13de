"""What outputs say, told by the device: after a run, a batch, a replay; refused where not built."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from link_device import QUICK, SMALL_BOARD, StartDevice
from link_fake_model import INPUT_0, expected_outputs, random_inputs
from numpy.typing import NDArray

from tinyml_tool.devices.link.client import LinkClient
from tinyml_tool.devices.link.diagnosis import RefusedError
from tinyml_tool.errors import LinkError
from tinyml_tool.preprocess.answer_spec import parse_answer
from tinyml_tool.protocol import AnswerReply, ReplayFlag, RunFlag, Status
from tinyml_tool.verify.device_answers import device_answer
from tinyml_tool.verify.replay import replay_samples

HASH = "0123456789abcdef" * 4
LABELS = ("one", "two", "a label that is longer than the wire can tell")
SPEC = parse_answer({"labels": LABELS}, "x")
BATCH = [random_inputs(seed) for seed in range(4)]


@pytest.fixture
def client(start_device: StartDevice) -> LinkClient:
    return LinkClient(start_device(), timeouts=QUICK)


def best_of(inputs: list[NDArray[Any]]) -> int:
    return int(expected_outputs(inputs)[0].reshape(-1)[:3].argmax())


def score_of(inputs: list[NDArray[Any]], windows: int) -> float:
    return windows + int(inputs[0].reshape(-1)[0]) / 256 + 1000 * best_of(inputs)


def assert_answers(replies: list[AnswerReply | None], *, apart: bool) -> None:
    for number, (inputs, reply) in enumerate(zip(BATCH, replies, strict=True)):
        assert reply is not None
        windows = 1 if apart else number + 1
        answer = device_answer(reply, SPEC)
        assert answer.best == best_of(inputs)
        assert answer.label == LABELS[best_of(inputs)]
        assert answer.score == score_of(inputs, windows)
        assert answer.detected == (answer.label if windows > 1 else None)
        assert [label for label, _ in answer.top] == [
            LABELS[(best_of(inputs) + place) % 3] for place in range(2)
        ]


def test_the_device_tells_its_answer_spec(client: LinkClient) -> None:
    info = client.answers()
    assert info is not None
    assert info.answer_hash.hex() == HASH
    assert (info.classes, info.top, info.ram_bytes) == (3, 2, 8)
    client.expect_answer(HASH)


@pytest.mark.parametrize("expected", ["ab" * 32, None])
def test_another_answer_spec_is_refused(client: LinkClient, expected: str | None) -> None:
    with pytest.raises(LinkError, match="has the answer spec 0123456789abcdef, expected") as caught:
        client.expect_answer(expected)
    assert ("abababababababab" in caught.value.message) == (expected is not None)
    assert "generate, build and flash" in str(caught.value.hint)


def test_a_board_without_answers_says_so(start_device: StartDevice, tmp_path: Path) -> None:
    client = LinkClient(start_device(SMALL_BOARD), timeouts=QUICK)
    client.expect_answer(None)
    with pytest.raises(LinkError, match="has no answer spec, expected 0123"):
        client.expect_answer(HASH)
    with pytest.raises(RefusedError, match=r"built without \[answer\]"):
        client.answer()


@pytest.mark.parametrize("apart", [False, True])
def test_a_run_is_followed_by_its_answer(client: LinkClient, apart: bool) -> None:
    client.start_features()
    replies: list[AnswerReply | None] = []
    for inputs in BATCH:
        client.infer(inputs)
        replies.append(client.answer(apart=apart))
    assert_answers(replies, apart=apart)


def test_an_answer_asked_twice_is_the_same(client: LinkClient) -> None:
    client.start_features()
    client.infer(BATCH[0])
    assert client.answer() == client.answer() == client.answer(apart=True)


def test_an_observed_run_has_an_answer(client: LinkClient) -> None:
    client.start_features()
    client.observe(BATCH[0])
    assert client.answer().best == best_of(BATCH[0])


def test_without_outputs_there_is_no_answer(client: LinkClient) -> None:
    client.hello()
    with pytest.raises(RefusedError) as caught:
        client.answer()
    assert caught.value.status == Status.NO_RESULT


@pytest.mark.parametrize("layers", [False, True])
@pytest.mark.parametrize("apart", [False, True])
def test_a_batch_tells_the_answer_of_each(
    client: LinkClient, tmp_path: Path, layers: bool, apart: bool
) -> None:
    flags = RunFlag.ANSWERS | (RunFlag.APART if apart else RunFlag(0))
    for _ in range(2):  # each batch begins anew
        bulk = client.run_bulk(BATCH, tmp_path, layers=layers, answers=flags)
        assert_answers([inference.answer for inference in bulk.inferences], apart=apart)


def test_a_batch_that_does_not_ask_gets_none(client: LinkClient, tmp_path: Path) -> None:
    assert {i.answer for i in client.run_bulk(BATCH, tmp_path).inferences} == {None}


def test_both_lanes_tell_the_answers_of_a_replay(client: LinkClient) -> None:
    samples = np.concatenate([inputs[0].reshape(-1) for inputs in BATCH]).astype(np.int16)
    by_wire = replay_samples(client, samples, run=True, use_files=False).windows
    by_files = replay_samples(client, samples, run=True).windows
    assert samples.size == len(by_files) * INPUT_0
    for wired, filed in zip(by_wire, by_files, strict=True):
        assert wired.answer is not None and filed.answer is not None
        assert device_answer(wired.answer, SPEC).to_json() == (
            device_answer(filed.answer, SPEC).to_json()
        )
    told = [w.answer.score % 1000 // 1 for w in by_files if w.answer is not None]
    counts = [1, 2, 3, 4]
    first = [int(inputs[0].reshape(-1)[0]) / 256 for inputs in BATCH]
    assert told == [(count + part) // 1 for count, part in zip(counts, first, strict=True)]


def test_a_replay_that_does_not_ask_gets_none(client: LinkClient, tmp_path: Path) -> None:
    samples = BATCH[0][0].reshape(-1).astype(np.int16).tobytes()
    flags = ReplayFlag.FEATURES | ReplayFlag.OUTPUTS
    (window,) = client.replay(samples, tmp_path, flags).windows
    assert window.answer is None


def test_labels_that_are_not_the_specs_are_refused(client: LinkClient) -> None:
    client.infer(BATCH[0])
    reply = client.answer()
    other = parse_answer({"labels": ["x", "y", "z"]}, "x")
    with pytest.raises(LinkError, match="the device calls class"):
        device_answer(reply, other)
    few = parse_answer({"labels": ["one", "two"]}, "x")
    with pytest.raises(LinkError, match=r"the device answers with classes .*, there are 2"):
        device_answer(AnswerReply(-1, 2, 0, 0, "", b""), few)
