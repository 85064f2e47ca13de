"""One request, one answer: sequence numbers, retries, time limits, and the log of text beside."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from tinyml_tool.devices.device import ByteStream
from tinyml_tool.devices.link import diagnosis
from tinyml_tool.devices.link.framing import Damaged, Demultiplexer, Frame, Text, encode_frame
from tinyml_tool.devices.link.patience import Patience
from tinyml_tool.protocol import (
    HELLO,
    MARKER,
    NOTICE,
    REPLY_BIT,
    VERSION,
    Empty,
    Header,
    HelloReply,
    Paused,
    Request,
    Status,
    decode,
    encode,
)

_GREETING = "tinyml: model "
"""How the device greets after a reset."""

_NOT_TEXT = bytes(set(range(32)) - set(b"\a\b\t\n\r\x1b"))
"""Bytes that no firmware prints: among text they are the rest of a frame that lost its start."""

_HELLO_PATIENCE = 0.1
"""Seconds before the first repetition of HELLO: a UART that is not switched on yet loses it."""

_PAUSE_IN_FRAME = 0.25
"""Seconds of silence within a frame that mean nothing: the bytes of a slow line come in bursts."""

_KEPT_TEXT = 16 * 1024
_KEPT_FIRST_BYTES = 64
_READ_BYTES = 65536

Q = TypeVar("Q")
R = TypeVar("R")


@dataclass(frozen=True)
class Timeouts:
    """How long to wait, in seconds."""

    connect: float = 10.0
    """For the first answer of a device that may still start."""
    answer: float = 0.5
    """For an answer before asking again; doubles with each further try, up to `answer_longest`.

    Shorter where all answers were fast so far, longer by the time that a slow line needs."""
    answer_longest: float = 4.0
    give_up: float = 15.0
    """For an answer, all tries together."""
    work: float = 120.0
    """Between two signs of life of a device that works on a long request."""
    probe: float = 30.0
    """Of silence in a long request before asking again, in case its answer was lost."""
    tries: int = 200
    """Requests sent for one answer."""


@dataclass
class Statistics:
    """What happened on the line."""

    requests: int = 0
    answers: int = 0
    sent_again: int = 0
    damaged_received: int = 0
    """Frames from the device with a wrong CRC."""
    damaged_sent: int = 0
    """Frames of which the device said so."""
    stale: int = 0
    """Good frames that answered something else: repeated answers, mostly."""
    bytes_sent: int = 0
    bytes_received: int = 0


class NotDeliveredError(Exception):
    """Several tries of one request failed; a shorter one may get through."""


class _Damage(Exception):  # noqa: N818 - a signal within this module
    """A frame was lost in one of the two directions: ask again at once."""


@dataclass
class _Asking:
    """A request that waits for its answer."""

    request: Request[Any, Any]
    header: Header
    limit: float
    give_up_at: float
    patience: float
    tries: int = 0
    damaged: int = 0
    accepted: bool = False
    """The device works on it, and will answer without being asked again."""
    doubtful: bool = False
    """Something arrived that may have been its answer."""


class Exchange:
    """A session with the device.  `open` comes first; not for use by several threads."""

    def __init__(
        self,
        stream: ByteStream,
        timeouts: Timeouts | None = None,
        on_text: Callable[[str], None] | None = None,
    ) -> None:
        self.timeouts = timeouts or Timeouts()
        self.statistics = Statistics()
        self._stream = stream
        self.on_text = on_text
        self._demultiplexer = Demultiplexer()
        self._patience = Patience(self.timeouts.answer)
        self._text = ""
        self._greetings = 0
        self._first_bytes = b""
        self._last_byte = 0.0
        self._session = 0
        self._sequence = 0

    @property
    def text(self) -> str:
        """The last text the device printed."""
        return self._text

    def open(self) -> HelloReply:
        """Open a new session: HELLO until the device answers.

        Raises LinkError where it stays silent, babbles or speaks another version.
        """
        self._session = secrets.randbelow(2**32 - 1) + 1
        self._sequence = secrets.randbelow(2**16)
        return self.call(HELLO, Empty())

    def call(self, request: Request[Q, R], payload: Q, *, tries: int | None = None) -> R:
        """The reply to a request that cannot pause.

        With `tries`, raises NotDeliveredError after so many; else LinkError when all hope is gone.
        """
        answer = self.call_pausing(request, payload, tries=tries)
        if isinstance(answer, Paused):
            raise diagnosis.wrong_reply(request.name, "a pause nobody asked for")
        return answer

    def call_pausing(
        self, request: Request[Q, R], payload: Q, *, tries: int | None = None
    ) -> R | Paused:
        """As `call`, for RUN and CONTINUE, which an observed run answers with its next pause."""
        frame = self._converse(request, encode(payload), tries)
        self.statistics.answers += 1
        status = frame.header.status
        try:
            if status == Status.OK:
                return decode(request.reply, frame.payload)
            if status == Status.PAUSED:
                return decode(Paused, frame.payload)
        except ValueError as error:
            raise diagnosis.wrong_reply(request.name, str(error)) from None
        raise self._refused(request, frame)

    def end_partial_frame(self) -> None:
        """Tell the device's parser that a frame that was cut off is over."""
        self._stream.write(b"\0")

    def _refused(self, request: Request[Any, Any], frame: Frame) -> Exception:
        status = Status.find(frame.header.status)
        if status is None:
            return diagnosis.wrong_reply(request.name, f"status {frame.header.status}")
        if status == Status.NO_SESSION:
            return diagnosis.restarted(request.name, self._text)
        detail = frame.payload.split(b"\0")[0].decode(errors="replace")
        return diagnosis.RefusedError(request, status, detail)

    def _converse(self, request: Request[Any, Any], payload: bytes, tries: int | None) -> Frame:
        """Send until the answer is there."""
        self._sequence = (self._sequence + 1) % 2**16
        header = Header(MARKER, 0, VERSION, request.code, 0, self._sequence, self._session)
        wire = encode_frame(header, payload)
        limit, patience = self.timeouts.give_up, self._patience.after(len(wire))
        if request is HELLO:
            limit, patience = self.timeouts.connect, min(patience, _HELLO_PATIENCE)
        start, received = time.monotonic(), self.statistics.bytes_received
        asking = _Asking(request, header, limit, start + limit, patience)
        self.statistics.requests += 1
        while True:
            self._check_hope(asking, tries)
            self._send(wire, asking)
            try:
                frame = self._wait(asking)
            except _Damage:
                asking.damaged += 1
                asking.accepted = False  # that may have been its answer
                continue
            if frame is not None:
                if asking.tries == 1 and not request.long:
                    moved = len(wire) + self.statistics.bytes_received - received
                    self._patience.answered(time.monotonic() - start, moved)
                return frame
            longer = min(2 * asking.patience, self.timeouts.answer_longest)
            asking.patience = max(asking.patience, longer)

    def _check_hope(self, asking: _Asking, tries: int | None) -> None:
        if tries is not None and asking.tries >= tries and not asking.accepted:
            raise NotDeliveredError
        if time.monotonic() >= asking.give_up_at or asking.tries >= self.timeouts.tries:
            raise self._hopeless(asking)

    def _send(self, wire: bytes, asking: _Asking) -> None:
        self._stream.write(wire)
        self.statistics.bytes_sent += len(wire)
        self.statistics.sent_again += asking.tries > 0
        asking.tries += 1

    def _wait(self, asking: _Asking) -> Frame | None:
        """The answer, or None when it is time to ask again.  Raises _Damage to ask at once."""
        greetings, asking.doubtful = self._greetings, False
        until = self._ask_again_at(asking)
        while (left := self._patient_until(until, asking) - time.monotonic()) > 0:
            damaged = False
            for item in self._receive(left, asking):
                if isinstance(item, Damaged):
                    damaged = True
                    continue
                answer = self._judge(item, asking)
                if answer is None:
                    continue
                if answer.header.status != Status.WORKING:
                    return answer
                asking.accepted = True
                damaged = False  # the answer comes after this
                asking.give_up_at = time.monotonic() + self.timeouts.work
                until = self._ask_again_at(asking)
            if damaged:
                raise _Damage
            if asking.accepted and self._greetings > greetings:
                return None  # it greets: it may have restarted, and then does not know the session
            if asking.doubtful:
                until = min(until, time.monotonic() + self._patience.usual)
        asking.accepted &= not (asking.doubtful or self._demultiplexer.in_frame)
        return None

    def _patient_until(self, until: float, asking: _Asking) -> float:
        """`until`, but not while a frame arrives, and not for long after one without an end."""
        if not self._demultiplexer.in_frame:
            return until
        end = self._last_byte + _PAUSE_IN_FRAME
        return min(until, end) if asking.accepted else max(until, end)

    def _ask_again_at(self, asking: _Asking) -> float:
        pause = self.timeouts.probe if asking.accepted else asking.patience
        return min(time.monotonic() + pause, asking.give_up_at)

    def _receive(self, seconds: float, asking: _Asking) -> list[Frame | Damaged]:
        """Frames that arrive within that time, at most until the first piece of data."""
        data = self._stream.read(_READ_BYTES, seconds)
        self.statistics.bytes_received += len(data)
        if data:
            self._last_byte = time.monotonic()
        self._first_bytes += data[: _KEPT_FIRST_BYTES - len(self._first_bytes)]
        frames: list[Frame | Damaged] = []
        for item in self._demultiplexer.feed(data):
            match item:
                case Text(text):
                    self._log(text)
                    asking.doubtful |= len(text.translate(None, _NOT_TEXT)) < len(text)
                case Damaged():
                    self.statistics.damaged_received += 1
                    frames.append(item)
                case Frame():
                    frames.append(item)
        return frames

    def _judge(self, frame: Frame, asking: _Asking) -> Frame | None:
        """The frame if it answers the request."""
        header = frame.header
        if header.type == NOTICE and header.status == Status.DAMAGED:
            self.statistics.damaged_sent += 1
            raise _Damage
        expected = (asking.request.code | REPLY_BIT, asking.header.sequence, asking.header.session)
        if (header.type, header.sequence, header.session) != expected:
            self.statistics.stale += 1
            return None
        if header.version != VERSION:
            raise diagnosis.wrong_version(header.version)
        return frame

    def _log(self, data: bytes) -> None:
        text = data.decode(errors="replace")
        before = self._text[-len(_GREETING) :]
        self._greetings += (before + text).count(_GREETING) - before.count(_GREETING)
        self._text = (self._text + text)[-_KEPT_TEXT:]
        if self.on_text is not None:
            self.on_text(text)

    def _hopeless(self, asking: _Asking) -> Exception:
        """Why there is no answer, as far as one can tell."""
        name, received = asking.request.name, self.statistics.bytes_received
        if asking.accepted:
            return diagnosis.never_finished(name, self.timeouts.work, self._text)
        if asking.damaged:
            return diagnosis.damaged(name, asking.damaged, self._text)
        if self.statistics.answers:
            return diagnosis.stopped(name, asking.limit, self.statistics.answers, self._text)
        if not self._first_bytes.strip(b"\0"):  # some UARTs send a NUL when they start
            return diagnosis.silent(asking.limit)
        if _is_readable(self._text):
            return diagnosis.only_text(self._text, asking.limit)
        return diagnosis.babbling(self._first_bytes, received, asking.limit)


def _is_readable(text: str) -> bool:
    """Whether most of it is what a person would print."""
    good = sum(character.isprintable() or character in "\r\n\t" for character in text)
    bad = text.count("\N{REPLACEMENT CHARACTER}")
    return bool(text) and (good - bad) >= 0.9 * len(text)
