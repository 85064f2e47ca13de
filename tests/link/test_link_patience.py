"""When the host asks again: as soon as that may help, and not while the answer is on its way."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from test_link_diagnosis import BRIEF, ScriptedStream, hello_only, reply

from tinyml_tool.devices.link.client import LinkClient
from tinyml_tool.devices.link.framing import Frame
from tinyml_tool.devices.link.patience import Patience
from tinyml_tool.protocol import HELLO, RunReply, Status, Working, encode

WORKING = encode(Working(done=0))
DONE = encode(RunReply(ticks=5, outputs_crc=0))
PATIENT = replace(BRIEF, probe=60, work=60)


def damaged(frame: bytes) -> bytes:
    return frame[:-3] + bytes((frame[-3] ^ 0x20 or 1,)) + frame[-2:]


def without_its_end(frame: bytes) -> bytes:
    return frame[:-1]


@pytest.mark.parametrize("spoil", [damaged, without_its_end])
def test_a_spoiled_answer_is_asked_for_again_until_it_is_there(
    spoil: Callable[[bytes], bytes],
) -> None:
    """The device will not say anything by itself any more: waiting for it would take minutes."""
    tries = iter(range(9))

    def answer(frame: Frame) -> bytes:
        if frame.header.type == HELLO.code:
            return hello_only(frame)
        done = reply(frame, DONE)
        match next(tries):
            case 0:
                return reply(frame, WORKING, Status.WORKING) + spoil(done)
            case 1:
                return b""
        return done

    client = LinkClient(ScriptedStream(answer), timeouts=PATIENT)
    start = time.monotonic()
    assert client.infer([]).ticks == 5
    assert client.statistics.sent_again == 2
    assert time.monotonic() - start < 5


class SlowReader(ScriptedStream):
    """Gives out what the device sends in small pieces with pauses between them."""

    def read(self, max_bytes: int, timeout: float) -> bytes:
        data, self.waiting = self.waiting[:8], self.waiting[8:]
        time.sleep(min(timeout, 0.03) if data else timeout)
        return data


def test_an_answer_that_arrives_slowly_is_not_asked_for_again() -> None:
    """A reply to HELLO of 20 pieces takes longer than the time for an answer."""
    client = LinkClient(SlowReader(hello_only), timeouts=replace(BRIEF, connect=10))
    client.hello()
    assert client.statistics.sent_again == 0


def after_answers(seconds: float, moved: int) -> Patience:
    patience = Patience(longest=0.5)
    for _ in range(4):
        patience.answered(seconds, moved)
    return patience


def test_nothing_is_known_of_a_new_connection() -> None:
    assert Patience(longest=0.5).after(1000) == 0.5


@pytest.mark.parametrize(
    ("seconds", "usual"), [(0.001, 0.05), (0.02, 0.08), (0.1, 0.4), (0.3, 0.5)]
)
def test_patience_follows_the_slowest_answer_within_bounds(seconds: float, usual: float) -> None:
    assert after_answers(seconds, moved=100).usual == pytest.approx(usual)


def test_one_slow_answer_is_remembered_for_a_while() -> None:
    patience = after_answers(0.001, moved=100)
    patience.answered(0.1, 100)
    assert patience.usual == pytest.approx(0.4)
    for _ in range(16):
        patience.answered(0.001, 100)
    assert patience.usual == pytest.approx(0.05)


def test_a_long_request_on_a_slow_line_gets_the_time_it_travels() -> None:
    """At 9,600 baud 1,024 bytes take 1.07 s; an answer of 200 bytes has shown that."""
    patience = after_answers(0.21, moved=200)
    assert patience.after(1024) - patience.usual == pytest.approx(2 * 1024 * 0.21 / 200)
