"""Any pattern of faults: what gets through is what was sent, and a few faults are overcome.

Hypothesis chooses where a fault meets the stream, so that it also finds the rare places: a code of
COBS, the last byte of a CRC, the edge between two frames.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from link_device import EMULATED, SMALL_BOARD, DeviceStream, Variant
from link_fake_model import expected_layers, expected_outputs, random_inputs

from tinyml_tool.devices.link.client import LinkClient
from tinyml_tool.devices.link.exchange import Timeouts
from tinyml_tool.devices.link.framing import Demultiplexer, Frame, Text, encode_frame
from tinyml_tool.errors import LinkError
from tinyml_tool.protocol import MARKER, VERSION, Header

IMPATIENT = Timeouts(
    connect=3, answer=0.03, answer_longest=0.1, give_up=3, work=3, probe=0.1, tries=300
)

Fault = Callable[[int], bytes]
"""What becomes of a byte."""


def changed(mask: int) -> Fault:
    return lambda byte: bytes((byte ^ mask,))


FAULTS: st.SearchStrategy[Fault] = st.one_of(
    st.just(lambda byte: b""),
    st.just(lambda byte: bytes((byte, byte))),
    st.just(lambda byte: b"\0"),
    st.just(lambda byte: bytes((byte,)) + b"\x00\x02\xf7"),
    st.integers(1, 255).map(changed),
)
"""Lost, doubled, zeroed, followed by the start of a frame, changed."""


def patterns(bytes_of_stream: int, most: int) -> st.SearchStrategy[dict[int, Fault]]:
    """Faults by the position of the byte that they meet."""
    return st.dictionaries(st.integers(0, bytes_of_stream - 1), FAULTS, max_size=most)


def damage(data: bytes, position: int, faults: dict[int, Fault]) -> bytes:
    """`data`, whose first byte is the one at `position` of the stream."""
    whole = bytearray()
    for offset, byte in enumerate(data):
        fault = faults.get(position + offset)
        whole += fault(byte) if fault else bytes((byte,))
    return bytes(whole)


def some_frames() -> list[Frame]:
    """Replies of the lengths that occur, in which zeros and long runs without any do."""
    random = np.random.default_rng(5)
    payloads = [b"", b"\0" * 9, random.bytes(255), bytes(range(1, 255)) * 2, random.bytes(1024)]
    return [
        Frame(Header(MARKER, 0, VERSION, 0x80 | number, 0, number, 77), payload)
        for number, payload in enumerate(payloads, start=1)
    ]


FRAMES = some_frames()
STREAM = b"text between\r\n".join(encode_frame(frame.header, frame.payload) for frame in FRAMES)


@settings(max_examples=400, deadline=None)
@given(faults=patterns(len(STREAM), 30), cuts=st.lists(st.integers(0, len(STREAM))))
def test_no_frame_is_received_that_was_not_sent(faults: dict[int, Fault], cuts: list[int]) -> None:
    stream = damage(STREAM, 0, faults)
    demultiplexer, received = Demultiplexer(), []
    for start, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(stream)], strict=True):
        received += demultiplexer.feed(stream[start:end])
    frames = [item for item in received if isinstance(item, Frame)]
    rest = iter(FRAMES)
    assert all(frame in rest for frame in frames), "another frame, or another order"
    assert len(frames) >= len(FRAMES) - 2 * len(faults), "a fault costs the frames that it meets"
    assert all(item.data for item in received if isinstance(item, Text))


@dataclass
class PatternStream:
    """A line on which certain bytes of the conversation meet faults."""

    device: DeviceStream
    there: dict[int, Fault]
    back: dict[int, Fault]
    sent: int = 0
    received: int = field(default=0)

    def write(self, data: bytes) -> None:
        self.device.write(damage(data, self.sent, self.there))
        self.sent += len(data)

    def read(self, max_bytes: int, timeout: float) -> bytes:
        data = self.device.read(max_bytes, timeout)
        self.received += len(data)
        return damage(data, self.received - len(data), self.back)

    def close(self) -> None:
        self.device.close()


CONVERSATION_BYTES = 2600
"""Each way about 1,000 to 2,500, without repetitions."""


def conversation(
    programs: dict[Variant, Path],
    variant: Variant,
    there: dict[int, Fault],
    back: dict[int, Fault],
) -> None:
    """One inference over such a line; raises where it is wrong or fails."""
    inputs = random_inputs(3)
    stream = PatternStream(DeviceStream(programs[variant]), there, back)
    client = LinkClient(stream, timeouts=IMPATIENT)
    try:
        if variant is EMULATED:
            outputs, layers = client.run_observed(inputs)
            assert layers == expected_layers(inputs)
        else:
            outputs = client.run(inputs)
    finally:
        stream.close()
    for output, expected in zip(outputs, expected_outputs(inputs), strict=True):
        np.testing.assert_array_equal(output, expected)


VARIANTS = st.sampled_from([EMULATED, SMALL_BOARD])
SOME = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@SOME
@given(
    variant=VARIANTS,
    there=patterns(CONVERSATION_BYTES, 4),
    back=patterns(CONVERSATION_BYTES, 4),
)
def test_a_few_faults_anywhere_are_overcome(
    device_programs: dict[Variant, Path],
    variant: Variant,
    there: dict[int, Fault],
    back: dict[int, Fault],
) -> None:
    conversation(device_programs, variant, there, back)


@SOME
@given(
    variant=VARIANTS,
    there=patterns(CONVERSATION_BYTES, 120),
    back=patterns(CONVERSATION_BYTES, 120),
)
def test_many_faults_never_make_a_wrong_result(
    device_programs: dict[Variant, Path],
    variant: Variant,
    there: dict[int, Fault],
    back: dict[int, Fault],
) -> None:
    try:
        conversation(device_programs, variant, there, back)
    except LinkError as error:
        assert error.hint
