"""The table [renode] of a board file: what it may hold, and what is said of a wrong one."""

from __future__ import annotations

import re

import pytest
from renode_boards import NETDUINO
from renode_place import HERE

from tinyml_tool.boards import Board, board_from_toml
from tinyml_tool.errors import ConfigError
from tinyml_tool.resources import data_folder

GOOD = (data_folder("boards") / "netduinoplus2.toml").read_text()
TABLE = re.compile(r"\[renode\].*?(?=\n\[platformio\])", re.DOTALL)


def problems(old: str, new: str) -> str:
    assert old in GOOD
    with pytest.raises(ConfigError) as caught:
        board_from_toml(GOOD.replace(old, new, 1), "my.toml")
    return "\n".join(caught.value.details)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("base = 0x4002_0000", "bsae = 0", "'renode.peripherals.io.bsae', did you mean 'base'"),
        ("[renode.timer]", "[renode.tmier]", "'renode.tmier', did you mean 'timer'"),
        ('cpu = "cortex-m4f"', 'cpu = "stm32"', "'renode.cpu' = 'stm32'"),
        ('cpu = "cortex-m4f"', "", "'renode.cpu' is missing"),
        ('"UART.STM32_UART"', '"STM32_UART"', "'renode.uart.type' = 'STM32_UART'"),
        ("frequency = 0", 'frequency = "x\\n"', "'renode.uart.options.frequency"),
        ("initialLimit =", '"initialLimit: 1 #" =', "'renode.timer.options.initialLimit: 1 #"),
        ("hz = 1_000_000_000", "hz = 0", "'renode.timer.hz' = 0"),
        ("[renode.peripherals.io]", "[renode.peripherals.cpu]", "every platform has one"),
        ("[renode.peripherals.io]", "[renode.peripherals.IO]", "should match pattern"),
    ],
)
def test_a_wrong_key_or_value_is_named(old: str, new: str, said: str) -> None:
    assert said in problems(old, new)


def test_a_board_without_the_table_is_not_emulated_by_renode() -> None:
    assert board_from_toml(TABLE.sub("", GOOD), "my.toml").renode is None


def test_a_timer_without_a_table_is_systick() -> None:
    without = re.sub(r"\[renode\.timer\].*?\n\n", "", GOOD, flags=re.DOTALL)
    renode = board_from_toml(without, "my.toml").renode
    assert renode is not None
    assert renode.timer is None


def test_the_example_of_the_documentation_is_a_good_table() -> None:
    page = (HERE.parents[1] / "docs" / "renode.md").read_text()
    (example,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    assert board_from_toml(TABLE.sub(example, GOOD), "docs").renode is not None


def test_a_board_goes_through_json_unchanged() -> None:
    assert Board.model_validate_json(NETDUINO.model_dump_json()) == NETDUINO


LONE = (data_folder("boards") / "renode-disco_f407vg.toml").read_text()


def test_a_board_may_say_that_only_renode_emulates_it() -> None:
    assert 'emulator = "renode"' in LONE
    board = board_from_toml(LONE, "my.toml")
    assert (board.emulator, board.is_emulated) == (None, True)
    assert board == board_from_toml(LONE.replace('emulator = "renode"', "", 1), "my.toml")


def test_a_board_that_says_so_needs_the_table() -> None:
    with pytest.raises(ConfigError, match=r"emulator = 'renode' needs a table \[renode\]"):
        board_from_toml(re.sub(TABLE, "", LONE), "my.toml")
