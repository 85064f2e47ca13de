"""The rules of imports: a room imports only rooms nearer to the model, and the ground floor."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "tinyml_tool"

GROUND = {
    "errors",
    "resources",
    "strict_toml",
    "boards",
    "real_boards",
    "config",
    "protocol",
    "version",
    "array_file",
    "cache_folder",
    "output_file",
}
FLOORS = [
    {"environments", "graph", "reference"},
    {"compiler", "preprocess"},
    {"importers", "quantization", "train"},
    {"firmware"},
    {"toolchain"},
    {"devices"},
    {"verify"},
    {"api"},
    {"report"},
    {"cli"},
]
LEVEL = {room: level for level, rooms in enumerate(FLOORS, start=1) for room in rooms}
LEVEL |= dict.fromkeys(GROUND, 0)
FREE = {"__init__", "__main__"}
MODULES = sorted(PACKAGE.rglob("*.py"))


def room_of(module: Path) -> str:
    first = module.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def imports_of(module: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: relative import"
            names |= {node.module or ""} | {f"{node.module}.{a.name}" for a in node.names}
    return names


def rooms_imported(module: Path) -> set[str]:
    found = {name.split(".")[1] for name in imports_of(module) if name.startswith("tinyml_tool.")}
    return found & LEVEL.keys()


def relative(module: Path) -> str:
    return str(module.relative_to(PACKAGE))


def test_every_module_belongs_to_a_known_room() -> None:
    assert {room_of(module) for module in MODULES} - LEVEL.keys() == FREE


@pytest.mark.parametrize("module", MODULES, ids=relative)
def test_a_room_imports_only_rooms_above_it(module: Path) -> None:
    room = room_of(module)
    if room in FREE:
        return
    wrong = {
        other
        for other in rooms_imported(module)
        if other != room and LEVEL[other] >= LEVEL[room] and LEVEL[room] > 0
    }
    ground_reaches_up = {o for o in rooms_imported(module) if LEVEL[room] == 0 and LEVEL[o] > 0}
    assert not wrong | ground_reaches_up


def test_the_compiler_does_not_know_the_reference() -> None:
    for module in MODULES:
        if room_of(module) in {"compiler", "firmware", "graph"}:
            assert "reference" not in rooms_imported(module), relative(module)


# Run in processes of their own, which may need gigabytes, crash or be killed: there alone heavy
# libraries are at home.  The training engine needs TensorFlow; each script of the importers
# runs in the Python that has its converter, where nothing of this package is installed.
ENGINE = PACKAGE / "train" / "engine"
SCRIPTS = PACKAGE / "importers" / "scripts"
HEAVY = {"tensorflow", "keras", "torch", "litert_torch", "onnx", "onnx2tf", "onnxruntime"}


@pytest.mark.parametrize("module", MODULES, ids=relative)
def test_heavy_libraries_are_imported_in_processes_of_their_own_alone(module: Path) -> None:
    if module.is_relative_to(ENGINE) or module.is_relative_to(SCRIPTS):
        return
    assert not {name for name in imports_of(module) if name.split(".")[0] in HEAVY}


@pytest.mark.parametrize("module", MODULES, ids=relative)
def test_the_training_engine_and_the_package_do_not_import_each_other(module: Path) -> None:
    """The engine also runs in a Python that has TensorFlow and nothing else of the package."""
    own = [name for name in imports_of(module) if name.startswith("tinyml_tool")]
    engine = {name for name in own if name.split(".")[1:3] == ["train", "engine"]}
    assert not (set(own) - engine if module.is_relative_to(ENGINE) else engine)


@pytest.mark.parametrize("module", MODULES, ids=relative)
def test_converter_scripts_and_the_package_do_not_import_each_other(module: Path) -> None:
    names = imports_of(module)
    if module.is_relative_to(SCRIPTS):
        assert not {name for name in names if name.startswith("tinyml_tool")}
    assert not {name for name in names if name.startswith("tinyml_tool.importers.scripts")}


def test_no_module_is_a_drawer_for_everything() -> None:
    names = {module.stem for module in MODULES}
    assert not names & {"utils", "util", "helpers", "helper", "common", "misc"}
