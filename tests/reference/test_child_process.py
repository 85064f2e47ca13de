from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from tinyml_tool.reference.child_process import run_in_child


def test_the_value_comes_back() -> None:
    assert run_in_child(lambda: b"answer", 10).value == b"answer"


def test_a_value_larger_than_a_pipe_comes_back_whole() -> None:
    assert run_in_child(lambda: b"x" * 5_000_000, 10).value == b"x" * 5_000_000


def test_an_exception_comes_back_as_text() -> None:
    def fail() -> bytes:
        raise ValueError("no good")

    assert run_in_child(fail, 10).error == "ValueError: no good"


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGFPE, signal.SIGKILL])
def test_a_death_by_signal_is_named(number: signal.Signals) -> None:
    def crash() -> bytes:
        os.kill(os.getpid(), number)
        return b""

    assert run_in_child(crash, 10).signal_name == number.name


def test_a_child_that_exits_without_an_answer_is_an_error() -> None:
    def leave() -> bytes:
        os._exit(3)

    assert run_in_child(leave, 10).error == "ended with status 3"


def test_what_the_child_writes_to_stderr_is_its_log(capfd: pytest.CaptureFixture[str]) -> None:
    def complain() -> bytes:
        os.write(2, b"first\n\n  second\n")
        return b""

    assert run_in_child(complain, 10).log == ("first", "second")
    assert capfd.readouterr().err == ""


def test_a_child_that_hangs_is_stopped_in_time() -> None:
    def hang() -> bytes:
        time.sleep(60)
        return b""

    start = time.monotonic()
    assert run_in_child(hang, 0.2).timed_out
    assert time.monotonic() - start < 5


def test_an_interrupted_parent_leaves_no_child_behind() -> None:
    read_end, write_end = os.pipe()

    def tell_and_hang() -> bytes:
        os.write(write_end, str(os.getpid()).encode())
        time.sleep(60)
        return b""

    interrupter = threading.Timer(0.3, signal.pthread_kill, (threading.get_ident(), signal.SIGINT))
    interrupter.start()
    with pytest.raises(KeyboardInterrupt):
        run_in_child(tell_and_hang, 30)
    os.close(write_end)
    child = int(os.read(read_end, 20))
    os.close(read_end)
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


def test_the_child_does_not_change_the_parents_values() -> None:
    values: list[int] = []

    def append() -> bytes:
        values.append(1)
        return b""

    run_in_child(append, 10)
    assert values == []
