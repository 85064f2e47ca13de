"""How the tool stands the end of its training process; a made-up TensorFlow plays the fault."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from training_case import series

from tinyml_tool.api.train import train
from tinyml_tool.errors import ExitCode, InputError, TinymlError, ToolMissingError, TrainingError
from tinyml_tool.train.engine_process import PYTHON_VARIABLE, run_engine
from tinyml_tool.train.settings import TrainSettings


@pytest.fixture
def tensorflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Makes `import keras` run a text, in the engine's process."""

    def fake(text: str) -> None:
        folder = tmp_path / "fake"
        folder.mkdir()
        (folder / "keras.py").write_text(text)
        monkeypatch.setenv("PYTHONPATH", f"{folder}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
        monkeypatch.setenv(PYTHON_VARIABLE, sys.executable)

    return fake


def run(folder: Path) -> None:
    train(series(), arch="mlp", output=folder / "out", settings=TrainSettings(epochs=1))


def test_missing_tensorflow_is_told_with_the_way_to_install_it(tmp_path, tensorflow) -> None:
    tensorflow("raise ImportError(\"No module named 'keras'\")")
    with pytest.raises(ToolMissingError, match="No module named 'keras'") as error:
        run(tmp_path)
    assert "tinyml-tool[train]" in str(error.value.hint)
    assert error.value.exit_code == ExitCode.BUILD
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fake"]


def test_a_killed_engine_is_told_as_lack_of_memory(tmp_path, tensorflow) -> None:
    tensorflow("import os; os.kill(os.getpid(), 9)")
    with pytest.raises(TrainingError, match=r"killed .* memory ran out") as error:
        run(tmp_path)
    assert "--batch-size" in str(error.value.hint)
    assert "--resume" in str(error.value.hint)
    assert not (tmp_path / "out").exists()


def test_memory_that_ran_out_is_told(tmp_path, tensorflow) -> None:
    tensorflow("raise MemoryError('2 TB wanted')")
    with pytest.raises(TrainingError, match="memory ran out: 2 TB wanted"):
        run(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import os; os.abort()", "signal SIGABRT"),
        ("raise RuntimeError('broken wheel')", "status 1"),
        ("import sys; sys.exit(0)", "status 0"),
    ],
)
def test_a_crash_is_told_with_its_last_lines(tmp_path, tensorflow, text, message) -> None:
    tensorflow(f"import sys; print('last words', file=sys.stderr, flush=True)\n{text}")
    with pytest.raises(TrainingError, match=message) as error:
        run(tmp_path)
    assert any("last words" in line for line in error.value.details)


def test_what_libraries_print_does_not_disturb_the_messages(tmp_path, tensorflow) -> None:
    tensorflow("print('{\"event\": \"done\"}', flush=True); raise ImportError('x')")
    with pytest.raises(ToolMissingError):
        run(tmp_path)


def test_a_python_that_does_not_exist_is_told(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv(PYTHON_VARIABLE, str(tmp_path / "python"))
    with pytest.raises(ToolMissingError) as error:
        run(tmp_path)
    assert PYTHON_VARIABLE in error.value.message


def test_the_engine_ends_with_the_tool(tmp_path, tensorflow) -> None:
    """Also when the tool is killed, and nothing can end the engine but itself."""
    pid = tmp_path / "pid"
    tensorflow(f"import os, time; open({str(pid)!r}, 'w').write(str(os.getpid())); time.sleep(60)")
    (tmp_path / "job.json").write_text("{}")
    code = (
        "from pathlib import Path; from tinyml_tool.train.engine_process import run_engine; "
        f"run_engine(Path({str(tmp_path / 'job.json')!r}))"
    )
    tool = subprocess.Popen([sys.executable, "-c", code])
    try:
        wait_until(lambda: pid.is_file() and pid.read_text())
    finally:
        tool.kill()
        tool.wait()
    wait_until(lambda: not alive(int(pid.read_text())))


def test_an_exception_of_the_listener_ends_the_engine(tmp_path, tensorflow) -> None:
    pid = tmp_path / "pid"
    tensorflow(
        f"import os; open({str(pid)!r}, 'w').write(str(os.getpid())); raise ImportError('x')"
    )
    (tmp_path / "job.json").write_text(json.dumps({}))
    with pytest.raises(TinymlError):
        run_engine(tmp_path / "job.json")
    assert not alive(int(pid.read_text()))


def test_bad_data_are_found_before_the_engine_starts(tmp_path, tensorflow) -> None:
    tensorflow("import os; os.abort()")
    with pytest.raises(InputError, match="all 9 samples are of class"):
        train(series(9, classes=1), arch="mlp", output=tmp_path / "out")


def wait_until(condition, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, signal.SIG_DFL)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not stat.is_file() or stat.read_text().rsplit(")", 1)[1].split()[0] != "Z"
