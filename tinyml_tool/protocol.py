"""The link's one table: messages, fields, codes and limits that host and device agree on.

`firmware/protocol_header.py` turns this module into the device's C header, and
`docs/generate_link_page.py` into docs/link.md.  Nothing else may state a number of the protocol.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, fields
from enum import Enum, IntEnum, IntFlag
from typing import Annotated, Any, Generic, Self, TypeVar, get_args, get_type_hints

VERSION = 1
"""Raised when any message changes.  The header and the meaning of its fields never change."""

MARKER = 0xF7
"""First byte of every header: never part of UTF-8 text."""

REPLY_BIT = 0x80
"""Set in the type of a reply; the rest is the type of its request."""

NOTICE = 0x80
"""Type of what the device says about a frame it could not read: a reply to no request."""

PAYLOAD_BYTES_MIN = 256
"""The smallest payload limit a device may have; HELLO tells the real one."""

PAYLOAD_BYTES_MAX = 4096
"""The largest payload limit a device may have."""

TEXT_BYTES = 36
"""A text from the device is cut to fit this many bytes, its end included."""

SHAPE_DIMENSIONS = 6
CRC_BYTES = 4


class Kind(Enum):
    """How a field lies in a payload.  Numbers are little-endian; nothing is padded."""

    U8 = "u8"
    U16 = "u16"
    U32 = "u32"
    U64 = "u64"
    I32 = "i32"
    F32 = "f32"
    HASH = "hash"
    SHAPE = "shape"
    TEXT = "text"
    PATH = "path"
    REST = "rest"


KIND_MEANINGS = {
    Kind.U8: "unsigned, 1 byte",
    Kind.U16: "unsigned, 2 bytes",
    Kind.U32: "unsigned, 4 bytes",
    Kind.U64: "unsigned, 8 bytes",
    Kind.I32: "signed, 4 bytes",
    Kind.F32: "IEEE 754 single precision, 4 bytes",
    Kind.HASH: "32 bytes of SHA-256",
    Kind.SHAPE: f"{SHAPE_DIMENSIONS} numbers of kind i32; those beyond the rank are 0",
    Kind.TEXT: f"UTF-8 and a 0 byte, cut to {TEXT_BYTES} bytes",
    Kind.PATH: "UTF-8 and a 0 byte, uncut",
    Kind.REST: "all bytes up to the end of the payload",
}

_STRUCTS = {
    Kind.U8: struct.Struct("<B"),
    Kind.U16: struct.Struct("<H"),
    Kind.U32: struct.Struct("<I"),
    Kind.U64: struct.Struct("<Q"),
    Kind.I32: struct.Struct("<i"),
    Kind.F32: struct.Struct("<f"),
    Kind.HASH: struct.Struct("<32s"),
    Kind.SHAPE: struct.Struct(f"<{SHAPE_DIMENSIONS}i"),
}


class _Coded(IntEnum):
    """A number on the wire together with its meaning."""

    meaning: str

    def __new__(cls, value: int, meaning: str) -> Self:
        member = int.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        return member

    @classmethod
    def find(cls, value: int) -> Self | None:
        """The member of that number, None where there is none."""
        return next((member for member in cls if member == value), None)


class _Named(Enum):
    """A word of the text together with its meaning."""

    meaning: str

    def __new__(cls, value: str, meaning: str) -> Self:
        member = object.__new__(cls)
        member._value_ = value
        member.meaning = meaning
        return member


class Status(_Coded):
    """What became of a request, and with it what the payload of its reply is.

    From DAMAGED on they are errors; their payload is nothing, or a detail for people of kind text.
    """

    OK = 0, "done; the payload is the reply of the request"
    WORKING = 1, "accepted and still at work, the answer follows; the payload is WORKING"
    PAUSED = 2, "an observed run stands after a layer; the payload is PAUSED"

    DAMAGED = 16, "a frame arrived damaged (type 0x80, no sequence); send the request again"
    BAD_VERSION = 17, "the device speaks the protocol version in the header of this reply"
    NO_SESSION = 18, "this session is not open: the device restarted, or another host took over"
    OLD_SEQUENCE = 19, "the sequence number is older than the last one; nothing was done"
    UNKNOWN_REQUEST = 20, "no request has this type"
    MALFORMED = 21, "the payload does not have the fields of this request"
    OUT_OF_RANGE = 22, "no tensor has this index, or the bytes lie outside it"
    INPUTS_DIFFER = 23, "the inputs on the device do not have this CRC; set all of them again"
    NO_RESULT = 24, "there is no output: no run, or something overwrote it since"
    MODEL_FAILED = 25, "model_init() or model_invoke() returned an error"
    NOT_PAUSED = 26, "no observed run stands after a layer"
    IS_PAUSED = 27, "an observed run stands after a layer; CONTINUE or ABORT it first"
    NOT_SUPPORTED = 28, "this firmware was built without that"
    FILE_FAILED = 29, "a file of the host cannot be opened, read or written"


class Capability(IntFlag):
    """What a firmware was built with."""

    OBSERVER = 1
    FILES = 2
    EMULATED = 4
    FEATURES = 8
    ANSWER = 16


CAPABILITY_MEANINGS = {
    Capability.OBSERVER: "RUN can stop after each layer",
    Capability.FILES: "BULK works: the device reaches files of the host",
    Capability.EMULATED: "an emulator runs it: its times say nothing of a board",
    Capability.FEATURES: "the firmware turns raw samples into the model's input: PUSH works",
    Capability.ANSWER: "the firmware tells what the model's outputs say: ANSWER works",
}


class RunFlag(IntFlag):
    """Options of RUN, BULK and ANSWER."""

    OBSERVE = 1
    ANSWERS = 2
    APART = 4


RUN_FLAG_MEANINGS = {
    RunFlag.OBSERVE: "RUN, BULK: every layer's output, not only the model's",
    RunFlag.ANSWERS: "BULK: what the outputs say, too, one inference after the other from anew",
    RunFlag.APART: "BULK, ANSWER: an inference's answer as if it were the only one",
}


class ReplayFlag(IntFlag):
    """What REPLAY writes."""

    FEATURES = 1
    OUTPUTS = 2
    ANSWERS = 4


class FeedFlag(IntFlag):
    """Options of FEED."""

    ANEW = 1


FEED_FLAG_MEANINGS = {FeedFlag.ANEW: "a recording begins: what was fed before is forgotten"}


REPLAY_FLAG_MEANINGS = {
    ReplayFlag.FEATURES: "the model's input, as the preprocessing has made it",
    ReplayFlag.OUTPUTS: "the outputs of the model, which is run for it",
    ReplayFlag.ANSWERS: "with OUTPUTS: what these say, one window after the other from anew",
}


class ResetReason(_Coded):
    """Why the device started; the numbers are those of port.h."""

    UNKNOWN = 0, "the chip does not tell"
    POWER_ON = 1, "power came on"
    PIN = 2, "the reset pin"
    SOFTWARE = 3, "software asked for it"
    WATCHDOG = 4, "the watchdog: the program hung"
    BROWN_OUT = 5, "the supply voltage dropped"
    LOW_POWER = 6, "it left a sleep mode that ends in a reset"
    LOCKUP = 7, "a fault inside a fault handler"


class TensorType(_Coded):
    """Type of a tensor's values; the numbers are those of model.h."""

    INT8 = 0, "int8"
    UINT8 = 1, "uint8"
    INT16 = 2, "int16"
    INT32 = 3, "int32"
    FLOAT32 = 4, "float32"
    INT64 = 5, "int64"
    BOOL = 6, "bool"


class RecordKind(_Coded):
    """What a record of BULK's output file holds."""

    OUTPUT = 0, "an output of the model"
    LAYER = 1, "an output of a layer"
    INPUT = 2, "an input of the model"
    ANSWER = 3, "what the outputs say, as the reply of ANSWER"


REPORT_MARK = "!inference"
"""What the line begins with that reports an inference of the application."""

REPORT_VALUES = 8
"""How many values of an output the line tells, at most."""


class ReportKey(_Named):
    """The words of that line, each ` key=value`; TYPE to TOP once an output, with its number.

    BEST to LABEL only where the firmware has an answer spec.
    """

    NUMBER = "n", "counts the reports since the reset, from 1"
    TICKS = "ticks", "time of the inference, by the device's timer"
    HZ = "hz", "ticks a second"
    EMULATED = "emulated", "1 where an emulator runs the firmware: no time of a board; else 0"
    TYPE = "type", "type of the output's values, as below"
    SIZE = "size", "how many values the output has"
    SCALE = "scale", "8 hexadecimal digits: the bits of the IEEE 754 number; 0 where not quantized"
    ZERO = "zero", "the zero point"
    TOP = (
        "top",
        f"the highest {REPORT_VALUES} values, the highest first, as index:value with commas; a "
        "value is the stored number, of float32 the bits in 8 hexadecimal digits",
    )
    BEST = "best", "class that the outputs say; -1 where they are no numbers"
    SCORE = "score", "of that class, or the anomaly score: the bits in 8 hexadecimal digits"
    DETECTED = "detected", "class that is detected now, -1 for none"
    LABEL = "label", "name of the best class; all but letters, digits, '-' and '_' as %XX"
    CRC = "crc", "CRC-32 of all before it, from '!' to the last value: 8 hexadecimal digits"

    @property
    def of_output(self) -> bool:
        """Whether the number of the output follows the key."""
        return self in (
            ReportKey.TYPE,
            ReportKey.SIZE,
            ReportKey.SCALE,
            ReportKey.ZERO,
            ReportKey.TOP,
        )


@dataclass(frozen=True)
class Header:
    """What every frame begins with; the same in all versions of the protocol."""

    marker: Annotated[int, Kind.U8, "always 0xF7"]
    zero: Annotated[int, Kind.U8, "always 0: with it every frame starts 00 02 F7 on the wire"]
    version: Annotated[int, Kind.U8, "protocol version of the sender"]
    type: Annotated[int, Kind.U8, "the request's type; 0x80 is added in a reply"]
    status: Annotated[int, Kind.U8, "0 in a request, else what the payload is"]
    sequence: Annotated[int, Kind.U16, "counts the host's requests; a reply repeats it"]
    session: Annotated[int, Kind.U32, "chosen by the host in HELLO; never 0 while one is open"]


@dataclass(frozen=True)
class Empty:
    """No payload."""


@dataclass(frozen=True)
class Working:
    """How far a long request is."""

    done: Annotated[int, Kind.U32, "inferences finished"]


@dataclass(frozen=True)
class Paused:
    """The layer whose output an observed run shows now."""

    layer: Annotated[int, Kind.U16, "index of the layer, from 0"]
    output: Annotated[int, Kind.U16, "which of the layer's outputs, from 0"]
    tensor: Annotated[int, Kind.I32, "index of the tensor in the .tflite"]
    bytes: Annotated[int, Kind.U32, "its length"]
    crc: Annotated[int, Kind.U32, "CRC-32 of its bytes"]
    kind: Annotated[str, Kind.TEXT, "kind of the layer, such as CONV_2D"]


@dataclass(frozen=True)
class HelloReply:
    """The device, its firmware, its model and its state."""

    model_hash: Annotated[bytes, Kind.HASH, "SHA-256 of the .tflite"]
    payload_bytes: Annotated[int, Kind.U16, "longest payload in either direction"]
    receive_capacity: Annotated[int, Kind.U32, "bytes the port holds while nobody reads"]
    receive_overruns: Annotated[int, Kind.U32, "times the port lost bytes since the reset"]
    capabilities: Annotated[int, Kind.U32, "sum of the capabilities"]
    reset_reason: Annotated[int, Kind.U8, "why the device started"]
    model_status: Annotated[int, Kind.I32, "what model_init() returned; 0 is good"]
    timer_hz: Annotated[int, Kind.U32, "ticks a second"]
    stack_high_water: Annotated[int, Kind.U32, "most bytes of stack ever in use since the reset"]
    stack_bytes: Annotated[int, Kind.U32, "bytes reserved for the stack"]
    arena_bytes: Annotated[int, Kind.U32, "all tensors and scratch buffers of the model"]
    input_count: Annotated[int, Kind.U16, "inputs of the model"]
    output_count: Annotated[int, Kind.U16, "outputs of the model"]
    layer_count: Annotated[int, Kind.U16, "layers of the model"]
    model_name: Annotated[str, Kind.TEXT, "name of the model"]
    build_id: Annotated[str, Kind.TEXT, "names the sources the firmware was built from"]
    board: Annotated[str, Kind.TEXT, "id of the board"]
    engine: Annotated[str, Kind.TEXT, "what runs the model: aot or tflm"]
    tool_version: Annotated[str, Kind.TEXT, "version of the tool that generated the firmware"]


@dataclass(frozen=True)
class TensorRequest:
    """Which input or output."""

    index: Annotated[int, Kind.U16, "from 0"]


@dataclass(frozen=True)
class TensorReply:
    """Real value = scale * (stored value - zero_point)."""

    type: Annotated[int, Kind.U8, "type of the values"]
    rank: Annotated[int, Kind.U8, "number of dimensions"]
    shape: Annotated[tuple[int, ...], Kind.SHAPE, "length of each dimension"]
    scale: Annotated[float, Kind.F32, "0 where the tensor is not quantized"]
    zero_point: Annotated[int, Kind.I32, "0 where the tensor is not quantized"]
    bytes: Annotated[int, Kind.U32, "length of the tensor"]
    name: Annotated[str, Kind.TEXT, "its name in the .tflite"]


@dataclass(frozen=True)
class SetInputRequest:
    """A piece of an input."""

    index: Annotated[int, Kind.U16, "which input, from 0"]
    offset: Annotated[int, Kind.U32, "where the piece starts, in bytes"]
    data: Annotated[bytes, Kind.REST, "the piece"]


@dataclass(frozen=True)
class RunRequest:
    """How to run, and a proof that the inputs arrived."""

    flags: Annotated[int, Kind.U16, "sum of the run flags"]
    inputs_crc: Annotated[int, Kind.U32, "CRC-32 of all inputs, one after the other"]


@dataclass(frozen=True)
class RunReply:
    """The end of one inference."""

    ticks: Annotated[int, Kind.U64, "time of model_invoke(); 0 after an observed run"]
    outputs_crc: Annotated[int, Kind.U32, "CRC-32 of all outputs, one after the other"]


@dataclass(frozen=True)
class GetOutputRequest:
    """A piece of an output."""

    index: Annotated[int, Kind.U16, "which output, from 0"]
    offset: Annotated[int, Kind.U32, "where the piece starts, in bytes"]
    bytes: Annotated[int, Kind.U16, "its length, at most the payload limit"]


@dataclass(frozen=True)
class GetLayerRequest:
    """A piece of the layer output an observed run stands at."""

    offset: Annotated[int, Kind.U32, "where the piece starts, in bytes"]
    bytes: Annotated[int, Kind.U16, "its length, at most the payload limit"]


@dataclass(frozen=True)
class DataReply:
    """The piece that was asked for."""

    data: Annotated[bytes, Kind.REST, "exactly as long as asked"]


@dataclass(frozen=True)
class BenchmarkRequest:
    """How often to run."""

    count: Annotated[int, Kind.U32, "inferences, 1 and above"]


@dataclass(frozen=True)
class BenchmarkReply:
    """Times in ticks, with what it takes to turn them into instructions in an emulator."""

    count: Annotated[int, Kind.U32, "inferences done, each on inputs of real value 0"]
    total: Annotated[int, Kind.U64, "sum over all inferences, with what measuring takes"]
    least: Annotated[int, Kind.U64, "the shortest inference"]
    most: Annotated[int, Kind.U64, "the longest inference"]
    empty_least: Annotated[int, Kind.U64, "measuring nothing, the shortest of some tries"]
    empty_most: Annotated[int, Kind.U64, "measuring nothing, the longest of them"]
    spin_instructions: Annotated[int, Kind.U32, "instructions of one loop of port_spin()"]
    short_loops: Annotated[int, Kind.U32, "loops of the short spin"]
    short_spin: Annotated[int, Kind.U64, "its ticks"]
    long_loops: Annotated[int, Kind.U32, "loops of the long spin"]
    long_spin: Annotated[int, Kind.U64, "its ticks"]


@dataclass(frozen=True)
class ProfileRequest:
    """Which of the layers' outputs, counted in the order in which they are made."""

    first: Annotated[int, Kind.U32, "the first to be told, from 0"]


@dataclass(frozen=True)
class ProfileReply:
    """Times in ticks between the calls of an observer that does nothing but read the timer."""

    empty: Annotated[int, Kind.U32, "between two calls with no layer between them"]
    ticks: Annotated[bytes, Kind.REST, "a u32 for each output, as many as fit"]


@dataclass(frozen=True)
class BulkRequest:
    """Many inferences from a file of the host into another."""

    count: Annotated[int, Kind.U32, "inferences"]
    flags: Annotated[int, Kind.U16, "sum of the run flags"]
    input_path: Annotated[str, Kind.PATH, "all inputs of the first inference, of the second, ..."]
    output_path: Annotated[str, Kind.PATH, "receives one record a tensor; is overwritten"]


@dataclass(frozen=True)
class BulkReply:
    """The end of BULK, with proofs of what the device read and wrote."""

    count: Annotated[int, Kind.U32, "inferences done"]
    ticks: Annotated[int, Kind.U64, "time of all inferences; 0 with the flag OBSERVE"]
    read_crc: Annotated[int, Kind.U32, "CRC-32 of all bytes read"]
    written_crc: Annotated[int, Kind.U32, "CRC-32 of all bytes written"]
    written_bytes: Annotated[int, Kind.U64, "length of the output file"]


@dataclass(frozen=True)
class BulkRecord:
    """Stands before each tensor in the output file of BULK and REPLAY."""

    inference: Annotated[int, Kind.U32, "from 0"]
    kind: Annotated[int, Kind.U16, "what the record holds"]
    index: Annotated[int, Kind.U16, "which input or output of the model, or which layer, from 0"]
    tensor: Annotated[int, Kind.I32, "index in the .tflite of a layer's output; else -1"]
    bytes: Annotated[int, Kind.U32, "length of the tensor, which follows"]
    crc: Annotated[int, Kind.U32, "CRC-32 of the tensor"]


@dataclass(frozen=True)
class ModelStateReply:
    """Whether the model is ready, and what of its arena it uses."""

    status: Annotated[int, Kind.I32, "what model_init() returned; 0 is good"]
    arena_bytes: Annotated[int, Kind.U32, "all tensors and scratch buffers of the model"]
    arena_used: Annotated[int, Kind.U32, "bytes of it in use; 0 where the model is not ready"]
    failure: Annotated[bytes, Kind.REST, "why the last call of the model failed, UTF-8; or nothing"]


@dataclass(frozen=True)
class FeaturesReply:
    """The preprocessing inside the firmware."""

    features_hash: Annotated[bytes, Kind.HASH, "SHA-256 of the feature spec"]
    sample_bytes: Annotated[int, Kind.U8, "length of a raw sample"]
    input_bytes: Annotated[int, Kind.U32, "length of what it makes: the model's first input"]
    ram_bytes: Annotated[int, Kind.U32, "static RAM of the preprocessing"]


@dataclass(frozen=True)
class PushRequest:
    """Raw samples, as if the sensor had just sent them."""

    data: Annotated[bytes, Kind.REST, "whole samples, little-endian"]


@dataclass(frozen=True)
class PushReply:
    """What became of the samples."""

    taken: Annotated[int, Kind.U32, "bytes taken; fewer than sent where an input is complete"]
    ready: Annotated[int, Kind.U8, "1 where the model's input is complete: RUN may follow"]
    inputs_crc: Annotated[int, Kind.U32, "CRC-32 of all inputs, as for RUN; 0 unless ready"]
    ticks: Annotated[int, Kind.U64, "time of features_push()"]


@dataclass(frozen=True)
class GetInputRequest:
    """A piece of an input, as set or as made of samples."""

    index: Annotated[int, Kind.U16, "which input, from 0"]
    offset: Annotated[int, Kind.U32, "where the piece starts, in bytes"]
    bytes: Annotated[int, Kind.U16, "its length, at most the payload limit"]


@dataclass(frozen=True)
class ReplayRequest:
    """Raw samples from a file of the host."""

    flags: Annotated[int, Kind.U16, "sum of the replay flags"]
    input_path: Annotated[str, Kind.PATH, "the samples, little-endian"]
    output_path: Annotated[str, Kind.PATH, "receives one record a tensor; is overwritten"]


@dataclass(frozen=True)
class ReplayReply:
    """The end of REPLAY, with proofs of what the device read and wrote."""

    count: Annotated[int, Kind.U32, "inputs of the model that were completed"]
    ticks: Annotated[int, Kind.U64, "time of features_push(), all samples together"]
    pushes: Annotated[int, Kind.U32, "how often it was called"]
    read_crc: Annotated[int, Kind.U32, "CRC-32 of all bytes read"]
    written_crc: Annotated[int, Kind.U32, "CRC-32 of all bytes written"]
    written_bytes: Annotated[int, Kind.U64, "length of the output file"]


@dataclass(frozen=True)
class AnswerInfoReply:
    """What tells in the firmware what outputs say."""

    answer_hash: Annotated[bytes, Kind.HASH, "SHA-256 of the answer spec"]
    classes: Annotated[int, Kind.U32, "how many labels there are"]
    top: Annotated[int, Kind.U16, "how many of the best classes an answer tells"]
    ram_bytes: Annotated[int, Kind.U32, "its static RAM"]


@dataclass(frozen=True)
class AnswerRequest:
    """How to take the outputs."""

    flags: Annotated[int, Kind.U16, "sum of the run flags, of which APART counts"]


@dataclass(frozen=True)
class AnswerReply:
    """What the outputs of an inference say, with those before it."""

    detected: Annotated[int, Kind.I32, "class that is detected; -1 for none"]
    best: Annotated[int, Kind.I32, "class with the best score; -1 where outputs are no numbers"]
    score: Annotated[float, Kind.F32, "its average, or the average anomaly score"]
    ticks: Annotated[int, Kind.U64, "time of answer_take()"]
    label: Annotated[str, Kind.TEXT, "name of the best class"]
    top: Annotated[bytes, Kind.REST, "the best classes: an i32 and the f32 of its score each"]


@dataclass(frozen=True)
class FeedRequest:
    """Raw samples for the application."""

    flags: Annotated[int, Kind.U16, "sum of the feed flags"]
    data: Annotated[bytes, Kind.REST, "whole samples, little-endian"]


@dataclass(frozen=True)
class FeedReply:
    """What became of the samples."""

    taken: Annotated[int, Kind.U32, "bytes taken; 0 while the application has some to read"]
    left: Annotated[int, Kind.U32, "bytes that the application has yet to read"]
    inferences: Annotated[int, Kind.U32, "reported by the application since the reset"]


Q = TypeVar("Q")
R = TypeVar("R")


@dataclass(frozen=True)
class Request(Generic[Q, R]):
    """A request with the payloads of it and of its reply.

    `long` requests may take any time: the device says WORKING when it accepts one.
    """

    code: int
    name: str
    meaning: str
    request: type[Q]
    reply: type[R]
    long: bool = False


HELLO = Request(
    1,
    "HELLO",
    "Opens the session named in the header, ends any other, and tells what the device is.",
    Empty,
    HelloReply,
)
INPUT_INFO = Request(2, "INPUT_INFO", "Describes an input.", TensorRequest, TensorReply)
OUTPUT_INFO = Request(3, "OUTPUT_INFO", "Describes an output.", TensorRequest, TensorReply)
SET_INPUT = Request(
    4, "SET_INPUT", "Writes a piece of an input; outputs are gone then.", SetInputRequest, Empty
)
RUN = Request(
    5,
    "RUN",
    "Runs the model on inputs that were all set since the last run. With OBSERVE it answers "
    "PAUSED after each layer.",
    RunRequest,
    RunReply,
    long=True,
)
GET_OUTPUT = Request(
    6, "GET_OUTPUT", "Reads a piece of an output of the last run.", GetOutputRequest, DataReply
)
GET_LAYER = Request(
    7, "GET_LAYER", "Reads a piece of the layer output of PAUSED.", GetLayerRequest, DataReply
)
CONTINUE = Request(
    8,
    "CONTINUE",
    "Goes on to the next PAUSED, or to the end of the run.",
    Empty,
    RunReply,
    long=True,
)
ABORT = Request(9, "ABORT", "Ends an observed run, if there is one, without result.", Empty, Empty)
BENCHMARK = Request(
    10, "BENCHMARK", "Measures inferences.", BenchmarkRequest, BenchmarkReply, long=True
)
BULK = Request(
    11,
    "BULK",
    "Runs many inferences between files of the host: an emulator's fast lane.",
    BulkRequest,
    BulkReply,
    long=True,
)
RESET = Request(12, "RESET", "Answers, then restarts the device.", Empty, Empty)
MODEL_STATE = Request(
    13,
    "MODEL_STATE",
    "Tells what of the arena is in use, and in words why the model failed.",
    Empty,
    ModelStateReply,
)
PROFILE = Request(
    14,
    "PROFILE",
    "Measures each layer of one inference on inputs of real value 0.",
    ProfileRequest,
    ProfileReply,
    long=True,
)
FEATURES_INFO = Request(
    15,
    "FEATURES_INFO",
    "Describes the preprocessing of a firmware with capability FEATURES.",
    Empty,
    FeaturesReply,
)
FEATURES_START = Request(
    16, "FEATURES_START", "Forgets all samples that were pushed.", Empty, Empty
)
PUSH = Request(
    17,
    "PUSH",
    "Feeds raw samples to the preprocessing. Where the model's input becomes complete it stops: "
    "RUN the model, then push the rest.",
    PushRequest,
    PushReply,
)
GET_INPUT = Request(
    18, "GET_INPUT", "Reads a piece of an input, before it is run.", GetInputRequest, DataReply
)
REPLAY = Request(
    19,
    "REPLAY",
    "Starts anew and feeds a whole file of the host to the preprocessing: an emulator's fast lane.",
    ReplayRequest,
    ReplayReply,
    long=True,
)

ANSWER_INFO = Request(
    20,
    "ANSWER_INFO",
    "Describes what tells the meaning of outputs in a firmware with capability ANSWER.",
    Empty,
    AnswerInfoReply,
)
ANSWER = Request(
    21,
    "ANSWER",
    "Takes the outputs of the last run and tells what they say; asked again, it tells the same. "
    "FEATURES_START, REPLAY and BULK begin a new row of windows.",
    AnswerRequest,
    AnswerReply,
)

FEED = Request(
    22,
    "FEED",
    "Feeds raw samples to the application of src/main.c, which works on them as on those of a "
    "sensor and reports what it finds. Only what fits its buffer is taken; no samples ask whether "
    "it has read all.",
    FeedRequest,
    FeedReply,
)

REQUESTS: tuple[Request[Any, Any], ...] = (
    HELLO,
    INPUT_INFO,
    OUTPUT_INFO,
    SET_INPUT,
    RUN,
    GET_OUTPUT,
    GET_LAYER,
    CONTINUE,
    ABORT,
    BENCHMARK,
    BULK,
    MODEL_STATE,
    PROFILE,
    FEATURES_INFO,
    FEATURES_START,
    PUSH,
    GET_INPUT,
    REPLAY,
    ANSWER_INFO,
    ANSWER,
    FEED,
    RESET,
)


@dataclass(frozen=True)
class Field:
    """A field of a payload as it lies on the wire."""

    name: str
    kind: Kind
    meaning: str


_LAYOUTS: dict[type[Any], tuple[Field, ...]] = {}


def layout(payload: type[Any]) -> tuple[Field, ...]:
    """The fields of a payload class of this module, in the order of the wire."""
    known = _LAYOUTS.get(payload)
    if known is None:
        hints = get_type_hints(payload, include_extras=True)
        known = tuple(
            Field(field.name, *get_args(hints[field.name])[1:]) for field in fields(payload)
        )
        _LAYOUTS[payload] = known
    return known


def fixed_bytes(payload: type[Any]) -> int:
    """Bytes of all fields that always have the same length."""
    sizes = [_STRUCTS[field.kind].size for field in layout(payload) if field.kind in _STRUCTS]
    return sum(sizes)


HEADER_BYTES = fixed_bytes(Header)


def encode(payload: Any) -> bytes:  # noqa: ANN401 - any payload class of this module
    """The bytes of a payload.  Raises ValueError for a value outside its field's range."""
    parts = [_encode_field(field, getattr(payload, field.name)) for field in layout(type(payload))]
    return b"".join(parts)


def _encode_field(field: Field, value: Any) -> bytes:  # noqa: ANN401
    try:
        match field.kind:
            case Kind.REST:
                return bytes(value)
            case Kind.TEXT | Kind.PATH:
                return _encode_text(value, field.kind)
            case Kind.SHAPE:
                return _STRUCTS[field.kind].pack(*value)
            case _:
                return _STRUCTS[field.kind].pack(value)
    except struct.error as error:
        raise ValueError(f"{field.name} = {value!r}: {error}") from None


def _encode_text(value: str, kind: Kind) -> bytes:
    data = value.encode()
    if b"\0" in data:
        raise ValueError(f"{value!r} holds a NUL character")
    if kind is Kind.TEXT:
        data = data[: TEXT_BYTES - 1]
    return data + b"\0"


def decode(payload: type[R], data: bytes) -> R:
    """The payload that `data` holds.  Raises ValueError where it is too short or too long."""
    values: dict[str, Any] = {}
    position = 0
    for field in layout(payload):
        values[field.name], position = _decode_field(field, data, position)
    if position != len(data):
        raise ValueError(f"{payload.__name__}: {len(data) - position} bytes too many")
    return payload(**values)


def _decode_field(field: Field, data: bytes, position: int) -> tuple[Any, int]:
    """(value, position after it)."""
    match field.kind:
        case Kind.REST:
            return data[position:], len(data)
        case Kind.TEXT | Kind.PATH:
            end = data.find(b"\0", position)
            if end < 0:
                raise ValueError(f"{field.name}: the end of the text is missing")
            return data[position:end].decode(errors="replace"), end + 1
    layout_of_field = _STRUCTS[field.kind]
    if position + layout_of_field.size > len(data):
        raise ValueError(f"{field.name} is missing")
    values = layout_of_field.unpack_from(data, position)
    value = values if field.kind is Kind.SHAPE else values[0]
    return value, position + layout_of_field.size
