"""The file that BULK and REPLAY write: a record of the table before each tensor."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field

from tinyml_tool.protocol import AnswerReply, BulkRecord, RecordKind, decode, fixed_bytes

_HEADER_BYTES = fixed_bytes(BulkRecord)


@dataclass
class BulkInference:
    """Outputs of one inference and, by tensor index, what its layers wrote, all as raw bytes.

    `inputs` are there where the device made them of samples.
    """

    outputs: list[bytes] = field(default_factory=list)
    layers: dict[int, bytes] = field(default_factory=dict)
    inputs: list[bytes] = field(default_factory=list)
    answer: AnswerReply | None = None
    """What the outputs say, where that was asked for."""


def read_bulk_file(content: bytes, count: int, output_count: int) -> list[BulkInference]:
    """The inferences in a file of BULK.

    Raises ValueError where a record is cut off, out of order or has a wrong CRC, or one is missing.
    """
    inferences = [BulkInference() for _ in range(count)]
    position = 0
    while position < len(content):
        record = decode(BulkRecord, content[position : position + _HEADER_BYTES])
        position += _HEADER_BYTES
        data = content[position : position + record.bytes]
        position += record.bytes
        if len(data) != record.bytes or zlib.crc32(data) != record.crc:
            raise ValueError(f"the record of inference {record.inference} is damaged")
        if record.inference >= count:
            raise ValueError(f"a record of inference {record.inference}, but there are {count}")
        _add(inferences[record.inference], record, data)
    for number, inference in enumerate(inferences):
        if len(inference.outputs) != output_count:
            raise ValueError(f"inference {number} has {len(inference.outputs)} outputs")
    return inferences


def _add(inference: BulkInference, record: BulkRecord, data: bytes) -> None:
    if record.kind == RecordKind.LAYER:
        inference.layers[record.tensor] = data
    elif record.kind == RecordKind.OUTPUT and record.index == len(inference.outputs):
        inference.outputs.append(data)
    elif record.kind == RecordKind.INPUT and record.index == len(inference.inputs):
        inference.inputs.append(data)
    elif record.kind == RecordKind.ANSWER and inference.answer is None:
        inference.answer = decode(AnswerReply, data)
    else:
        raise ValueError(f"a record of kind {record.kind}, index {record.index} is out of order")
