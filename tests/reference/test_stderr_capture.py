from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tinyml_tool.reference.stderr_capture import captured_stderr


def test_what_c_code_writes_is_caught(capfd: pytest.CaptureFixture[str]) -> None:
    with captured_stderr() as log:
        os.write(2, b"one\n\n two \n")
    assert log.lines == ("one", "two")
    assert capfd.readouterr().err == ""


def test_stderr_works_again_afterwards(capfd: pytest.CaptureFixture[str]) -> None:
    with captured_stderr():
        os.write(2, b"inside")
    os.write(2, b"outside")
    assert capfd.readouterr().err == "outside"


def test_stderr_works_again_after_an_exception(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RuntimeError), captured_stderr():
        raise RuntimeError
    os.write(2, b"outside")
    assert capfd.readouterr().err == "outside"


def test_the_text_is_there_after_an_exception() -> None:
    with pytest.raises(RuntimeError), captured_stderr() as log:
        os.write(2, b"the reason\n")
        raise RuntimeError
    assert log.text == "the reason\n"


def test_bytes_that_are_no_text_do_not_fail() -> None:
    with captured_stderr() as log:
        os.write(2, b"\xff\xfe\n")
    assert log.lines == ("��",)


def test_a_process_without_stderr_can_capture_too() -> None:
    program = (
        "import os\n"
        "os.close(2)\n"
        "from tinyml_tool.reference.stderr_capture import captured_stderr\n"
        "with captured_stderr() as log:\n"
        "    os.write(2, b'caught')\n"
        "print(log.text)\n"
        "try:\n"
        "    os.fstat(2)\n"
        "except OSError:\n"
        "    print('closed again')\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(__file__).resolve().parents[2],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert result.stdout.split("\n")[:2] == ["caught", "closed again"]
