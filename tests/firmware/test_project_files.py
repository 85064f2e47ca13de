"""The content of a generated project."""

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from model_builder import ModelBuilder
from project_case import small_files, small_model, small_plan, small_vector

from tinyml_tool.boards import emulated_board, emulated_boards, load_board, load_boards
from tinyml_tool.compiler.compile import compile_graph
from tinyml_tool.compiler.target import Target
from tinyml_tool.config import Config
from tinyml_tool.errors import InputError
from tinyml_tool.firmware.project import project_files
from tinyml_tool.firmware.vectors import GoldenVector
from tinyml_tool.graph.reader import parse_model
from tinyml_tool.strict_toml import read_toml, validate


def files_with(**changes):
    arguments = {"name": "small", "vectors": [small_vector()], "model": small_model()} | changes
    return project_files(small_plan(), load_board("qemu-m4"), **arguments)


def manifest_of(files):
    return json.loads(files["manifest.json"])


def test_the_same_arguments_give_the_same_bytes():
    assert small_files() == small_files()


def test_another_process_with_another_hash_seed_gives_the_same_bytes():
    code = (
        "import hashlib, project_case; f = project_case.small_files();"
        "print(hashlib.sha256(repr(sorted(f.items())).encode()).hexdigest())"
    )

    def digest(seed):
        environment = {
            **os.environ,
            "PYTHONHASHSEED": seed,
            "PYTHONPATH": os.pathsep.join(sys.path),
        }
        return subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, check=True
        ).stdout

    assert digest("1") == digest("2")


def test_no_file_names_a_folder_of_this_machine():
    home, here = str(Path.home()), str(Path.cwd())
    for path, content in small_files().items():
        assert here.encode() not in content, path
        assert f"{home}/".encode() not in content, path


def test_the_manifest_holds_the_hash_of_every_other_file():
    files = small_files()
    manifest = manifest_of(files)
    expected = {
        path: hashlib.sha256(content).hexdigest()
        for path, content in files.items()
        if path != "manifest.json"
    }
    assert manifest["files"] == expected


def test_the_manifest_tells_model_board_engine_and_arena():
    plan = small_plan()
    manifest = manifest_of(small_files())
    assert manifest["schema_version"] == 1
    assert manifest["model_name"] == "small"
    assert manifest["model_sha256"] == hashlib.sha256(small_model()).hexdigest()
    assert manifest["board"] == "qemu-m4"
    assert manifest["engine"] == "aot"
    assert manifest["arena_bytes"] == plan.memory.arena_bytes


def test_the_firmware_carries_the_build_id_of_the_manifest():
    files = small_files()
    header = files["lib/link/tinyml_link_config.h"].decode()
    assert f'#define TINYML_BUILD_ID "{manifest_of(files)["build_id"]}"' in header


def test_another_model_has_another_build_id():
    other = small_files(model=small_model(weight=4))
    assert manifest_of(other)["build_id"] != manifest_of(small_files())["build_id"]


def test_another_board_has_another_build_id():
    assert manifest_of(small_files("qemu-m7"))["build_id"] != manifest_of(small_files())["build_id"]


def test_test_vectors_do_not_change_the_build_id():
    assert manifest_of(files_with(vectors=[]))["build_id"] == manifest_of(files_with())["build_id"]


def test_test_vectors_are_raw_little_endian_with_an_index():
    inputs = np.arange(-4, 4, dtype=np.int8).reshape(1, 8)
    outputs = np.array([[5, -6, 7, -8]], np.int8)
    files = files_with(vectors=[GoldenVector("ramp", (inputs,), (outputs,))])
    index = json.loads(files["test_vectors/index.json"])
    (entry,) = index["vectors"]
    assert entry["name"] == "ramp"
    assert index["inputs"][0]["shape"] == [1, 8]
    assert index["inputs"][0]["scale"] == 0.5
    assert files[f"test_vectors/{entry['inputs'][0]}"] == inputs.tobytes()
    assert files[f"test_vectors/{entry['outputs'][0]}"] == outputs.tobytes()


def test_a_vector_of_another_shape_is_refused():
    wrong = GoldenVector("wrong", (np.zeros((8,), np.int8),), (np.zeros((1, 4), np.int8),))
    with pytest.raises(ValueError, match="shape"):
        files_with(vectors=[wrong])


def test_the_project_file_is_one_that_tinyml_reads():
    text = small_files()["tinyml.toml"].decode()
    config = validate(Config, read_toml(text, "tinyml.toml"), "tinyml.toml")
    assert config.project.board == "qemu-m4"
    assert config.project.engine == "aot"
    assert config.project.model == "small.tflite"


def test_the_project_carries_the_model_it_was_made_from():
    assert small_files()["small.tflite"] == small_model()


@pytest.mark.parametrize("name", ["", "a/b", 'a"b', "a\nb", "a$b", "a;b"])
def test_a_name_that_would_break_a_build_file_is_refused(name):
    with pytest.raises(InputError, match="name of a project"):
        files_with(name=name)


@pytest.fixture(scope="module")
def odd_files():
    """A project whose model and tensor have names as bad as file systems and tools allow."""
    builder = ModelBuilder()
    x = builder.input("int8", (1, 4), scale=0.5, name="x|`\n# y")
    y = builder.tensor("int8", (1, 4), scale=0.5)
    builder.operator("RELU", [x], y)
    board = load_board("qemu-m4")
    model = builder.build([y])
    plan = compile_graph(parse_model(model, "odd|\n[env:evil]\udcff\U0001f600"), Target(board.core))
    return project_files(plan, board, name="gr\xfc\xdfe \U0001f600", model=model)


def test_a_tensor_name_cannot_break_the_readme(odd_files):
    readme = odd_files["README.md"].decode()
    (row,) = [line for line in readme.splitlines() if line.startswith("| input 0")]
    assert row.count("|") == 3
    assert row.count("`") == 2


def test_a_model_name_cannot_break_the_build_files(odd_files):
    for path in ("platformio.ini", "CMakeLists.txt"):
        assert not [n for n in odd_files[path].decode().splitlines() if n.startswith("[env:evil")]


def test_the_project_file_can_be_read_whatever_the_names_are(odd_files):
    text = odd_files["tinyml.toml"].decode()
    config = validate(Config, read_toml(text, "tinyml.toml"), "tinyml.toml")
    assert config.project.name == "gr\xfc\xdfe \U0001f600"
    assert config.project.model in odd_files


@pytest.mark.parametrize("board", sorted(load_boards()))
def test_every_board_has_a_project_with_default_environment_and_preset(board):
    files = small_files(board)
    emulated = emulated_board(load_board(board)).id
    assert f"default_envs = {emulated}\n" in files["platformio.ini"].decode()
    presets = json.loads(files["CMakePresets.json"])
    expected = [each.id for each in emulated_boards(load_board(board))]
    assert [preset["name"] for preset in presets["configurePresets"]] == expected


def test_readme_commands_name_presets_and_environments_that_exist():
    files = small_files()
    readme = files["README.md"].decode()
    presets = json.loads(files["CMakePresets.json"])
    known = {p["name"] for kind in ("configurePresets", "buildPresets") for p in presets[kind]}
    named = set(re.findall(r"--preset ([\w-]+)", readme))
    environments = set(re.findall(r"^\[env:([\w-]+)\]", files["platformio.ini"].decode(), re.M))
    assert named and named <= known
    assert set(re.findall(r"pio run -e ([\w-]+)", readme)) <= environments


def test_no_generated_text_has_trailing_blanks_or_tabs():
    for path, content in small_files().items():
        if path.endswith((".bin", ".tflite")):
            continue
        for number, line in enumerate(content.decode().splitlines(), start=1):
            assert line == line.rstrip(), f"{path}:{number}"
            assert "\t" not in line, f"{path}:{number}"
