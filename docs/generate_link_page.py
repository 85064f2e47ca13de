"""Writes docs/link.md from the protocol's table: python docs/generate_link_page.py."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from enum import IntEnum, IntFlag
from pathlib import Path
from typing import Any

from tinyml_tool import protocol
from tinyml_tool.protocol import KIND_MEANINGS, REQUESTS, Request, Status, layout

PAGE = Path(__file__).parent / "link.md"

_SHORTEST = protocol.PAYLOAD_BYTES_MIN

_INTRODUCTION = f"""\
# The link

The firmware answers on one serial port to programs and to people. Programs speak the protocol of
this page, version {protocol.VERSION}; people type commands. It is the same on a board, in an
emulator and in a test on the host, over any stream of bytes.

*This page is generated from `tinyml_tool/protocol.py` by `docs/generate_link_page.py`, and so is
the device's `lib/link/tinyml_protocol.h`. Change the table, not the page.*

## For people

Open the port in any serial monitor and type a command and Enter.

| command | what it does |
|---|---|
| `help` | lists the commands |
| `info` | model, board, memory, inputs and outputs |
| `run` | runs the model once, on the inputs set last or on zeros, and prints outputs and time |
| `layers` | runs it and prints a checksum of each layer (built with `MODEL_OBSERVER=1`) |
| `reset` | restarts the board |

Backspace works; a line ends with CR, LF or both. If a program was cut off within a frame, what you
type is taken for the rest of it: Ctrl-@ (a NUL byte) ends the frame at once, on a board a pause of
two seconds does so too, and everywhere as many typed bytes as the longest frame has.
"""

_FRAMES = """\
## Frames

    00  COBS( header  payload  CRC-32 )  00

COBS (consistent overhead byte stuffing, Cheshire and Baker 1997) takes all zeros out of the frame;
text has none either. So a zero always is the edge of a frame, and a receiver that has lost track is
right again at the next one. The header's first two bytes are fixed: every frame starts `00 02 F7`
on the wire, and what follows a zero otherwise is text. The CRC is that of Ethernet and zip, over
header and payload, little-endian. Between frames the device may print text at any time.

All numbers are little-endian, and nothing is padded.
"""

_LINE = (
    f"{protocol.REPORT_MARK} n=1 ticks=81234 hz=25000000 emulated=1 "
    "type0=int8 size0=2 scale0=3b800000 zero0=-128 top0=1:127,0:-128 best=1 score=3f7f0000 "
    "detected=1 label=yes"
)

_REPORT = f"""\
## Reports of your own code

Code in `src/main.c` that runs the model tells it with `tinyml_report(port_ticks() - start)`. That
prints one line of text, which `tinyml monitor` shows with its time and its highest values:

    {_LINE} crc={zlib.crc32(_LINE.encode()):08x}

Keys and values are separated by single spaces, and a line whose checksum
is wrong is not taken for an inference.
"""

_CONVERSATION = f"""\
## The conversation

- The host asks, the device answers; one request at a time. A reply repeats the sequence number, the
  session and, with bit 0x{protocol.REPLY_BIT:02X} set, the type of its request.
- **Session.** The host chooses a random number that is not 0 and opens a session with HELLO; all
  other requests carry it. A device that restarts has no session and refuses them with NO_SESSION:
  nothing from before a reset is ever mixed with what came after.
- **Retries.** A host that gets no answer sends the same frame again. The device keeps its last
  reply: for a request with the same sequence number and CRC it sends that again and does nothing
  else. A request with an older number is refused, a newer one is obeyed. The numbers wrap.
- **Damage.** A frame with a wrong CRC is dropped, and the device says so with a frame of type
  0x{protocol.NOTICE:02X} and status DAMAGED, so that the host need not wait to ask again.
  A frame in which bytes were changed at random has a right CRC once in 2^32 (4.3 billion) times;
  one with at most three wrong bits, or with all of them within 32 in a row, counted after COBS,
  never has (Koopman 2002).
- **Pieces.** No payload is longer than HELLO's `payload_bytes`, at least {_SHORTEST}. Tensors
  travel in pieces, each acknowledged. The host sends shorter ones while the line is bad
  ([measured](link-faults.md)).
- **Proof.** RUN carries the CRC-32 of all inputs, and the device refuses to run on others. The
  reply carries the CRC-32 of all outputs, PAUSED that of the layer, BULK those of both files. The
  host accepts no tensor without it. It finds pieces in a wrong place or of another run; of bytes
  that were changed within a piece it is no second opinion, being the same CRC.
- **Long requests.** To those marked *long* the device says WORKING at once, and in BENCHMARK and
  BULK from time to time. Then the host waits and does not ask again: an interrupt would disturb a
  measurement.
- **Raw samples.** A firmware with capability FEATURES holds the preprocessing of its model.
  FEATURES_INFO tells which, by the hash of the feature spec, and the host refuses to work with
  another one than the model's. PUSH streams samples as a sensor would; its reply to the last one of
  a window carries the CRC-32 that RUN wants, which is also that of the features as the host
  computes them.
- **Observed run.** RUN with OBSERVE answers PAUSED after each output of each layer; then the host
  reads it with GET_LAYER and goes on with CONTINUE, which answers PAUSED again or ends the run.
  A new session ends a paused run, too. With `tinyml validate --checksums` the host fetches only
  layers of which PAUSED tells another length or CRC than the reference has.
- **Versions.** The header never changes. A device of another version answers BAD_VERSION to
  everything, with its own version in the header.
"""

_LIMITS = """\
## Instructions from ticks

An emulator that counts instructions (QEMU with `-icount shift=n`) gives each one 2^n ns of the
guest's time. BENCHMARK times two spins of known length, so the host finds n:

    rate = spin_instructions * (long_loops - short_loops) / (long_spin - short_spin)

The host rounds this to the nearest 10^9 / (timer_hz * 2^n) and believes in it only if both spins
agree. Otherwise it reports ticks alone. The device starts each measurement at another place
between two ticks. So the same instructions take a whole number of ticks sometimes rounded down and
sometimes up, and with less than one instruction a tick only one whole number of them fits. The same
for measuring nothing; the difference is exact.
"""


def link_page() -> str:
    """The text of docs/link.md."""
    parts = [
        _INTRODUCTION,
        _report(),
        _FRAMES,
        _table("field", protocol.Header),
        _kinds(),
        _CONVERSATION,
        _requests(),
        *(_request(request) for request in REQUESTS),
        _status(),
        "## Payloads of other answers\n\n### WORKING\n",
        _payload(protocol.Working),
        "### PAUSED\n",
        _payload(protocol.Paused),
        "## The output file of BULK and REPLAY\n\n"
        "For each inference: one record and tensor for each layer output, with OBSERVE, in the\n"
        "order of the run, then one for each output of the model. REPLAY's has the model's input\n"
        "first, with FEATURES, and outputs with OUTPUTS.\n",
        _table("field", protocol.BulkRecord),
        "## Numbers\n",
        _codes("record kind", protocol.RecordKind),
        _flags("run flag", protocol.RUN_FLAG_MEANINGS),
        _flags("replay flag", protocol.REPLAY_FLAG_MEANINGS),
        _flags("feed flag", protocol.FEED_FLAG_MEANINGS),
        _flags("capability", protocol.CAPABILITY_MEANINGS),
        _codes("type of a tensor", protocol.TensorType),
        _codes("reason of a reset", protocol.ResetReason),
        _LIMITS,
    ]
    return "\n".join(parts)


def _rows(titles: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> str:
    lines = ["| " + " | ".join(titles) + " |", "|" + "---|" * len(titles)]
    lines += [
        "| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |" for row in rows
    ]
    return "\n".join(lines) + "\n"


def _table(title: str, payload: type[Any]) -> str:
    rows = [(f"`{field.name}`", field.kind.value, field.meaning) for field in layout(payload)]
    return _rows((title, "kind", "meaning"), rows)


def _payload(payload: type[Any]) -> str:
    if not layout(payload):
        return "Nothing.\n"
    return f"{payload.__doc__}\n\n{_table('field', payload)}"


def _kinds() -> str:
    rows = [(f"{kind.value}", meaning) for kind, meaning in KIND_MEANINGS.items()]
    return _rows(("kind", "meaning"), rows)


def _report() -> str:
    rows = [
        (
            f"`{key.value}`" + (" and the output's number" if key.of_output else ""),
            key.meaning,
        )
        for key in protocol.ReportKey
    ]
    return _REPORT + "\n" + _rows(("key", "value"), rows)


def _requests() -> str:
    rows = [
        (f"[{request.name}](#{request.name.lower()})", request.code, "yes" if request.long else "")
        for request in REQUESTS
    ]
    return "## Requests\n\n" + _rows(("request", "type", "long"), rows)


def _request(request: Request[Any, Any]) -> str:
    return (
        f"### {request.name}\n\n{request.meaning}\n\n"
        f"Request: {_payload(request.request)}\nReply: {_payload(request.reply)}"
    )


def _status() -> str:
    rows = [(status.name, int(status), status.meaning) for status in Status]
    text = " ".join(str(Status.__doc__).split())
    return f"## Status\n\n{text}\n\n" + _rows(("status", "number", "meaning"), rows)


def _codes(title: str, codes: type[IntEnum]) -> str:
    rows = [(code.name, int(code), getattr(code, "meaning", "")) for code in codes]
    return _rows((title, "number", "meaning"), rows)


def _flags(title: str, meanings: dict[Any, str]) -> str:
    flags: list[IntFlag] = list(meanings)
    rows = [(flag.name, int(flag), meanings[flag]) for flag in flags]
    return _rows((title, "number", "meaning"), rows)


if __name__ == "__main__":
    PAGE.write_text(link_page(), encoding="utf-8")
