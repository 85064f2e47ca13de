"""Boards with several pieces of RAM: how they are described, and where the arena goes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from command import tinyml
from model_builder import ModelBuilder
from project_case import small_model

from tinyml_tool.api.generate import generate
from tinyml_tool.api.inspect import inspect
from tinyml_tool.boards import Board, board_from_toml, board_to_toml, load_board, with_arena_in
from tinyml_tool.compiler.compile import compile_graph
from tinyml_tool.compiler.footprint import arena_region, check_fits, fits, footprint_estimate
from tinyml_tool.compiler.plan import Plan
from tinyml_tool.compiler.regions import region_for
from tinyml_tool.compiler.target import Target
from tinyml_tool.compiler.tflm_plan import TflmPlan, plan_for_tflm
from tinyml_tool.compiler.tflm_release import release_for
from tinyml_tool.errors import ConfigError, DoesNotFitError, ExitCode, InputError
from tinyml_tool.firmware.model_sources import model_sources
from tinyml_tool.firmware.project import project_files
from tinyml_tool.firmware.tflm_sources import tflm_sources
from tinyml_tool.graph.reader import parse_model
from tinyml_tool.resources import data_folder
from tinyml_tool.toolchain.build import build_project
from tinyml_tool.toolchain.build_log import failure

DIGITS = Path(__file__).parents[2] / "examples" / "digits" / "digits.tflite"
H743 = load_board("renode-nucleo_h743zi")
PLAIN = (data_folder("boards") / "qemu-m55.toml").read_text().replace("qemu-m55", "mine")
DTCM, SRAM = ("dtcm", 0x3000_0000, 0x8_0000, 1), ("sram", 0x3100_0000, 0x20_0000, 2)

Region = tuple[str, int, int, int]


def region_text(name: str, origin: int, size: int, speed: int, more: str = "") -> str:
    return (
        f'\n[[memory.regions]]\nname = "{name}"\norigin = {origin:#x}\nsize = {size:#x}\n'
        f"speed = {speed}\n{more}"
    )


def board_text(*regions: Region) -> str:
    """An Arm MPS3 AN547 with these regions of RAM."""
    return PLAIN + "".join(region_text(*region) for region in regions)


def board_with(*regions: Region) -> Board:
    return board_from_toml(board_text(*regions), "mine.toml")


def wide_model(elements: int) -> bytes:
    """A model whose arena is at least three times `elements` bytes."""
    builder = ModelBuilder()
    x = builder.input("int8", (1, elements), scale=0.5)
    y = builder.tensor("int8", (1, 2 * elements), scale=0.5)
    builder.operator("CONCATENATION", [x, x], y, axis=1)
    return builder.build([y])


def plan_of(model: bytes, board: Board) -> Plan:
    return compile_graph(parse_model(model, "wide"), Target(board.core))


WRONG: dict[str, tuple[str, str]] = {
    "overlap": (
        board_text(("a", 0x3000_0000, 0x1_0000, 1), ("b", 0x3000_8000, 0x1_0000, 1), SRAM),
        "regions 'a' and 'b' overlap",
    ),
    "zero size": (board_text(("a", 0x3000_0000, 0, 1), SRAM), r"memory.regions.0.size' = 0"),
    "two of a name": (
        board_text(DTCM, ("dtcm", 0x2000_0000, 0x100, 1), SRAM),
        "two regions have the name 'dtcm'",
    ),
    "ram is none of them": (board_text(DTCM), "no region is ram .*list it too"),
    "flash": (
        board_text(("a", 0x1000_0000, 0x100, 1), SRAM),
        "region 'a' and flash overlap",
    ),
    "not aligned": (board_text(("a", 0x3000_0004, 0x100, 1), SRAM), "no multiple of 16"),
    "below the stack": (
        board_text(("a", 0x30FF_8000, 0x8000, 1), SRAM),
        "region 'a' ends less than 32,768 bytes below ram",
    ),
    "outside": (board_text(("a", 0xFFFF_FFF0, 0x100, 1), SRAM), "outside the 32-bit"),
    "name of the flash": (board_text(("flash", 0x3000_0000, 0x100, 1), SRAM), "give another"),
    "name with a blank": (board_text(("d tcm", 0x3000_0000, 0x100, 1), SRAM), "regions.0.name"),
    "speed zero": (board_text(("a", 0x3000_0000, 0x100, 0), SRAM), "regions.0.speed"),
    "unknown key": (
        board_text(SRAM) + region_text(*DTCM, more="sped = 1\n"),
        r"unknown key 'memory.regions.1.sped', did you mean 'speed'\?",
    ),
    "arena in none": (
        board_text(DTCM, SRAM).replace("[memory]", '[memory]\narena = "itcm"'),
        "arena = 'itcm' is no region: there are dtcm, sram",
    ),
    "arena without regions": (
        board_text().replace("[memory]", '[memory]\narena = "itcm"'),
        "arena = 'itcm' is no region: there is none",
    ),
}


@pytest.mark.parametrize(("text", "told"), WRONG.values(), ids=WRONG)
def test_a_wrong_description_is_refused_with_its_cause(text: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        board_from_toml(text, "mine.toml")


def test_a_board_of_a_framework_has_no_regions() -> None:
    text = board_to_toml(load_board("nucleo_h743zi"))
    ram = load_board("nucleo_h743zi").memory.ram
    text = text.replace(
        "[memory]\n",
        f'[memory]\nregions = [{{ name = "axi", origin = {ram.origin}, size = {ram.size}, '
        "speed = 1 }]\n",
        1,
    )
    with pytest.raises(ConfigError, match=r"memory\.regions: only for boards without"):
        board_from_toml(text, "mine.toml")


def test_the_copy_of_a_board_file_keeps_regions_and_choice() -> None:
    board = with_arena_in(board_with(DTCM, SRAM), "sram")
    assert board_from_toml(board_to_toml(board), "copy") == board


def test_the_fastest_region_that_holds_the_arena_is_taken() -> None:
    slow, fast, fastest = ("c", 0x6000_0000, 0x100_0000, 3), SRAM, ("a", 0x3000_0000, 0x1000, 1)
    memory = board_with(slow, fast, fastest).memory

    def name(arena: int, rest: int = 9_000) -> str | None:
        found = region_for(arena, rest, memory)
        return found.name if found else None

    assert name(0x1000) == "a"
    assert name(0x1001) == "sram"
    assert name(0x20_0000 - 9_000) == "sram"
    assert name(0x20_0000 - 9_000 + 1) == "c"
    assert name(0x100_0000) == "c"
    assert name(0x100_0001) is None
    assert name(16, rest=0x20_0001) is None


def test_of_regions_with_one_speed_the_first_is_taken() -> None:
    memory = board_with(SRAM, ("b", 0x3000_0000, 64, 1), ("a", 0x2000_0000, 64, 1)).memory
    found = region_for(64, 0, memory)
    assert found is not None
    assert found.name == "b"


@pytest.mark.parametrize(("elements", "where"), [(1_000, "dtcm"), (43_000, "dtcm"), (44_000, None)])
def test_an_arena_too_large_for_the_tightly_coupled_memory_lies_with_the_variables(
    elements: int, where: str | None
) -> None:
    found = arena_region(plan_of(wide_model(elements), H743), H743)
    assert (found.name if found else None) == where


def test_a_choice_goes_before_speed() -> None:
    plan = plan_of(small_model(), H743)
    assert arena_region(plan, with_arena_in(H743, "axi")) is None
    in_ram = model_sources(plan, with_arena_in(H743, "axi"))
    assert in_ram == model_sources(plan)  # as on boards with one piece of RAM
    assert model_sources(plan, H743) != in_ram


def test_a_region_that_the_board_does_not_have_is_told_with_those_it_has() -> None:
    with pytest.raises(InputError, match="no memory region 'itcm': there are dtcm, axi"):
        with_arena_in(H743, "itcm")
    with pytest.raises(InputError, match="no memory region 'dtcm': there is none"):
        with_arena_in(load_board("qemu-m4"), "dtcm")


def test_buffers_take_room_of_the_region_with_the_variables() -> None:
    main = ("sram", 0x3100_0000, 0x20_0000, 1)
    board = board_with(main, ("slow", 0x6000_0000, 0x20_0000, 2))
    plan = plan_of(small_model(), board)
    assert arena_region(plan, board, more_ram=0) is None
    assert fits(footprint_estimate(plan), board, more_ram=0x20_0000 - 10_000)
    found = arena_region(plan, board, more_ram=0x20_0000 - 4_096)
    assert found is not None
    assert found.name == "slow"


def test_a_model_too_large_for_every_region_is_told_each_with_its_numbers() -> None:
    plan = plan_of(wide_model(200_000), H743)
    arena = plan.memory.arena_bytes
    with pytest.raises(DoesNotFitError) as caught:
        check_fits(plan, H743)
    assert caught.value.exit_code is ExitCode.DOES_NOT_FIT
    dtcm, axi = caught.value.details
    assert dtcm == (
        f"dtcm: tensors ({arena:,}) need {arena:,} bytes, {H743.id} has 131,072: "
        f"{arena - 131_072:,} bytes too many"
    )
    assert axi == (
        f"axi: tensors ({arena:,}) and stack (4,096) need {arena + 4096:,} bytes, {H743.id} has "
        f"524,288: {arena + 4096 - 524_288:,} bytes too many"
    )
    assert not fits(footprint_estimate(plan), H743)


def test_a_region_chosen_too_small_is_told_with_the_way_out() -> None:
    plan = plan_of(wide_model(50_000), H743)
    check_fits(plan, H743)
    with pytest.raises(DoesNotFitError, match=r"^wide does not fit .*: dtcm: tensors") as caught:
        check_fits(plan, with_arena_in(H743, "dtcm"))
    assert len(caught.value.details) == 1
    assert caught.value.hint == "leave the arena's region 'dtcm' out: it has room in another"


def test_variables_that_are_too_large_are_told_whatever_the_arena_takes() -> None:
    plan = plan_of(small_model(), H743)
    with pytest.raises(DoesNotFitError, match=r"RAM: buffers \(524,288\) and stack \(4,096\) need"):
        check_fits(plan, H743, more_ram=524_288)


def test_a_linker_that_runs_out_of_a_region_is_told_by_its_name() -> None:
    log = "ld: region `RAM_DTCM' overflowed by 96 bytes\nld: region `RAM' overflowed by 8 bytes\n"
    error = failure(log, H743, Path("p"), Path("log"))
    assert isinstance(error, DoesNotFitError)
    assert list(error.details) == [
        "RAM: needs 524,296 bytes, has 524,288: 8 bytes too many",
        "dtcm: needs 131,168 bytes, has 131,072: 96 bytes too many",
    ]


def test_engine_tflm_has_its_arena_in_the_region_too() -> None:
    model = small_model()
    plan = plan_for_tflm(parse_model(model, "small"), model, 2_048, release_for(H743))
    assert isinstance(plan, TflmPlan)
    source = tflm_sources(plan, H743)["lib/model/model_tflm.cpp"]
    assert "model_arena[MODEL_ARENA_BYTES] ARENA_SECTION;" in source
    assert 'section(".bss.arena.dtcm")' in source
    plain = tflm_sources(plan, load_board("qemu-m7"))["lib/model/model_tflm.cpp"]
    assert "ARENA_SECTION" not in plain


def test_renode_gets_every_region() -> None:
    files = project_files(plan_of(small_model(), H743), H743, name="small")
    platform = files[f"renode/{H743.id}.repl"].decode()
    assert "ram_dtcm: Memory.MappedMemory @ sysbus 0x20000000\n    size: 0x20000\n" in platform


def address_in_map(project: Path, symbol: str) -> int:
    """Where the map file of the build puts a section of `symbol`'s object."""
    text = next(project.rglob("firmware.map")).read_text()
    found = re.search(rf"^ *{re.escape(symbol)}\s+0x([0-9a-f]+)\s+0x[0-9a-f]+ \S+", text, re.M)
    assert found is not None, symbol
    return int(found[1], 16)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "digits.tflite"
    path.write_bytes(DIGITS.read_bytes())
    return path


def test_every_layer_is_bit_exact_with_the_arena_in_another_region(
    model: Path, tmp_path: Path
) -> None:
    (tmp_path / "mine.toml").write_text(board_text(DTCM, SRAM))
    project = tmp_path / "project"
    result = tinyml(
        "deploy", model, "-b", tmp_path / "mine.toml", "-o", project, "-n", "3", "--with", "cmake",
        "--json",
    )  # fmt: skip
    assert result.code == 0, result.stderr
    parity = result.envelope["result"]["parity"]
    assert parity["values_different"] == 0
    assert parity["layers"] > 3
    assert address_in_map(project, ".bss.arena.dtcm") == 0x3000_0000
    built = tinyml("build", project, "--with", "cmake", "--json").envelope["result"]["memory"]
    dtcm, sram = built["regions"]
    assert dtcm == {"name": "dtcm", "bytes": built["arena_bytes"], "size": 0x8_0000}
    assert dtcm["bytes"] + sram["bytes"] == built["ram_bytes"]


def test_the_shipped_board_links_its_arena_into_tightly_coupled_memory(
    model: Path, tmp_path: Path
) -> None:
    made = generate(model, board=H743, output=tmp_path / "p")
    assert made.arena_region == "dtcm"
    facts = build_project(made.project, H743, "cmake").facts
    arena = facts.symbol("arena")
    assert arena is not None
    assert arena.address == 0x2000_0000
    assert address_in_map(made.project, ".bss.arena.dtcm") == 0x2000_0000
    for estimated, built in zip(made.regions, facts.regions, strict=True):
        assert (estimated.name, estimated.size) == (built.name, built.size)
        if estimated.name == "dtcm":
            assert estimated.bytes == built.bytes
        # Before building, the variables of the firmware in the other region are an estimate.
        assert estimated.bytes == pytest.approx(built.bytes, rel=0.1)


def test_the_project_file_and_the_option_choose_the_region(model: Path, tmp_path: Path) -> None:
    def arena_in(*options: str) -> str:
        result = tinyml(
            "generate", "-o", tmp_path / "p", "--force", *options, "--json", cwd=tmp_path
        )
        assert result.code == 0, result.stderr
        where = result.envelope["result"]["arena_region"]
        assert isinstance(where, str)
        return where

    project = f'[project]\nmodel = "{model.name}"\nboard = "{H743.id}"\n'
    (tmp_path / "tinyml.toml").write_text(project)
    assert arena_in() == "dtcm"
    (tmp_path / "tinyml.toml").write_text(project + 'arena_in = "axi"\n')
    assert arena_in() == "axi"
    assert 'arena = "axi"' in (tmp_path / "p" / "board.toml").read_text()
    assert arena_in("--arena-in", "dtcm") == "dtcm"


def test_a_model_that_fits_nowhere_ends_with_the_exit_code_of_its_kind(tmp_path: Path) -> None:
    path = tmp_path / "wide.tflite"
    path.write_bytes(wide_model(200_000))
    result = tinyml("generate", path, "-b", H743.id, "-o", tmp_path / "p", "--json")
    assert result.code == int(ExitCode.DOES_NOT_FIT)
    assert [line.split(":")[0] for line in result.error["details"]] == ["dtcm", "axi"]
    assert not (tmp_path / "p").exists()


def test_inspect_tells_each_region(tmp_path: Path) -> None:
    path = tmp_path / "small.tflite"
    path.write_bytes(small_model())
    (fit,) = inspect(path, board=H743).boards
    assert fit.fits
    dtcm, axi = fit.regions
    assert (dtcm.name, dtcm.size) == ("dtcm", 131_072)
    assert dtcm.bytes + axi.bytes == fit.ram_bytes
    assert fit.ram_available == 131_072 + 524_288
    (plain,) = inspect(path, board="qemu-m4").boards
    assert plain.regions == ()
