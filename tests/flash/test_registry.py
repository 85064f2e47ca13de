"""A board that needs PlatformIO's registry: told at once, whatever the network does."""

from __future__ import annotations

import json
import os
from pathlib import Path
from threading import Event

import pytest
from command import REPOSITORY, tinyml
from project_case import small_files

from tinyml_tool.boards import load_board
from tinyml_tool.errors import ToolMissingError
from tinyml_tool.firmware.project import write_project
from tinyml_tool.toolchain.registry import (
    SECONDS,
    is_installed,
    registry_addresses,
    registry_is_reachable,
    require_platform,
)

NETWORKS = {
    "refused": "def no_network(*_, **__): raise OSError('no route')",
    "silent": "import threading\ndef no_network(*_, **__): threading.Event().wait()",
}


@pytest.mark.parametrize("network", NETWORKS)
def test_flashing_a_real_board_without_network_ends_and_says_what_is_missing(
    tmp_path: Path, network: str
) -> None:
    """Also where nothing ever answers: whoever waited for that would not end."""
    write_project(tmp_path / "project", small_files("nano33ble"))
    (tmp_path / "sitecustomize.py").write_text(
        f"import socket\n{NETWORKS[network]}\n"
        "socket.getaddrinfo = socket.socket.connect = no_network\n"
    )
    path = os.pathsep.join([str(tmp_path), str(REPOSITORY)])
    result = tinyml("flash", tmp_path / "project", "--json", env={"PYTHONPATH": path})
    assert (result.code, result.error["code"]) == (5, "tool_missing")
    assert "needs PlatformIO's platform 'nordicnrf52'" in result.error["message"]
    assert "registry cannot be reached" in result.error["message"]


def test_servers_that_never_answer_are_not_waited_for() -> None:
    def ask(_address: str, _seconds: float) -> None:
        Event().wait()

    assert not registry_is_reachable(["a", "b"], ask, seconds=0.2)


def test_the_registry_is_waited_for_less_than_the_three_seconds_that_an_error_may_take() -> None:
    assert 0 < SECONDS < 3


def test_one_server_that_answers_is_enough() -> None:
    def ask(address: str, _seconds: float) -> None:
        if address == "a":
            raise OSError("no such name")

    assert registry_is_reachable(["a", "b"], ask)
    assert not registry_is_reachable(["a"], ask)


def test_the_servers_are_those_that_platformio_asks() -> None:
    addresses = registry_addresses()
    assert addresses
    assert all(address.startswith("https://api.") for address in addresses)


def test_an_installed_platform_needs_no_network(tmp_path: Path) -> None:
    folder = tmp_path / "platforms" / "nordicnrf52"
    folder.mkdir(parents=True)
    (folder / "platform.json").write_text(json.dumps({"name": "nordicnrf52"}))
    assert is_installed("nordicnrf52", tmp_path)
    require_platform(tmp_path, load_board("nano33ble"), tmp_path, reachable=lambda: False)


@pytest.mark.parametrize("content", ['{"name": "ststm32"}', "no JSON", "[]"])
def test_another_platform_or_a_damaged_one_does_not_count(tmp_path: Path, content: str) -> None:
    folder = tmp_path / "platforms" / "x"
    folder.mkdir(parents=True)
    (folder / "platform.json").write_text(content)
    with pytest.raises(ToolMissingError, match="registry cannot be reached"):
        require_platform(tmp_path, load_board("nano33ble"), tmp_path, reachable=lambda: False)


def test_a_reachable_registry_is_left_to_platformio(tmp_path: Path) -> None:
    require_platform(tmp_path, load_board("nano33ble"), tmp_path, reachable=lambda: True)


def test_an_emulated_board_asks_no_registry(tmp_path: Path) -> None:
    (tmp_path / "platforms" / "tinyml-emulated").mkdir(parents=True)

    def never() -> bool:
        raise AssertionError("asked the registry")

    require_platform(tmp_path, load_board("qemu-m4"), tmp_path, reachable=never)
