"""The device survives whatever arrives: random bytes, mutated frames, senseless requests."""

from __future__ import annotations

import random
import subprocess
import zlib
from pathlib import Path

import pytest
from link_device import EMULATED, SMALL_BOARD, Variant

from tinyml_tool.devices.link.framing import Demultiplexer, Frame, encode_frame
from tinyml_tool.protocol import (
    HELLO,
    MARKER,
    REQUESTS,
    RESET,
    RUN,
    SET_INPUT,
    VERSION,
    Header,
    RunRequest,
    SetInputRequest,
    Status,
    encode,
)

SESSION = 77
SMALL_NUMBERS = (0, 1, 2, 7, 12, 255, 256, 300, 700, 900, 0xFFFF, 0xFFFFFFFF)


def survives(program: Path, stream: bytes, directory: Path) -> set[int]:
    """Statuses of the replies, to see how far the stream got."""
    result = subprocess.run(
        [program], input=stream, capture_output=True, cwd=directory, timeout=60, check=False
    )
    assert result.returncode == 0, result.stderr.decode()
    received = Demultiplexer().feed(result.stdout)
    return {item.header.status for item in received if isinstance(item, Frame)}


def some_payload(chance: random.Random, code: int) -> bytes:
    if code == 10:  # BENCHMARK: few inferences
        return chance.randrange(3).to_bytes(4, "little")
    if code == 11:  # BULK: few inferences, no foreign folder
        names = [b"in\0", b"out\0", b"\0", b"no end", b"\xff\xfe\0"]
        flags = chance.randrange(3).to_bytes(2, "little")
        count = chance.randrange(3).to_bytes(4, "little")
        return count + flags + b"".join(chance.choices(names, k=chance.randrange(4)))
    if chance.random() < 0.3:
        return chance.randbytes(chance.randrange(60))
    numbers = [chance.choice(SMALL_NUMBERS) for _ in range(chance.randrange(4))]
    return b"".join(
        (number % 256 ** (size := chance.choice((2, 4)))).to_bytes(size, "little")
        for number in numbers
    )


def run_requests(chance: random.Random) -> list[tuple[int, bytes]]:
    """Inputs that arrive whole, and a run on them."""
    inputs = [chance.randbytes(700), chance.randbytes(12)]
    requests = [
        (SET_INPUT.code, encode(SetInputRequest(index, start, data[start : start + 240])))
        for index, data in enumerate(inputs)
        for start in range(0, len(data), 240)
    ]
    run = RunRequest(flags=chance.randrange(2), inputs_crc=zlib.crc32(b"".join(inputs)))
    return [*requests, (RUN.code, encode(run))]


def senseless_requests(chance: random.Random) -> list[tuple[int, bytes]]:
    codes = [request.code for request in REQUESTS if request is not RESET] + [0, 14, 99, 127]
    code = chance.choice(codes)
    return [(code, some_payload(chance, code))]


def good_frames(chance: random.Random, count: int) -> list[bytes]:
    """Frames with right CRCs, most in the right session, with requests of little sense."""
    frames = [encode_frame(Header(MARKER, 0, VERSION, HELLO.code, 0, 0, SESSION), b"")]
    while len(frames) < count:
        requests = run_requests(chance) if chance.random() < 0.1 else senseless_requests(chance)
        for code, payload in requests:
            keep = chance.random() < 0.98 or code == HELLO.code
            session = SESSION if keep else chance.randrange(2**32)
            version = VERSION if chance.random() < 0.99 else chance.randrange(256)
            age = 0 if chance.random() < 0.99 else chance.randrange(4)
            sequence = (len(frames) - age) % 2**16
            header = Header(MARKER, 0, version, code, 0, sequence, session)
            frames.append(encode_frame(header, payload))
    return frames


def mutated(chance: random.Random, frame: bytes) -> bytes:
    data = bytearray(frame)
    for _ in range(chance.randrange(1, 5)):
        position = chance.randrange(len(data) + 1)
        match chance.randrange(4):
            case 0:
                data[position:position] = chance.randbytes(chance.randrange(5))
            case 1:
                del data[position : position + chance.randrange(5)]
            case 2:
                data[position:position] = data[: chance.randrange(20)]
            case _ if position < len(data):
                data[position] = chance.choice((0, 1, 2, MARKER, 255, chance.randrange(256)))
    return bytes(data) or b"\0"


both_variants = pytest.mark.parametrize(
    "variant", [EMULATED, SMALL_BOARD], ids=lambda variant: variant.name
)


@both_variants
@pytest.mark.parametrize("seed", range(2))
def test_random_bytes_do_no_harm(
    device_programs: dict[Variant, Path], tmp_path: Path, variant: Variant, seed: int
) -> None:
    chance = random.Random(seed)
    starts = [b"\0\x02\xf7", b"\0", b"\r", b"run\r", b"layers\n", b"help\r\n", b"info\r"]
    pieces = [
        chance.choice(starts) + chance.randbytes(chance.choice((3, 30, 2000))) for _ in range(400)
    ]
    survives(device_programs[variant], b"".join(pieces), tmp_path)


@both_variants
@pytest.mark.parametrize("seed", range(3))
def test_senseless_requests_in_good_frames_do_no_harm(
    device_programs: dict[Variant, Path], tmp_path: Path, variant: Variant, seed: int
) -> None:
    chance = random.Random(seed)
    (tmp_path / "in").write_bytes(chance.randbytes(1424))
    statuses = survives(device_programs[variant], b"".join(good_frames(chance, 8000)), tmp_path)
    never = {Status.DAMAGED, Status.MODEL_FAILED}
    if variant is SMALL_BOARD:
        never |= {Status.PAUSED, Status.IS_PAUSED, Status.FILE_FAILED}
    else:
        never |= {Status.NOT_SUPPORTED}
    assert statuses == set(Status) - never


@both_variants
@pytest.mark.parametrize("seed", range(3))
def test_mutated_frames_do_no_harm(
    device_programs: dict[Variant, Path], tmp_path: Path, variant: Variant, seed: int
) -> None:
    chance = random.Random(seed)
    frames = good_frames(chance, 8000)
    stream = [frames[0], *(mutated(chance, frame) for frame in frames[1:])]
    survives(device_programs[variant], b"".join(stream), tmp_path)
