"""The projects of engine tflm: what they hold, and that those of engine aot stay C only."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from fake_directory import make_directory
from project_case import small_files, small_model
from tflm_case import files_of, relu

import tinyml_tool as tt
from tinyml_tool.boards import load_boards
from tinyml_tool.compiler.tflm_plan import plan_for_tflm
from tinyml_tool.errors import BuildError, ToolMissingError
from tinyml_tool.firmware.manifest import read_manifest
from tinyml_tool.firmware.project import project_files, write_project
from tinyml_tool.graph import parse_model
from tinyml_tool.toolchain.build import build_project
from tinyml_tool.toolchain.tflm_directory import VARIABLE

BOARDS = load_boards()


def text_of(files: dict[str, bytes], path: str) -> str:
    return files[path].decode()


def test_a_project_of_engine_aot_has_no_trace_of_it() -> None:
    files = small_files()
    assert not [path for path in files if "tflm" in path or path.endswith((".cc", ".cpp"))]
    for path in ("CMakeLists.txt", "platformio.ini", "cmake/flags.cmake", "README.md"):
        assert "tflm" not in text_of(files, path).lower().replace("tinyml_tflm", "")
    assert "LANGUAGES C)" in text_of(files, "CMakeLists.txt")


def test_a_project_of_engine_tflm_has_no_kernels_and_no_compiled_model() -> None:
    files = files_of(relu())
    assert "lib/model/model_tflm.cpp" in files
    assert not [path for path in files if path.startswith("lib/kernels/")]
    assert "lib/model/model.c" not in files


def test_nothing_of_tflm_itself_is_in_it() -> None:
    assert not [path for path in files_of(relu()) if "tensorflow" in path]


def test_no_file_names_a_folder_of_this_machine() -> None:
    here, home = str(Path.cwd()), f"{Path.home()}/"
    for path, content in files_of(relu()).items():
        assert here.encode() not in content, path
        assert home.encode() not in content, path


def test_the_manifest_tells_engine_arena_and_source() -> None:
    manifest = json.loads(files_of(relu())["manifest.json"])
    assert manifest["engine"] == "tflm"
    assert manifest["arena_bytes"] == 4096
    assert VARIABLE in manifest["tflm"]["emulator"]


def test_what_the_user_said_of_the_arena_is_kept_and_said_everywhere() -> None:
    plan = plan_for_tflm(parse_model(relu(), "m"), relu(), 5000, arena_given=True)
    files = project_files(plan, BOARDS["qemu-m4"], name="m", model=relu())
    assert "[tflm]\n" in text_of(files, "tinyml.toml")
    assert "arena_bytes = 5008" in text_of(files, "tinyml.toml")
    assert "a margin" not in text_of(files, "lib/model/model.h")
    assert "as `tinyml generate` was told" in text_of(files, "README.md")
    assert json.loads(files["manifest.json"])["tflm"]["arena"] == "given"


def test_what_was_measured_is_measured_again_the_next_time() -> None:
    files = files_of(relu())
    assert "arena_bytes" not in text_of(files, "tinyml.toml")
    assert "and a margin" in text_of(files, "lib/model/model.h")
    assert "measured" in json.loads(files["manifest.json"])["tflm"]["arena"]


def test_the_manifest_of_engine_aot_tells_of_none() -> None:
    assert json.loads(small_files()["manifest.json"])["tflm"] is None


def test_the_manifest_reads_back(tmp_path: Path) -> None:
    write_project(tmp_path / "p", files_of(relu()))
    manifest = read_manifest(tmp_path / "p")
    assert manifest.tflm is not None
    assert manifest.engine == "tflm"


def environment(board: str) -> str:
    text = text_of(files_of(relu(), board), "platformio.ini")
    return text.partition(f"[env:{board}]\n")[2]


@pytest.mark.parametrize("board", ["nano33ble", "nano_rp2040_connect", "portenta_h7", "esp32s3"])
def test_boards_of_the_registrys_library_take_it_pinned(board: str) -> None:
    text = environment(board)
    assert "lib_deps = spaziochirale/Chirale_TensorFLowLite @ 2.0.0\n" in text
    assert "lib_compat_mode = soft\n" in text
    assert "extra_scripts" not in text
    assert "-DTF_LITE_STATIC_MEMORY" in text
    manifest = json.loads(files_of(relu(), board)["manifest.json"])
    assert manifest["tflm"]["board"] == "spaziochirale/Chirale_TensorFLowLite @ 2.0.0"


@pytest.mark.parametrize(
    ("board", "core"), [("nucleo_l4r5zi", "cortex-m4+fp"), ("teensy41", "cortex-m7+fp")]
)
def test_other_boards_take_the_directory(board: str, core: str) -> None:
    text = environment(board)
    assert "lib_deps" not in text
    assert "extra_scripts = pre:platforms/tflm.py\n" in text
    assert f"custom_tflm_core = {core}\n" in text


@pytest.mark.parametrize("board", sorted(BOARDS))
def test_every_board_has_a_project_with_each_option_once(board: str) -> None:
    for section in text_of(files_of(relu(), board), "platformio.ini").split("\n["):
        keys = [line.split(" =")[0] for line in section.splitlines() if " =" in line[:30]]
        assert len(set(keys)) == len(keys), section


def test_for_an_esp32_the_model_is_a_component_of_esp_idf_too() -> None:
    files = files_of(relu(), "esp32s3")
    assert 'espressif/esp-tflite-micro: "==1.4.0"' in text_of(files, "lib/model/idf_component.yml")
    facts = json.loads(files["manifest.json"])["tflm"]
    assert facts["esp_idf"] == "espressif/esp-tflite-micro 1.4.0"
    assert "model_tflm.cpp" in text_of(files, "lib/model/CMakeLists.txt")
    assert "lib/model/idf_component.yml" not in files_of(relu(), "nano33ble")


@pytest.mark.parametrize("system", ["platformio", "cmake"])
def test_a_build_without_tflm_says_so_at_once(
    system: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    write_project(tmp_path / "p", files_of(relu()))
    with pytest.raises(ToolMissingError, match="nothing says where it is"):
        build_project(tmp_path / "p", BOARDS["qemu-m4"], system)
    assert not (tmp_path / "p" / ".pio").exists()


@pytest.mark.parametrize("system", ["platformio", "cmake"])
def test_the_project_looks_where_the_tool_has_looked(
    system: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It finds the headers that are there, and the first that is not stops the build."""
    monkeypatch.setenv(VARIABLE, str(make_directory(tmp_path / "a tree", "qemu-m4")))
    write_project(tmp_path / "p", files_of(relu()))
    with pytest.raises(BuildError, match=r"model_tflm\.cpp.*micro_profiler_interface\.h"):
        build_project(tmp_path / "p", BOARDS["qemu-m4"], system)


def test_generating_without_tflm_warns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m.tflite").write_bytes(small_model())
    made = tt.generate(tmp_path / "m.tflite", engine="tflm", output=tmp_path / "p")
    (warning,) = made.warnings
    assert warning.startswith("it does not build yet: engine tflm needs TensorFlow Lite Micro")


def test_generating_with_tflm_tells_the_manifest_which(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(make_directory(tmp_path / "tflm", "qemu-m4")))
    (tmp_path / "m.tflite").write_bytes(small_model())
    made = tt.generate(tmp_path / "m.tflite", engine="tflm", output=tmp_path / "p")
    assert made.warnings == ()
    facts = read_manifest(tmp_path / "p").tflm
    assert facts is not None
    assert facts["flatbuffers"] == "25.9.23"
    assert len(facts["library_sha256"]) == 64


def test_a_float_model_has_golden_vectors_too(tmp_path: Path) -> None:
    (tmp_path / "m.tflite").write_bytes(relu("float32"))
    tt.generate(tmp_path / "m.tflite", engine="tflm", output=tmp_path / "p")
    index = json.loads((tmp_path / "p" / "test_vectors" / "index.json").read_text())
    assert index["inputs"][0]["type"] == "float32"
    answers = np.fromfile(tmp_path / "p" / "test_vectors" / "002-output-0.bin", "<f4")
    assert answers.shape == (4,)
    assert (answers >= 0).all()
