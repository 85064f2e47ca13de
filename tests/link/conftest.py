from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from link_device import (
    EMULATED,
    QUICK,
    SMALL_BOARD,
    DeviceStream,
    StartDevice,
    Variant,
    build_device,
)
from link_probe import Probe, build_probe

from tinyml_tool.devices.link.client import LinkClient


@pytest.fixture(scope="session")
def device_programs(tmp_path_factory: pytest.TempPathFactory) -> dict[Variant, Path]:
    return {
        variant: build_device(tmp_path_factory.mktemp(variant.name), variant)
        for variant in (EMULATED, SMALL_BOARD)
    }


@pytest.fixture
def start_device(device_programs: dict[Variant, Path], tmp_path: Path) -> Iterator[StartDevice]:
    """Starts devices; ends them after the test, and fails it if a sanitizer complained."""
    streams: list[DeviceStream] = []

    def start(variant: Variant = EMULATED, **settings: str) -> DeviceStream:
        streams.append(DeviceStream(device_programs[variant], settings, tmp_path))
        return streams[-1]

    yield start
    for stream in streams:
        stream.close()


@pytest.fixture(params=[EMULATED, SMALL_BOARD], ids=lambda variant: variant.name)
def any_client(request: pytest.FixtureRequest, start_device: StartDevice) -> LinkClient:
    """A client of each variant in turn."""
    return LinkClient(start_device(request.param), timeouts=QUICK)


@pytest.fixture
def client(start_device: StartDevice) -> LinkClient:
    """A client of a device with observer and file lane."""
    return LinkClient(start_device(), timeouts=QUICK)


@pytest.fixture(scope="session")
def probe(tmp_path_factory: pytest.TempPathFactory) -> Probe:
    """The device's codec, called directly."""
    return build_probe(tmp_path_factory.mktemp("probe"))
