"""One table: the Python side, the generated C header and the page agree with it."""

from __future__ import annotations

import importlib.util
import re
import subprocess
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from link_device import WARNINGS, write_link_headers

from tinyml_tool import protocol
from tinyml_tool.devices.inference_line import ReportedInference, parse_inference_line
from tinyml_tool.devices.link.diagnosis import RefusedError
from tinyml_tool.devices.link.exchange import Exchange
from tinyml_tool.firmware.link_config import link_config_header, link_payload_bytes
from tinyml_tool.firmware.protocol_header import protocol_header
from tinyml_tool.protocol import (
    REQUESTS,
    Empty,
    Kind,
    ReportKey,
    Request,
    Status,
    decode,
    encode,
    layout,
)
from tinyml_tool.resources import data_folder

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs" / "link.md"
PAYLOADS = sorted(
    {payload for request in REQUESTS for payload in (request.request, request.reply)}
    | {protocol.Header, protocol.Working, protocol.Paused, protocol.BulkRecord},
    key=lambda payload: payload.__name__,
)
VALUES: dict[Kind, st.SearchStrategy[Any]] = {
    Kind.U8: st.integers(0, 2**8 - 1),
    Kind.U16: st.integers(0, 2**16 - 1),
    Kind.U32: st.integers(0, 2**32 - 1),
    Kind.U64: st.integers(0, 2**64 - 1),
    Kind.I32: st.integers(-(2**31), 2**31 - 1),
    Kind.F32: st.floats(width=32, allow_nan=False),
    Kind.HASH: st.binary(min_size=32, max_size=32),
    Kind.SHAPE: st.tuples(*[st.integers(-(2**31), 2**31 - 1)] * 6),
    Kind.TEXT: st.text(st.characters(codec="ascii", exclude_characters="\0"), max_size=35),
    Kind.PATH: st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=80),
    Kind.REST: st.binary(max_size=100),
}


def values_of(payload: type[Any]) -> st.SearchStrategy[Any]:
    kinds = {field.name: VALUES[field.kind] for field in layout(payload)}
    return st.builds(payload, **kinds)


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda payload: payload.__name__)
@given(data=st.data())
def test_every_payload_comes_back(payload: type[Any], data: st.DataObject) -> None:
    value = data.draw(values_of(payload))
    assert decode(payload, encode(value)) == value


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda payload: payload.__name__)
def test_every_field_has_a_kind_and_a_meaning(payload: type[Any]) -> None:
    assert [field.name for field in layout(payload)] == [field.name for field in fields(payload)]
    assert all(field.meaning for field in layout(payload))


def test_request_numbers_and_names_are_unique() -> None:
    assert len({request.code for request in REQUESTS}) == len(REQUESTS)
    assert len({request.name for request in REQUESTS}) == len(REQUESTS)
    assert all(0 < request.code < 32 for request in REQUESTS)


def test_the_longest_hello_fits_the_smallest_payload() -> None:
    texts = sum(field.kind is Kind.TEXT for field in layout(protocol.HelloReply))
    longest = protocol.fixed_bytes(protocol.HelloReply) + texts * protocol.TEXT_BYTES
    assert longest <= protocol.PAYLOAD_BYTES_MIN


def test_texts_are_cut_and_values_out_of_range_are_refused() -> None:
    paused = protocol.Paused(0, 0, 0, 0, 0, "x" * 99)
    assert decode(protocol.Paused, encode(paused)).kind == "x" * 35
    with pytest.raises(ValueError, match="index = 65536"):
        encode(protocol.TensorRequest(65536))
    with pytest.raises(ValueError, match="NUL"):
        encode(protocol.BulkRequest(1, 0, "a\0b", "c"))


def test_the_device_knows_every_request(request: pytest.FixtureRequest, start_device: Any) -> None:
    exchange = Exchange(start_device())
    exchange.open()
    for known in REQUESTS:
        bare = Request(known.code, known.name, "", Empty, protocol.DataReply)
        try:
            exchange.call(bare, Empty())
        except RefusedError as error:
            assert error.status != Status.UNKNOWN_REQUEST, known.name
        if known is protocol.RESET:
            exchange.open()
    exchange.open()
    with pytest.raises(RefusedError, match="UNKNOWN_REQUEST"):
        exchange.call(Request(99, "NONSENSE", "", Empty, Empty), Empty())


def test_requests_with_a_wrong_payload_are_refused(start_device: Any) -> None:
    exchange = Exchange(start_device())
    exchange.open()
    for known in REQUESTS:
        long = Request(known.code, known.name, "", protocol.DataReply, protocol.DataReply)
        with pytest.raises(RefusedError, match=r"MALFORMED|OUT_OF_RANGE"):
            exchange.call(long, protocol.DataReply(b"\xff" * 13))


def test_the_header_compiles_alone_and_without_warning(tmp_path: Path) -> None:
    write_link_headers(tmp_path, 256)
    (tmp_path / "alone.c").write_text('#include "tinyml_protocol.h"\n')
    include = data_folder("firmware_templates") / "link"
    command = ["gcc", "-std=c11", "-c", *WARNINGS, f"-I{include}", "alone.c"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def c_numbers(text: str, prefix: str) -> dict[str, int]:
    found = re.findall(rf"\b{prefix}(\w+) = (\d+)", text)
    return {name: int(value) for name, value in found}


def test_the_header_has_every_number_of_the_table() -> None:
    header = protocol_header()
    assert c_numbers(header, "TINYML_REQUEST_") == {r.name: r.code for r in REQUESTS}
    assert c_numbers(header, "TINYML_STATUS_") == {s.name: int(s) for s in Status}


@pytest.mark.parametrize(
    ("source", "enum", "prefix", "codes"),
    [
        ("port/port.h", "port_reset_reason", "PORT_RESET_", protocol.ResetReason),
        ("runtime/model.h.j2", "model_type", "MODEL_", protocol.TensorType),
    ],
)
def test_numbers_of_other_headers_are_those_of_the_table(
    source: str, enum: str, prefix: str, codes: Any
) -> None:
    text = (data_folder("firmware_templates") / source).read_text()
    text = text.partition(f"enum {enum} {{")[2].partition("};")[0]
    assert c_numbers(text, prefix) == {code.name: int(code) for code in codes}


def test_the_page_is_up_to_date() -> None:
    path = ROOT / "docs" / "generate_link_page.py"
    spec = importlib.util.spec_from_file_location("generate_link_page", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    written = PAGE.read_text(encoding="utf-8")
    assert module.link_page() == written, "run: python docs/generate_link_page.py"


def test_the_example_in_the_application_compiles(tmp_path: Path) -> None:
    """The comment in main.c shows code: it must work when someone takes it out of the comment."""
    templates = data_folder("firmware_templates")
    source = (templates / "app" / "main.c").read_text()
    example = re.search(r"^ {3}\*\n((?: {3}\* {3}.*\n)+) {3}\*\n", source, re.MULTILINE)
    assert example is not None
    code = "\n".join(line[5:] for line in example[1].splitlines())
    before, after = source[: source.index("  /*\n   * Your code here")], "  return work();\n}\n"
    (tmp_path / "main.c").write_text(f"{before}{code}\n{after}bool (*const used)(void) = step;\n")
    write_link_headers(tmp_path, 256)
    fakes = Path(__file__).parent / "fake_device"
    folders = (fakes, templates / "app", templates / "link", templates / "port")
    includes = ["-I.", *(f"-I{folder}" for folder in folders)]
    command = ["gcc", "-std=c11", "-c", *WARNINGS, *includes, "main.c"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_a_payload_limit_outside_the_protocol_is_refused() -> None:
    with pytest.raises(ValueError, match=r"payload limit 100 is outside 256\.\.4096"):
        link_config_header(board="b", build_id="i", tool_version="1", payload_bytes=100)


def test_small_boards_get_small_buffers() -> None:
    assert link_payload_bytes(16 * 1024) == 256
    assert link_payload_bytes(128 * 1024) == 1024


def test_the_report_that_the_page_shows_is_a_whole_one() -> None:
    (line,) = [text for text in PAGE.read_text().splitlines() if "crc=" in text]
    inference = parse_inference_line(line.strip())
    assert isinstance(inference, ReportedInference)
    assert inference.emulated
    assert set(re.findall(r" ([a-z]+)\d?=", line)) == {key.value for key in ReportKey}
