"""Listening to a board through all that happens to a board."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from pty_board import PtyBoard
from reports import FAULT, report

from tinyml_tool.devices.inference_line import DamagedInference, ReportedInference
from tinyml_tool.devices.link.framing import encode_frame
from tinyml_tool.devices.port_names import PortTarget
from tinyml_tool.devices.port_watch import Faulted, Line, Lost, Opened, PortWatch, Seen
from tinyml_tool.devices.text_lines import TextLines
from tinyml_tool.errors import PortError
from tinyml_tool.protocol import HELLO, MARKER, REPLY_BIT, VERSION, Header


@pytest.fixture
def watch(board: PtyBoard) -> Iterator[PortWatch]:
    with PortWatch(PortTarget(str(board.path))) as watch:
        watch.open()
        yield watch


def seen_until(
    watch: PortWatch, condition: Callable[[list[Seen]], bool], seconds: float = 5
) -> list[Seen]:
    seen: list[Seen] = []
    deadline = time.monotonic() + seconds
    while not condition(seen):
        assert time.monotonic() < deadline, seen
        seen += watch.poll(0.05)
    return seen


def first(watch: PortWatch, count: int = 1) -> list[Seen]:
    return seen_until(watch, lambda seen: len(seen) >= count)


def test_lines_come_in_order(board: PtyBoard, watch: PortWatch) -> None:
    board.print("one\ntwo\n\n\nthree\n")
    assert first(watch, 3) == [Line("one"), Line("two"), Line("three")]


def test_a_report_is_an_inference(board: PtyBoard, watch: PortWatch) -> None:
    board.print(report(number=5) + "\n")
    (seen,) = first(watch)
    assert isinstance(seen, ReportedInference)
    assert (seen.number, seen.outputs[0].top[0].index) == (5, 1)


def test_a_damaged_report_is_told_to_be_one(board: PtyBoard, watch: PortWatch) -> None:
    board.print(report().replace("ticks=5", "ticks=4") + "\n")
    assert isinstance(first(watch)[0], DamagedInference)


def test_a_report_in_pieces_is_put_together(board: PtyBoard, watch: PortWatch) -> None:
    line = report() + "\n"
    for start in range(0, len(line), 7):
        board.print(line[start : start + 7])
        watch_now = watch.poll(0.01)
        if watch_now:
            assert isinstance(watch_now[0], ReportedInference)
            return
    assert isinstance(first(watch)[0], ReportedInference)


def test_a_prompt_without_end_of_line_is_shown_after_a_while(
    board: PtyBoard, watch: PortWatch
) -> None:
    board.print("password: ")
    assert first(watch) == [Line("password: ")]


def test_a_fault_is_explained(board: PtyBoard, watch: PortWatch) -> None:
    board.print(FAULT + "\nafter it\n")
    fault, line = first(watch, 2)
    assert isinstance(fault, Faulted)
    assert "BusFault" in fault.message
    assert "0xdeadbeec" in fault.message
    assert line == Line("after it")


def test_a_second_fault_is_explained_too(board: PtyBoard, watch: PortWatch) -> None:
    board.print(FAULT + "\n")
    first(watch)
    board.print(FAULT + "\n")
    assert isinstance(first(watch)[0], Faulted)


def test_frames_between_the_lines_do_not_show(board: PtyBoard, watch: PortWatch) -> None:
    header = Header(MARKER, 0, VERSION, HELLO.code | REPLY_BIT, 0, 1, 1)
    board.send(b"before\r\n" + encode_frame(header, b"no text\n") + b"after\r\n")
    assert first(watch, 2) == [Line("before"), Line("after")]


def test_a_pulled_cable_is_told_and_the_board_is_found_again(
    board: PtyBoard, watch: PortWatch
) -> None:
    board.unplug()
    (lost,) = first(watch)
    assert isinstance(lost, Lost)
    assert watch.poll(0.1) == []
    board.plug()
    assert first(watch) == [Opened(str(board.path))]
    board.print("back\n")
    assert first(watch) == [Line("back")]


def test_half_a_line_before_the_cable_was_pulled_is_not_lost(
    board: PtyBoard, watch: PortWatch
) -> None:
    board.print("half")
    time.sleep(0.05)
    watch.poll(0.05)
    board.unplug()
    assert first(watch, 2)[0] == Line("half")


def test_a_line_that_is_sent_arrives_with_its_end(board: PtyBoard, watch: PortWatch) -> None:
    assert watch.send("run")
    assert board.received(b"\r") == b"\0run\r"


def test_nothing_can_be_sent_to_a_board_that_is_gone(board: PtyBoard, watch: PortWatch) -> None:
    board.unplug()
    first(watch)
    assert not watch.send("run")


def test_a_port_that_is_not_there_at_first_is_an_error(board: PtyBoard) -> None:
    board.unplug()
    with pytest.raises(PortError, match="does not exist"):
        PortWatch(PortTarget(str(board.path))).open()


def text(data: bytes) -> list[str]:
    return TextLines().feed(data)


def test_a_board_cannot_send_commands_to_the_terminal() -> None:
    (line,) = text(b"\x1b[2J\x1b]0;title\x07hello\n")
    assert "\x1b" not in line and "\x07" not in line
    assert line.endswith("hello")


def test_what_was_typed_and_erased_does_not_show() -> None:
    assert text(b"rub\b \bn\r\n") == ["run"]


def test_any_end_of_line_ends_a_line_once() -> None:
    assert text(b"a\rb\nc\r\nd\n\re\n") == ["a", "b", "c", "d", "e"]


def test_a_character_cut_in_two_is_put_together() -> None:
    lines = TextLines()
    assert lines.feed("ü".encode()[:1]) == []
    assert lines.feed("ü".encode()[1:] + b"\n") == ["ü"]


def test_a_line_without_end_does_not_grow_for_ever() -> None:
    lines = TextLines()
    found = [line for _ in range(40) for line in lines.feed(b"x" * 1000)]
    assert len(found) == 2
    assert len(lines.open_line) < 16 * 1024
