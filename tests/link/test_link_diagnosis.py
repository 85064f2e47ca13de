"""Every way a device can fail to answer has its own message and a next step."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest
from link_device import QUICK, DeviceStream, StartDevice
from link_fake_model import random_inputs

from tinyml_tool.devices.link.client import LinkClient
from tinyml_tool.devices.link.diagnosis import RestartedError
from tinyml_tool.devices.link.exchange import Timeouts
from tinyml_tool.devices.link.framing import Demultiplexer, Frame, encode_frame
from tinyml_tool.errors import DeviceError, ExitCode, LinkError
from tinyml_tool.protocol import (
    GET_LAYER,
    HELLO,
    REPLY_BIT,
    RUN,
    VERSION,
    Header,
    HelloReply,
    Paused,
    RunReply,
    Status,
    TensorReply,
    Working,
    encode,
)

BRIEF = Timeouts(connect=0.4, answer=0.05, answer_longest=0.1, give_up=0.4, work=0.4, probe=0.1)

Answer = Callable[[Frame], bytes]

HELLO_REPLY = HelloReply(
    model_hash=bytes(32),
    payload_bytes=256,
    receive_capacity=64,
    receive_overruns=0,
    capabilities=0,
    reset_reason=1,
    model_status=0,
    timer_hz=1000,
    stack_high_water=1,
    stack_bytes=2,
    arena_bytes=3,
    input_count=0,
    output_count=0,
    layer_count=1,
    model_name="m",
    build_id="b",
    board="x",
    engine="aot",
    tool_version="0",
)


@dataclass
class ScriptedStream:
    """A device that first sends `greeting`, then answers frames as `answer` says."""

    answer: Answer = lambda frame: b""
    greeting: bytes = b""
    forever: bool = False
    demultiplexer: Demultiplexer = field(default_factory=Demultiplexer)

    def __post_init__(self) -> None:
        self.waiting = self.greeting

    def write(self, data: bytes) -> None:
        for item in self.demultiplexer.feed(data):
            assert isinstance(item, Frame)
            self.waiting += self.answer(item)

    def read(self, max_bytes: int, timeout: float) -> bytes:
        data, self.waiting = self.waiting, self.greeting if self.forever else b""
        if not data or self.forever:
            time.sleep(min(timeout, 0.01))
        return data

    def close(self) -> None:
        pass


@dataclass
class ResetInRun:
    """A device that is reset as soon as it has accepted RUN."""

    device: DeviceStream
    run_sent: bool = False

    def write(self, data: bytes) -> None:
        frames = [item for item in Demultiplexer().feed(data) if isinstance(item, Frame)]
        self.run_sent = any(frame.header.type == RUN.code for frame in frames)
        self.device.write(data)

    def read(self, max_bytes: int, timeout: float) -> bytes:
        data = self.device.read(max_bytes, timeout)
        if self.run_sent and data:
            self.run_sent = False
            self.device.restart()
        return data

    def close(self) -> None:
        self.device.close()


def reply(frame: Frame, payload: bytes, status: int = 0, version: int = VERSION) -> bytes:
    asked = frame.header
    header = replace(asked, type=asked.type | REPLY_BIT, status=status, version=version)
    return encode_frame(header, payload)


def hello_only(frame: Frame) -> bytes:
    return reply(frame, encode(HELLO_REPLY)) if frame.header.type == HELLO.code else b""


def failure(stream: ScriptedStream, ask: Callable[[LinkClient], object]) -> LinkError:
    with pytest.raises(LinkError) as caught:
        ask(LinkClient(stream, timeouts=BRIEF))
    assert caught.value.hint
    assert caught.value.exit_code == ExitCode.DEVICE
    return caught.value


def test_a_silent_device() -> None:
    error = failure(ScriptedStream(), LinkClient.hello)
    assert error.message == "the device does not answer: not one byte in 0.4 s"
    assert "power" in str(error.hint)
    assert "baud rate" in str(error.hint)


def test_a_device_that_only_sends_the_noise_of_its_start_is_silent() -> None:
    error = failure(ScriptedStream(greeting=b"\0"), LinkClient.hello)
    assert "not one byte" in error.message


@pytest.mark.parametrize("forever", [False, True])
def test_a_babbling_device_shows_its_first_bytes(forever: bool) -> None:
    garbage = bytes(range(128, 256)) * 4
    error = failure(ScriptedStream(greeting=garbage, forever=forever), LinkClient.hello)
    assert "something else than this tool's protocol" in error.message
    assert error.details[0].startswith(r"it began with b'\x80\x81\x82")


def test_a_device_that_prints_but_never_answers_shows_its_last_lines() -> None:
    error = failure(ScriptedStream(greeting=b"booting\r\nwaiting for sensor\r\n"), LinkClient.hello)
    assert "prints text but does not answer" in error.message
    assert error.details[-1] == "the device printed: waiting for sensor"


def test_a_device_that_stops_half_way() -> None:
    error = failure(ScriptedStream(hello_only), lambda client: client.benchmark())
    assert error.message == (
        "the device stopped half way: no answer to BENCHMARK in 0.4 s, after 1 answered requests"
    )


def test_a_device_that_never_finishes(start_device: StartDevice) -> None:
    client = LinkClient(start_device(FAKE_RUN_MS="1500"), timeouts=BRIEF)
    with pytest.raises(LinkError, match=r"accepted RUN but did not finish it in 0\.4 s"):
        client.run(random_inputs(0))


def test_a_restart_in_the_middle_of_a_long_run_is_noticed_by_the_greeting(
    start_device: StartDevice,
) -> None:
    """The host does not ask again while the device works: only the greeting makes it doubt."""
    stream = ResetInRun(start_device(FAKE_RUN_MS="60000"))
    client = LinkClient(stream, timeouts=replace(QUICK, probe=60, work=60))
    start = time.monotonic()
    with pytest.raises(RestartedError, match="the device restarted in the middle"):
        client.run(random_inputs(0))
    assert time.monotonic() - start < 5


@pytest.mark.parametrize(
    ("version", "hint"), [(0, "flash the firmware again"), (2, "update this tool")]
)
def test_another_version_of_the_protocol(version: int, hint: str) -> None:
    stream = ScriptedStream(lambda f: reply(f, b"", Status.BAD_VERSION, version))
    error = failure(stream, LinkClient.hello)
    assert error.message == (
        f"the device speaks version {version} of the link protocol, this tool version {VERSION}"
    )
    assert hint in str(error.hint)


def test_the_real_device_tells_its_version_to_another_one(start_device: StartDevice) -> None:
    device = start_device()
    device.write(encode_frame(Header(0xF7, 0, 9, HELLO.code, 0, 5, 6), b"what is this?"))
    demultiplexer = Demultiplexer()
    frames: list[Frame] = []
    while not frames:
        frames = [f for f in demultiplexer.feed(device.read(999, 5)) if isinstance(f, Frame)]
    header = frames[0].header
    assert (header.status, header.version) == (Status.BAD_VERSION, VERSION)
    assert (header.sequence, header.session) == (5, 6)


@pytest.mark.parametrize("payload", [b"", b"short", encode(HELLO_REPLY) + b"more"])
def test_a_reply_that_does_not_fit_its_request(payload: bytes) -> None:
    error = failure(ScriptedStream(lambda frame: reply(frame, payload)), LinkClient.hello)
    assert "answer to HELLO does not follow the protocol" in error.message


def test_a_reply_of_unknown_status() -> None:
    error = failure(ScriptedStream(lambda frame: reply(frame, b"", 250)), LinkClient.hello)
    assert "status 250" in error.message


def test_a_tensor_that_contradicts_itself() -> None:
    tensor = TensorReply(0, 2, (3, 5, 0, 0, 0, 0), 0.0, 0, 16, "odd")

    def answer(frame: Frame) -> bytes:
        hello = replace(HELLO_REPLY, input_count=1)
        payload = encode(hello) if frame.header.type == HELLO.code else encode(tensor)
        return reply(frame, payload)

    error = failure(ScriptedStream(answer), lambda client: client.inputs)
    assert "16 bytes for int8 [3, 5]" in error.message


def test_outputs_with_a_wrong_checksum_are_not_accepted() -> None:
    def answer(frame: Frame) -> bytes:
        run = encode(RunReply(ticks=1, outputs_crc=12345))
        return hello_only(frame) or reply(frame, run)

    error = failure(ScriptedStream(answer), lambda client: client.run([]))
    assert error.message == "the output changed while it was read: its checksum is wrong"


def test_a_layer_with_a_wrong_checksum_is_not_accepted() -> None:
    def answer(frame: Frame) -> bytes:
        paused = encode(Paused(3, 0, 8, bytes=2, crc=zlib.crc32(b"ab"), kind="ADD"))
        match frame.header.type:
            case RUN.code:
                return reply(frame, paused, Status.PAUSED)
            case GET_LAYER.code:
                return reply(frame, b"ax")
        return hello_only(frame)

    error = failure(ScriptedStream(answer), lambda client: client.run_observed([]))
    assert "the output of layer 3 ADD changed while it was read" in error.message


def test_a_line_that_damages_every_frame() -> None:
    def answer(frame: Frame) -> bytes:
        return (
            reply(frame, encode(HELLO_REPLY)).replace(b"\0", b"")[:50].join((b"\0\x02\xf7", b"\0"))
        )

    error = failure(ScriptedStream(answer), LinkClient.hello)
    assert "the connection is too bad for HELLO" in error.message


def test_an_answer_that_lost_its_start_is_asked_for_again() -> None:
    """Without its first bytes it looks like text; the host must not wait for minutes then."""
    answers = iter(range(9))

    def answer(frame: Frame) -> bytes:
        if frame.header.type == HELLO.code:
            return hello_only(frame)
        good = reply(frame, encode(RunReply(ticks=5, outputs_crc=0)))
        if next(answers) > 0:
            return good
        return reply(frame, encode(Working(done=0)), Status.WORKING) + good[3:]

    client = LinkClient(ScriptedStream(answer), timeouts=replace(BRIEF, probe=60, work=60))
    start = time.monotonic()
    assert client.infer([]).ticks == 5
    assert time.monotonic() - start < 5


def test_the_end_of_the_device_is_told_as_it_is(start_device: StartDevice) -> None:
    device = start_device()
    client = LinkClient(device, timeouts=QUICK)
    client.hello()
    assert device._process.stdin is not None
    device._process.terminate()
    device._process.wait()
    device.write = lambda data: None  # type: ignore[method-assign]
    with pytest.raises(DeviceError, match="the device ended"):
        client.run(random_inputs(0))


def test_text_reaches_a_listener(start_device: StartDevice) -> None:
    heard: list[str] = []
    LinkClient(start_device(), timeouts=QUICK, on_text=heard.append).hello()
    assert "tinyml: model fake" in "".join(heard)
