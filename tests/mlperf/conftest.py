from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from host_firmware import build_host_firmware
from link_device import DeviceStream
from mlperf_firmware import write_mlperf_project

from tinyml_tool.config import MlperfBenchmark


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Callable[[MlperfBenchmark], Path]:
    """Firmware for a benchmark as a program of this computer, with sanitizers; built once."""
    built: dict[MlperfBenchmark, Path] = {}

    def program(benchmark: MlperfBenchmark) -> Path:
        if benchmark not in built:
            folder = tmp_path_factory.mktemp(benchmark)
            project = write_mlperf_project(folder / "project", benchmark)
            built[benchmark] = build_host_firmware(project, folder / "firmware")
        return built[benchmark]

    return program


@pytest.fixture
def start_firmware(
    programs: Callable[[MlperfBenchmark], Path],
) -> Iterator[Callable[..., DeviceStream]]:
    """Starts firmware; ends it after the test, and fails it if a sanitizer complained."""
    streams: list[DeviceStream] = []

    def start(benchmark: MlperfBenchmark = "kws01", program: Path | None = None) -> DeviceStream:
        streams.append(DeviceStream(program or programs(benchmark)))
        return streams[-1]

    yield start
    for stream in streams:
        stream.close()
