"""Frames and text on one stream: Python and C agree, and nothing damaged is ever accepted."""

from __future__ import annotations

import zlib
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from link_probe import PAYLOAD_BYTES, Event, Probe, join_text

from tinyml_tool.devices.link.framing import (
    Damaged,
    Demultiplexer,
    Frame,
    Received,
    Text,
    cobs_decode,
    cobs_encode,
    encode_frame,
)
from tinyml_tool.protocol import MARKER, Header, decode, encode

pytestmark = pytest.mark.usefixtures("probe")

BLOCK_EDGES = [0, 1, 253, 254, 255, 508, 509, 762, PAYLOAD_BYTES]

headers = st.builds(
    Header,
    marker=st.just(MARKER),
    zero=st.just(0),
    version=st.integers(0, 255),
    type=st.integers(0, 255),
    status=st.integers(0, 255),
    sequence=st.integers(0, 2**16 - 1),
    session=st.integers(0, 2**32 - 1),
)
zeros_and_more = st.lists(
    st.sampled_from([b"\0", b"\x01", b"\xff", b"\0\0\0", b"a" * 254, b"b" * 300]), max_size=3
).map(b"".join)
payloads = st.one_of(
    st.binary(max_size=40), zeros_and_more, st.sampled_from(BLOCK_EDGES).map(lambda n: b"x" * n)
)
frames = st.builds(encode_frame, headers, payloads)
noise = st.lists(
    st.one_of(
        st.binary(max_size=30),
        st.sampled_from([b"\0", b"\0\0", b"\0\x02", b"\0\x02\xf7", b"help\r\n", b"\x02\xf7"]),
    ),
    max_size=4,
).map(b"".join)


def receive(stream: bytes, cuts: tuple[int, ...] = ()) -> list[Event]:
    """What the host makes of a byte stream that arrives in pieces."""
    demultiplexer = Demultiplexer()
    edges = [0, *sorted(cuts), len(stream)]
    received: list[Received] = []
    for start, end in pairwise(edges):
        received += demultiplexer.feed(stream[start:end])
    return join_text([event(item) for item in received])


def event(item: Received) -> Event:
    match item:
        case Frame(header, payload):
            return ("frame", encode(header) + payload)
        case Text(data):
            return ("text", data)
        case Damaged():
            return ("damaged", b"")


def frames_in(events: list[Event]) -> list[bytes]:
    return [data for name, data in events if name == "frame"]


@given(st.binary(max_size=1200))
def test_cobs_removes_zeros_and_gives_them_back(data: bytes) -> None:
    encoded = cobs_encode(data)
    assert 0 not in encoded
    assert cobs_decode(encoded) == data


@pytest.mark.parametrize("length", BLOCK_EDGES)
@pytest.mark.parametrize("fill", [0, 1])
def test_cobs_is_right_at_the_edges_of_blocks(length: int, fill: int) -> None:
    for data in (bytes([fill]) * length, bytes([fill]) * length + b"\0", b"\0" + b"a" * length):
        assert cobs_decode(cobs_encode(data)) == data


@given(headers, payloads)
def test_a_frame_comes_back(header: Header, payload: bytes) -> None:
    assert receive(encode_frame(header, payload)) == [("frame", encode(header) + payload)]


@given(frames)
def test_every_frame_starts_with_the_same_three_bytes(frame: bytes) -> None:
    assert frame.startswith(b"\0\x02\xf7")


@given(headers, payloads)
def test_device_and_host_put_the_same_bytes_on_the_wire(
    probe: Probe, header: Header, payload: bytes
) -> None:
    assert probe.send(encode(header) + payload) == encode_frame(header, payload)


@settings(max_examples=300)
@given(st.lists(st.one_of(frames, noise), max_size=5).map(b"".join))
def test_device_and_host_make_the_same_of_any_stream(probe: Probe, stream: bytes) -> None:
    assert receive(stream) == probe.receive(stream)


@given(frames, frames, st.lists(st.integers(0, 200), max_size=20))
def test_it_does_not_matter_how_a_stream_is_cut(
    first: bytes, second: bytes, cuts: list[int]
) -> None:
    stream = first + b"some text\r\n" + second
    inside = tuple(cut for cut in cuts if cut <= len(stream))
    assert receive(stream, inside) == receive(stream)


@given(st.binary(max_size=30))
def test_a_frame_split_at_every_byte_comes_back(payload: bytes) -> None:
    header = Header(MARKER, 0, 1, 4, 0, 7, 99)
    stream = b"before" + encode_frame(header, payload) + b"behind"
    everywhere = tuple(range(len(stream)))
    expected = [("text", b"before"), ("frame", encode(header) + payload), ("text", b"behind")]
    assert receive(stream, everywhere) == expected


@given(noise, headers, payloads, noise)
def test_a_frame_is_found_after_any_garbage(
    probe: Probe, before: bytes, header: Header, payload: bytes, after: bytes
) -> None:
    stream = before + encode_frame(header, payload) + after
    assert encode(header) + payload in frames_in(receive(stream))
    assert encode(header) + payload in frames_in(probe.receive(stream))


@given(frames, st.data())
def test_a_truncated_frame_is_never_accepted(
    probe: Probe, frame: bytes, data: st.DataObject
) -> None:
    end = data.draw(st.integers(0, len(frame) - 2))
    for stream in (frame[:end], frame[:end] + b"\0"):
        assert frames_in(receive(stream)) == []
        assert frames_in(probe.receive(stream)) == []


@given(frames, frames, st.data())
def test_a_good_frame_is_accepted_after_a_truncated_one(
    probe: Probe, first: bytes, second: bytes, data: st.DataObject
) -> None:
    stream = first[: data.draw(st.integers(0, len(first) - 2))] + second
    expected = frames_in(receive(second))
    assert frames_in(receive(stream)) == expected
    assert frames_in(probe.receive(stream)) == expected


@settings(max_examples=300)
@given(frames, st.lists(st.integers(0, 2**16), min_size=1, max_size=4, unique=True))
def test_flipped_bits_are_never_accepted(probe: Probe, frame: bytes, bits: list[int]) -> None:
    damaged = bytearray(frame)
    for bit in {bit % (8 * len(frame)) for bit in bits}:
        damaged[bit // 8] ^= 1 << (bit % 8)
    good = frames_in(receive(frame))
    assert [data for data in frames_in(receive(bytes(damaged))) if data not in good] == []
    assert [data for data in frames_in(probe.receive(bytes(damaged))) if data not in good] == []


@pytest.mark.parametrize("end", [b"", b"\0", b"\0more"])
def test_blocks_of_any_length_come_back_on_the_device(probe: Probe, end: bytes) -> None:
    header = Header(MARKER, 0, 1, 4, 0, 0x0101, 0x01010101)
    for length in range(230, 530):
        payload = b"a" * length + end
        events = probe.receive(encode_frame(header, payload))
        assert events == [("frame", encode(header) + payload)]


@pytest.mark.parametrize(("extra", "event"), [(0, "frame"), (1, "damaged"), (2, "damaged")])
def test_the_device_takes_payloads_up_to_its_limit(probe: Probe, extra: int, event: str) -> None:
    header = Header(MARKER, 0, 1, 4, 0, 7, 99)
    frame = encode_frame(header, b"a" * (PAYLOAD_BYTES + extra))
    assert probe.receive(frame)[0][0] == event


@pytest.mark.parametrize("noise", [b"\0", b"\0\0\0", b"\0\x02", b"\0\xf7"])
def test_noise_does_not_block_text(probe: Probe, noise: bytes) -> None:
    for receiver in (receive, probe.receive):
        assert ("text", b"help\r") in [
            (name, data[-5:]) for name, data in receiver(noise + b"help\r")
        ]


def test_text_is_back_when_a_frame_without_end_grows_too_long(probe: Probe) -> None:
    stream = b"\0\x02\xf7" + b"a" * 1100 + b"help\r"
    (damaged, text) = probe.receive(stream)
    assert damaged == ("damaged", b"")
    assert text[1].endswith(b"help\r")


def test_the_host_too_gives_a_frame_without_end_up() -> None:
    events = receive(b"\0\x02\xf7" + b"a" * 4300 + b"tail")
    assert events[0] == ("damaged", b"")
    assert events[1][1].endswith(b"tail")


@given(st.binary(max_size=100), st.binary(max_size=100))
def test_the_device_computes_the_crc_of_zlib(probe: Probe, first: bytes, second: bytes) -> None:
    assert probe.crc32(probe.crc32(0, first), second) == zlib.crc32(first + second)


@given(headers)
def test_headers_come_back(header: Header) -> None:
    assert decode(Header, encode(header)) == header
