"""`tinyml deploy` and its single steps, as a user and as a CI job sees them."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from command import REPOSITORY, tinyml

DIGITS = REPOSITORY / "examples" / "digits" / "digits.tflite"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A deployed project."""
    folder = tmp_path_factory.mktemp("deploy") / "digits"
    assert tinyml("deploy", DIGITS, "--output", folder, "--quiet").code == 0
    return folder


def test_deploy_reports_the_evidence_as_json(tmp_path: Path) -> None:
    result = tinyml("deploy", DIGITS, "--output", tmp_path / "digits", "--json")
    assert result.code == 0
    evidence = result.envelope["result"]
    assert set(evidence) == {
        "board",
        "ran_on",
        "engine",
        "optimize",
        "parity",
        "answers",
        "arena",
        "instructions_per_inference",
        "seconds_per_inference",
        "memory",
        "passes",
        "seconds",
    }
    assert evidence["board"] == "qemu-m4"
    assert evidence["engine"] == "aot"
    assert evidence["arena"]["spare_bytes"] == 0
    parity = evidence["parity"]
    assert set(parity) == {
        "vectors",
        "layers",
        "values_compared",
        "values_different",
        "values_by_checksum",
        "values_rounded",
        "worst_rounding",
        "float_tolerance",
        "values_foretold",
    }
    assert parity["values_by_checksum"] == 0
    assert parity["values_different"] == 0
    memory = evidence["memory"]
    assert memory.pop("features_bytes") is None
    assert memory.pop("answer_bytes") is None
    assert memory["model_stack_bytes"] < memory["stack_bytes"]
    assert set(memory) == {
        "flash_bytes",
        "ram_bytes",
        "arena_bytes",
        "stack_bytes",
        "model_stack_bytes",
    }
    assert all(isinstance(value, int) and value > 0 for value in memory.values())
    assert {"read", "compile", "generate", "build", "parity"} <= set(evidence["seconds"])


def test_deploy_tells_people_the_verdict(tmp_path: Path) -> None:
    result = tinyml("deploy", DIGITS, "--output", tmp_path / "digits", "--board", "qemu-m55")
    assert result.code == 0
    assert "bit-exact" in result.stdout
    assert "qemu-m55" in result.stdout


def test_deploy_takes_its_settings_from_the_project_file(tmp_path: Path) -> None:
    (tmp_path / "tinyml.toml").write_text(
        f'[project]\nmodel = "{os.path.relpath(DIGITS, tmp_path)}"\nboard = "qemu-m3"\n'
        'output = "out"\n[build]\nsystem = "cmake"\n[verify]\nvectors = 2\n'
    )
    result = tinyml("deploy", "--json", cwd=tmp_path)
    assert result.code == 0
    assert result.envelope["result"]["board"] == "qemu-m3"
    assert result.envelope["result"]["parity"]["vectors"] == 2
    assert (tmp_path / "out" / "build").is_dir()


def test_run_answers_for_a_users_input(project: Path, tmp_path: Path) -> None:
    zeros = tmp_path / "zeros.npy"
    np.save(zeros, np.full((1, 8, 8, 1), -128, np.int8))
    result = tinyml("run", project, "--input", zeros, "--json")
    assert result.code == 0
    (inference,) = result.envelope["result"]["inferences"]
    (output,) = inference["outputs"]
    assert inference["input"] == str(zeros)
    assert len(output["values"]) == 10
    assert sum(output["real"]) == pytest.approx(1, abs=0.05)  # rounded probabilities


def test_run_refuses_an_input_of_the_wrong_shape(project: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.npy"
    np.save(wrong, np.zeros((1, 9, 9, 1), np.int8))
    result = tinyml("run", project, "--input", wrong, "--json")
    assert result.code == 2
    assert "8" in result.error["message"]


def test_validate_names_the_first_layer_that_differs(project: Path, tmp_path: Path) -> None:
    copy = tmp_path / "broken"
    subprocess.run(["cp", "-r", project, copy], check=True)
    source = copy / "lib" / "model" / "model.c"
    text = source.read_text()
    line = next(li for li in text.splitlines() if ".patches.shift" in li)
    value = line.split("=")[1].strip(" ,")
    source.write_text(text.replace(line, line.replace(value, str(int(value) - 1)), 1))
    result = tinyml("validate", copy, "--json")
    assert (result.code, result.error["code"]) == (7, "mismatch")
    assert "layer 0" in result.error["message"]
    assert "expected" in result.error["message"]
    assert result.envelope["result"]["parity"]["values_different"] > 0


def test_a_project_whose_model_was_exchanged_is_refused(project: Path, tmp_path: Path) -> None:
    copy = tmp_path / "other"
    subprocess.run(["cp", "-r", project, copy], check=True)
    model = next(copy.glob("*.tflite"))
    model.write_bytes(model.read_bytes().replace(b"TFL3", b"TFL3", 1) + b"\0\0\0\0")
    result = tinyml("validate", copy, "--json")
    assert result.code == 2


def children_of(pid: int) -> set[int]:
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            found.add(int(stat.parent.name))
    return found


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


def started_validation(project: Path, *options: str) -> subprocess.Popen[str]:
    """A validation that has compared its first inputs and has many before it."""
    command = [sys.executable, "-m", "tinyml_tool", "validate", project, "--vectors", "100000"]
    tool = subprocess.Popen(
        [*command, *options],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=REPOSITORY,
        text=True,
    )
    assert tool.stderr is not None
    for line in tool.stderr:
        if "compared" in line:
            return tool
    raise AssertionError("it ended before it compared anything")


def test_a_device_that_stops_half_way_is_told(project: Path) -> None:
    tool = started_validation(project, "--timeout", "2", "--json")
    (emulator,) = children_of(tool.pid)
    os.kill(emulator, signal.SIGSTOP)
    stdout, _ = tool.communicate(timeout=60)
    assert tool.returncode == 6
    error = json.loads(stdout)["error"]
    assert error["code"] == "link"
    assert error["hint"]
    assert not is_running(emulator)


def test_a_device_that_dies_half_way_is_told(project: Path) -> None:
    tool = started_validation(project, "--json")
    (emulator,) = children_of(tool.pid)
    os.kill(emulator, signal.SIGKILL)
    stdout, _ = tool.communicate(timeout=60)
    assert tool.returncode == 6
    assert "signal" in json.loads(stdout)["error"]["message"].lower()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_emulator_outlives_the_command(how: signal.Signals, project: Path) -> None:
    tool = started_validation(project)
    emulators = children_of(tool.pid)
    assert emulators, "an emulator runs now"
    tool.send_signal(how)
    tool.communicate(timeout=20)
    deadline = time.monotonic() + 5
    while any(map(is_running, emulators)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(is_running, emulators))
    if how is signal.SIGINT:
        assert tool.returncode == 130


def test_outputs_only_compares_no_layer(project: Path) -> None:
    result = tinyml("validate", project, "--vectors", "3", "--outputs-only", "--json")
    assert result.code == 0
    parity = result.envelope["result"]["parity"]
    assert (parity["vectors"], parity["layers"], parity["values_compared"]) == (3, 0, 30)
