"""Emulators that run on their own, for tests: built once, listed in a folder of the test's own."""

from __future__ import annotations

from pathlib import Path

from project_case import small_project

from tinyml_tool.devices.detached_emulator import started_emulator
from tinyml_tool.devices.emulator_keeper import KeepRequest
from tinyml_tool.devices.emulator_records import EmulatorRecord
from tinyml_tool.firmware.manifest import read_manifest
from tinyml_tool.toolchain.build import Firmware, build_project

REPORTING_MAIN = """\
#include <string.h>

#include "model.h"
#include "port.h"
#include "tinyml_link.h"
#include "tinyml_report.h"

int main(void)
{
  int8_t value = 0;
  tinyml_link_init(model_init());
  for (;;) {
    tinyml_link_poll();
    if (!tinyml_link_active()) {
      const struct model_tensor *input = model_input(0);
      memset(input->data, ++value, input->bytes);
      const uint64_t start = port_ticks();
      if (model_invoke() == 0) {
        tinyml_report(port_ticks() - start);
      }
    }
    port_spin(2000000);
  }
}
"""
"""An application that runs the model again and again, and reports each inference."""


def built_project(directory: Path, main: str | None = None) -> tuple[Path, Firmware]:
    """The project of the small model on qemu-m4, built; `main` in place of src/main.c."""
    project, board = small_project(directory)
    if main is not None:
        (project / "src" / "main.c").write_text(main)
    return project, build_project(project, board)


def keep_request(project: Path, firmware: Firmware, seconds: float = 60) -> KeepRequest:
    manifest = read_manifest(project)
    return KeepRequest(
        board=firmware.board,
        emulator="qemu",
        elf=str(firmware.elf),
        project=str(project.resolve()),
        build_id=manifest.build_id,
        model_name=manifest.model_name,
        seconds=seconds,
    )


def start(request: KeepRequest) -> EmulatorRecord:
    """Start an emulator that stays."""
    with started_emulator(request) as emulator:
        return emulator.stay()


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def processes_with(word: str) -> list[str]:
    """Command lines of all processes that mention `word`."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and is_running(int(folder.name)):
            try:
                words = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
            except OSError:
                continue
            if any(word in part for part in words):
                found.append(" ".join(words))
    return found


def processes_in(directory: Path) -> list[str]:
    """Process ids of all processes that work in `directory`."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and is_running(int(folder.name)):
            try:
                place = (folder / "cwd").resolve(strict=True)
            except OSError:
                continue
            if place == directory.resolve():
                found.append(folder.name)
    return found
