from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tinyml_tool.environments.find import FoundPython
from tinyml_tool.environments.run_script import run_script
from tinyml_tool.errors import InputError, ToolMissingError, UnsupportedModelError

HERE = FoundPython(Path(sys.executable), "running the tests")
START = """
import json, os, sys, time
job = json.loads(sys.stdin.read())
events = os.fdopen(int(os.environ["TINYML_EVENTS"]), "w")
def tell(**event):
    events.write(json.dumps(event) + "\\n")
    events.flush()
"""


def run(folder: Path, code: str, job: dict[str, Any] | None = None) -> tuple[Any, list[str]]:
    script = folder / "script.py"
    script.write_text(START + code)
    said: list[str] = []
    return run_script(HERE, script, job or {}, said.append), said


def test_facts_and_progress_come_back(tmp_path: Path) -> None:
    code = "tell(progress='half'); print('noise'); tell(done={'twice': job['n'] * 2})"
    assert run(tmp_path, code, {"n": 4}) == ({"twice": 8}, ["half"])


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("input", InputError),
        ("unsupported", UnsupportedModelError),
        ("missing", ToolMissingError),
    ],
)
def test_what_the_script_refuses_is_an_error_of_its_kind(
    tmp_path: Path, kind: str, error: type[Exception]
) -> None:
    code = f"tell(error={kind!r}, message='no', hint='do this', details=['a', 'b'])"
    with pytest.raises(error, match="no") as caught:
        run(tmp_path, code)
    assert caught.value.hint == "do this"  # type: ignore[attr-defined]
    assert caught.value.details == ("a", "b")  # type: ignore[attr-defined]


def test_an_exception_is_told_with_its_last_line(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedModelError, match="ValueError: odd shape") as caught:
        run(tmp_path, "raise ValueError('odd shape')")
    assert any("raise ValueError" in line for line in caught.value.details)


def test_a_crash_is_told_by_its_signal(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedModelError, match="SIGSEGV"):
        run(tmp_path, "import signal; os.kill(os.getpid(), signal.SIGSEGV)")


def test_a_missing_module_names_the_python(tmp_path: Path) -> None:
    with pytest.raises(ToolMissingError, match="No module named 'tinyml_no_such'"):
        run(tmp_path, "import tinyml_no_such")


def test_a_script_that_says_nothing_is_a_failure(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedModelError, match="failed"):
        run(tmp_path, "pass")


def test_ctrl_c_ends_the_script_too(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    code = f"open({str(pid)!r}, 'w').write(str(os.getpid())); time.sleep(60)"

    def press() -> None:
        while not (pid.exists() and pid.read_text()):
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=press, daemon=True).start()
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path, code)
    finally:
        signal.signal(signal.SIGINT, before)
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)
