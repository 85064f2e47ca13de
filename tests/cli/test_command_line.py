"""What every command has in common: help, JSON, exit codes, start-up without slow imports."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest
from command import REPOSITORY, tinyml
from shared import shared_model

COMMANDS = (
    *("boards", "inspect", "generate", "build", "run", "validate", "deploy", "doctor"),
    *("flash", "monitor", "ports"),
)


def test_help_lists_every_command_and_the_exit_codes() -> None:
    result = tinyml("--help")
    assert result.code == 0
    assert all(command in result.stdout for command in COMMANDS)
    assert "7 mismatch" in " ".join(result.stdout.split())


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_with_examples(command: str) -> None:
    result = tinyml(command, "--help")
    assert result.code == 0
    assert f"tinyml {command}" in result.stdout
    assert "Examples" in result.stdout
    assert "--json" in result.stdout


@pytest.mark.parametrize("module", ["numpy", "tensorflow", "tflite_micro", "jinja2", "serial"])
def test_help_loads_no_slow_module(module: str) -> None:
    program = (
        "import sys\nfrom tinyml_tool.cli.main import main\n"
        "try:\n  main(['--help'])\nexcept SystemExit:\n  pass\n"
        f"sys.exit({module!r} in sys.modules)"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, check=False
    )
    assert result.returncode == 0


def after_inspecting(question: str, model: Path, *options: str) -> object:
    """The value of an expression in a process that has inspected `model`."""
    program = (
        "import os, sys\nfrom tinyml_tool.cli.main import main\n"
        f"try:\n  main({['inspect', str(model), '--quiet', '--json', *options]!r})\n"
        "except SystemExit as end:\n  assert not end.code\n"
        f"print(repr({question}), file=sys.stderr)"
    )
    result = subprocess.run(
        [sys.executable, "-c", program],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
        env={name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"},
    )
    return ast.literal_eval(result.stderr.splitlines()[-1])


def test_inspecting_loads_nothing_that_writes_builds_or_runs_projects() -> None:
    rooms = ("reference", "firmware", "toolchain", "devices", "verify", "train", "environments")
    loaded = after_inspecting(
        "sorted(name for name in sys.modules)", shared_model("vww_96_int8.tflite")
    )
    assert isinstance(loaded, list)
    assert "tinyml_tool.api.inspect" in loaded
    unneeded = tuple(f"tinyml_tool.{room}" for room in rooms)
    assert [name for name in loaded if name.startswith(unneeded)] == []
    assert {"jinja2", "elftools", "serial", "tflite_micro"}.isdisjoint(loaded)


def test_inspecting_for_tflm_asks_the_reference_when_it_needs_it() -> None:
    model = shared_model("hello_world_int8.tflite")
    question = "'tinyml_tool.reference.tflm' in sys.modules"
    assert after_inspecting(question, model, "--engine", "tflm") is True
    assert after_inspecting(question, model) is False


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="counts threads as Linux does")
def test_inspecting_starts_no_threads() -> None:
    model = shared_model("hello_world_int8.tflite")
    assert after_inspecting("len(os.listdir('/proc/self/task'))", model) == 1


def test_version_is_told() -> None:
    assert tinyml("--version").stdout.startswith("tinyml 0.")


def test_boards_lists_all_emulated_boards() -> None:
    boards = tinyml("boards", "--json").envelope["result"]
    ids = {board["id"] for board in boards}
    assert ids >= {"qemu-m0", "qemu-m3", "qemu-m4", "qemu-m7", "qemu-m33", "qemu-m55"}
    assert "netduinoplus2" in ids


def test_boards_show_tells_all_about_one() -> None:
    result = tinyml("boards", "show", "qemu-m55")
    assert result.code == 0
    assert "0x10000000" in result.stdout
    assert "mps3-an547" in result.stdout


def test_an_unknown_board_is_refused_with_the_nearest_names() -> None:
    result = tinyml("boards", "show", "qemu-m5", "--json")
    assert (result.code, result.error["code"]) == (2, "unknown_board")
    assert "qemu-m55" in result.error["hint"]


def test_a_users_own_board_file_is_checked_strictly(tmp_path: Path) -> None:
    text = (REPOSITORY / "boards" / "qemu-m4.toml").read_text()
    path = tmp_path / "mine.toml"
    path.write_text(text.replace("clock_hz", "clock_hertz", 1))
    result = tinyml("boards", "show", path, "--json")
    assert (result.code, result.error["code"]) == (2, "config")
    assert any("did you mean 'clock_hz'" in line for line in result.error["details"])


@pytest.mark.parametrize(
    "arguments",
    [("deploy", "--bord", "x"), ("nothing",), ("deploy", "a", "b"), ("run", "--vectors", "zero")],
)
def test_wrong_usage_ends_with_2_and_one_json_object(arguments: tuple[str, ...]) -> None:
    result = tinyml(*arguments, "--json")
    assert (result.code, result.error["code"]) == (2, "input")


def test_wrong_usage_without_json_shows_the_cause_on_stderr() -> None:
    result = tinyml("deploy", "--bord", "x")
    assert result.code == 2
    assert result.stdout == ""
    assert "--bord" in result.stderr


def test_progress_goes_to_stderr_only(tmp_path: Path) -> None:
    result = tinyml("doctor", "--json")
    assert result.stdout.count("\n") == 1
    assert "looking" in result.stderr


def test_doctor_names_the_command_that_mends_a_missing_tool(tmp_path: Path) -> None:
    result = tinyml("doctor", "--json", env={"PATH": str(tmp_path)})
    assert (result.code, result.error["code"]) == (5, "tool_missing")
    found = {finding["name"]: finding for finding in result.envelope["result"]}
    assert not found["qemu-system-arm"]["ok"]
    assert "apt-get install qemu-system-arm" in found["qemu-system-arm"]["remedy"]
    assert "gcc-arm-none-eabi" in found["arm-none-eabi-gcc"]["remedy"]


def test_a_wrong_project_file_names_every_wrong_key(tmp_path: Path) -> None:
    (tmp_path / "tinyml.toml").write_text(
        '[project]\nmodel = "m.tflite"\nbord = "x"\n[verify]\nvectors = 0\n'
    )
    result = tinyml("deploy", "--json", cwd=tmp_path)
    assert (result.code, result.error["code"]) == (2, "config")
    assert any("did you mean 'board'" in line for line in result.error["details"])
    assert any("vectors" in line for line in result.error["details"])


@pytest.mark.parametrize("command", ["build", "run", "validate"])
def test_a_folder_that_is_no_project_is_refused(command: str, tmp_path: Path) -> None:
    result = tinyml(command, tmp_path, "--json")
    assert result.code == 2
    assert "tinyml generate" in result.error["hint"]
