"""Where TFLM comes from: who names the directory, and what is wrong with it."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_directory import BASE, HEADERS, make_directory, make_headers, make_library
from tflm_case import files_of, relu

from tinyml_tool.boards import load_board
from tinyml_tool.errors import ConfigError, ExitCode, ToolMissingError
from tinyml_tool.firmware.project import write_project
from tinyml_tool.firmware.tflm_core import LIBRARY, tflm_core_name
from tinyml_tool.toolchain import doctor
from tinyml_tool.toolchain.board_build import library_variables
from tinyml_tool.toolchain.static_library import NotALibraryError, read_library
from tinyml_tool.toolchain.tflm_directory import (
    VARIABLE,
    TflmDirectory,
    check_directory,
    named_directory,
    require_tflm,
)
from tinyml_tool.toolchain.upload import require_upload

M4 = load_board("qemu-m4").core


@pytest.fixture(autouse=True)
def nothing_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_directory(tmp_path_factory.mktemp("tflm"), "qemu-m4", "qemu-m0")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


def name_in(folder: Path, source: str) -> None:
    (folder / "tinyml.toml").write_text(f'[project]\nmodel = "m"\n[tflm]\nsource = "{source}"\n')


def test_nothing_is_named(project: Path) -> None:
    assert named_directory(project) is None


def test_that_is_an_error_of_a_missing_tool_with_the_way_out(project: Path) -> None:
    with pytest.raises(ToolMissingError, match="nothing says where it is") as caught:
        require_tflm(M4, project)
    assert caught.value.exit_code is ExitCode.BUILD == 5
    assert VARIABLE in str(caught.value.hint)
    assert "docs/tflm.md" in str(caught.value.hint)


def test_the_environment_comes_first(
    project: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    name_in(project, "named")
    (project / "tflm").mkdir()
    monkeypatch.setenv(VARIABLE, str(tmp_path / "first"))
    assert named_directory(project) == tmp_path / "first"


def test_then_the_project_file_whose_paths_are_relative_to_it(project: Path) -> None:
    name_in(project, "../named")
    (project / "tflm").mkdir()
    directory = named_directory(project)
    assert directory is not None
    assert directory.resolve() == project.parent / "named"


def test_then_the_project_file_of_the_current_folder(project: Path) -> None:
    name_in(Path.cwd(), "here")
    assert named_directory(project) == Path.cwd() / "here"


def test_at_last_the_folder_tflm_of_the_project(project: Path) -> None:
    (project / "tflm").mkdir()
    assert named_directory(project) == project / "tflm"


def test_a_wrong_project_file_is_told(project: Path) -> None:
    (project / "tinyml.toml").write_text('[project]\nmodel = "m"\n[tflm]\nsauce = "x"\n')
    with pytest.raises(ConfigError, match=r"tflm\.sauce.*did you mean 'source'"):
        named_directory(project)


def test_a_directory_with_headers_and_library_is_taken(good: Path) -> None:
    found = check_directory(good, M4)
    assert found.library.path == good / "lib" / "cortex-m4+fp" / LIBRARY
    assert found.flatbuffers == "25.9.23"
    assert found.kernels == "reference"
    assert found.has_messages
    assert found.facts["library"] == f"lib/cortex-m4+fp/{LIBRARY}"
    assert found.library.compiler


def test_a_checkout_with_its_downloads_is_taken(tmp_path: Path) -> None:
    directory = make_directory(tmp_path / "tflm", "qemu-m4")
    downloads = directory / "tensorflow/lite/micro/tools/make/downloads"
    downloads.parent.mkdir(parents=True)
    (directory / "third_party").rename(downloads)
    assert check_directory(directory, M4).flatbuffers == "25.9.23"


def test_one_library_may_lie_at_the_top(tmp_path: Path) -> None:
    make_headers(tmp_path)
    make_library(tmp_path / LIBRARY, M4)
    assert check_directory(tmp_path, M4).library.path == tmp_path / LIBRARY


def refused(directory: Path, board: str = "qemu-m4") -> ToolMissingError:
    with pytest.raises(ToolMissingError) as caught:
        check_directory(directory, load_board(board).core)
    assert caught.value.hint
    return caught.value


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    assert "no such directory" in refused(tmp_path / "nowhere").message


def test_all_missing_headers_are_told_with_their_places(tmp_path: Path) -> None:
    error = refused(tmp_path)
    assert HEADERS[0] in error.message
    assert "create_tflm_tree.py" in str(error.hint)
    assert [line for line in error.details if str(tmp_path / BASE) in line]
    assert len(error.details) == 4


def test_flatbuffers_of_another_version_than_the_schema_needs(tmp_path: Path) -> None:
    make_headers(tmp_path, has=(24, 3, 25))
    error = refused(tmp_path)
    assert "flatbuffers is 24.3.25" in error.message
    assert "needs exactly 25.9.23" in error.message


def test_a_tree_without_a_library_tells_where_it_should_lie(tmp_path: Path) -> None:
    error = refused(make_headers(tmp_path))
    assert f"lib/cortex-m4+fp/{LIBRARY} is not there" in error.message
    assert "TARGET_ARCH=cortex-m4+fp" in str(error.hint)


def test_libraries_for_other_cores_are_told(good: Path) -> None:
    assert "it has those for cortex-m0, cortex-m4+fp" in refused(good, "qemu-m55").message


def at_top(folder: Path, board: str) -> Path:
    make_headers(folder)
    make_library(folder / LIBRARY, load_board(board).core)
    return folder


def test_a_library_for_a_larger_core_is_refused(tmp_path: Path) -> None:
    message = refused(at_top(tmp_path, "qemu-m4"), "qemu-m0").message
    assert "is for Armv7E-M, which a cortex-m0 does not execute" in message


def test_a_library_with_another_way_to_pass_floats_is_refused(tmp_path: Path) -> None:
    message = refused(at_top(tmp_path, "qemu-m3"), "qemu-m4").message
    assert "-mfloat-abi=soft, this board's firmware is with hard" in message


def test_a_library_for_a_smaller_core_of_the_same_kind_is_taken(tmp_path: Path) -> None:
    directory = at_top(tmp_path, "qemu-m0")
    assert check_directory(directory, load_board("qemu-m3").core).library.architecture == "Armv6-M"


def test_optimised_kernels_are_recognised(tmp_path: Path) -> None:
    make_headers(tmp_path)
    make_library(tmp_path / LIBRARY, M4, "int arm_convolve_s8(void) { return 1; }\n")
    found = check_directory(tmp_path, M4)
    assert found.kernels == "CMSIS-NN"
    assert not found.has_messages


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (b"", "not a static library"),
        (b"\x7fELF" + bytes(100), "not a static library"),
        (b"!<arch>\n", "holds no object files"),
        (b"!<arch>\n" + b"x" * 60, "damaged"),
        (b"!<arch>\n" + b"a.o/".ljust(48) + b"8".ljust(12) + b"\x7fELFxxxx", "damaged"),
    ],
)
def test_a_file_that_is_no_library_is_told(tmp_path: Path, content: bytes, cause: str) -> None:
    make_headers(tmp_path)
    (tmp_path / LIBRARY).write_bytes(content)
    assert cause in refused(tmp_path).message


def test_a_library_of_this_computer_is_refused(tmp_path: Path) -> None:
    header = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x01\x00\x3e\x00\x01\x00\x00\x00" + bytes(40)
    path = tmp_path / LIBRARY
    path.write_bytes(b"!<arch>\n" + b"a.o/".ljust(48) + b"64".ljust(12) + header)
    with pytest.raises(NotALibraryError):
        read_library(path)


def test_no_cut_of_a_library_crashes_its_reader(good: Path, tmp_path: Path) -> None:
    whole = (good / "lib" / "cortex-m0" / LIBRARY).read_bytes()
    path = tmp_path / LIBRARY
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        try:
            read_library(path)
        except NotALibraryError:
            continue


@pytest.mark.parametrize(
    ("board", "name"),
    [
        ("qemu-m0", "cortex-m0"),
        ("qemu-m3", "cortex-m3"),
        ("qemu-m4", "cortex-m4+fp"),
        ("qemu-m7", "cortex-m7+fp"),
        ("qemu-m33", "cortex-m33"),
        ("qemu-m55", "cortex-m55"),
    ],
)
def test_cores_are_named_as_upstreams_makefile_names_them(board: str, name: str) -> None:
    assert tflm_core_name(load_board(board).core) == name


def finding() -> doctor.Finding:
    (found,) = [f for f in doctor.diagnose() if f.name == "TensorFlow Lite Micro"]
    return found


def test_the_doctor_does_not_require_it() -> None:
    found = finding()
    assert not found.ok
    assert not found.required
    assert VARIABLE in str(found.remedy)


def test_the_doctor_lists_the_cores_it_is_there_for(
    good: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(good))
    found = finding()
    assert found.ok
    assert found.version == "flatbuffers 25.9.23"
    assert found.details == ("library for cortex-m0", "library for cortex-m4+fp")


def test_the_doctor_tells_what_is_wrong_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "nowhere"))
    assert "no such directory" in str(finding().remedy)
    monkeypatch.setenv(VARIABLE, str(make_headers(tmp_path / "tree")))
    assert f"no {LIBRARY}" in str(finding().remedy)


def test_another_library_is_noticed(good: Path) -> None:
    found = check_directory(good, M4)
    assert isinstance(found, TflmDirectory)
    assert not found.is_another(found.facts)
    assert found.is_another({**found.facts, "library_sha256": "0"})
    assert not found.is_another({})


def test_a_real_board_that_links_the_directory_is_built_with_it(
    good: Path, project: Path, tmp_path: Path
) -> None:
    """Also where only the project file names it, whoever starts PlatformIO: build or upload."""
    board = load_board("nucleo_l4r5zi")
    write_project(tmp_path / "p", files_of(relu(), board.id))
    with pytest.raises(ToolMissingError, match="nothing says where it is"):
        library_variables(tmp_path / "p", board)
    with pytest.raises(ToolMissingError, match="nothing says where it is"):
        require_upload(tmp_path / "p", board)
    (tmp_path / "p" / "tflm").symlink_to(good)
    assert library_variables(tmp_path / "p", board) == {VARIABLE: str(tmp_path / "p" / "tflm")}


def test_a_real_board_with_a_library_of_its_own_needs_no_directory(tmp_path: Path) -> None:
    write_project(tmp_path / "p", files_of(relu(), "nano33ble"))
    assert library_variables(tmp_path / "p", load_board("nano33ble")) == {}
