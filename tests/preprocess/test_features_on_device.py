"""The same bits on emulated cores as on the host, through the generated project and the link."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from feature_case import (
    CORES,
    FORMAT,
    TABLES,
    clip,
    feature_device,
    feature_project,
    raw_samples,
    spec_of,
)
from shared import shared_model

from tinyml_tool.api.features_check import check_features
from tinyml_tool.api.generate import generate
from tinyml_tool.api.project import open_project
from tinyml_tool.api.run import run
from tinyml_tool.api.session import Session, open_session
from tinyml_tool.errors import LinkError
from tinyml_tool.preprocess.plan import ValueFormat
from tinyml_tool.preprocess.planning import plan_features
from tinyml_tool.preprocess.spec import FeatureSpec, parse_features
from tinyml_tool.toolchain.build import build_project
from tinyml_tool.toolchain.features_binding import FeatureStream
from tinyml_tool.verify.made_samples import made_samples, samples_for
from tinyml_tool.verify.replay import replay_samples

pytestmark = pytest.mark.skipif(
    shutil.which("qemu-system-arm") is None or shutil.which("arm-none-eabi-gcc") is None,
    reason="needs QEMU and arm-none-eabi-gcc",
)


def assert_same_bits(
    session: Session, spec: FeatureSpec, value_format: ValueFormat, samples: np.ndarray
) -> int:
    """Compare all features of `samples`; returns how many they are."""
    host = FeatureStream(plan_features(spec, value_format)).extract(samples)
    device = replay_samples(session.client, samples)
    assert b"".join(window.features for window in device.windows) == host.tobytes()
    return int(host.size)


@pytest.mark.parametrize("name", ["kws", "micro_speech", "bilinear", "summary"])
def test_a_cortex_m4_computes_the_hosts_bits(tmp_path: Path, name: str) -> None:
    spec = spec_of(name)
    with feature_device(tmp_path / "p", spec, "qemu-m4", "float32") as session:
        assert assert_same_bits(session, spec, ValueFormat(), raw_samples(name)) > 5000


@pytest.mark.parametrize("name", ["mel", "area", "window"])
def test_a_cortex_m0_stores_the_hosts_quantized_values(tmp_path: Path, name: str) -> None:
    spec = spec_of(name)
    with feature_device(tmp_path / "p", spec, "qemu-m0") as session:
        assert assert_same_bits(session, spec, FORMAT, raw_samples(name)) > 1500


@pytest.mark.slow
@pytest.mark.parametrize("board", CORES)
@pytest.mark.parametrize("name", TABLES)
def test_100_000_values_of_every_block_are_the_same_on_every_core(
    tmp_path: Path, name: str, board: str
) -> None:
    """Each value counts once: windows do not overlap."""
    spec = spec_of(name)
    steps = {"every": getattr(spec, "frames", 0)} if hasattr(spec, "every") else {}
    steps |= {"stride": getattr(spec, "window", 0)} if hasattr(spec, "stride") else {}
    spec = spec.model_copy(update=steps)
    windows = -(-100_000 // plan_features(spec).values)
    samples = [made_samples(spec, samples_for(spec, windows), 7), raw_samples(name)]
    if samples[0].dtype == np.int16 and name not in ("delta",):
        samples += [clip(n) for n in ("yes", "no", "noise", "silence")]
    with feature_device(tmp_path / "p", spec, board, "float32") as session:
        found = [assert_same_bits(session, spec, ValueFormat(), part) for part in samples]
    assert found[0] >= 100_000


@pytest.fixture(scope="module")
def keywords(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A keyword model's project with its features, built."""
    folder = tmp_path_factory.mktemp("keywords") / "kws"
    generate(shared_model("kws_ref_model.tflite"), output=folder, features={"preset": "kws"})
    project = open_project(folder)
    build_project(project.folder, project.board, "platformio")
    return folder


@pytest.fixture
def session(keywords: Path) -> Iterator[Session]:
    project = open_project(keywords)
    elf = build_project(project.folder, project.board, "platformio").elf
    with open_session(project, elf=lambda: elf) as opened:
        yield opened


def test_a_spoken_word_gets_its_class(keywords: Path) -> None:
    from shared import shared_sample

    result = run(keywords, inputs=[shared_sample("yes_1000ms.wav")])
    ((output,),) = result.outputs
    assert int(output.values.argmax()) == 9  # yes: down go left no off on right stop up YES
    assert result.sources[0].endswith("yes_1000ms.wav")


def test_the_wire_and_the_file_lane_agree(session: Session) -> None:
    samples = np.concatenate([clip("yes"), clip("no")[:3000]])
    by_files = replay_samples(session.client, samples, run=True)
    by_wire = replay_samples(session.client, samples, run=True, use_files=False)
    assert by_files.windows == by_wire.windows
    assert len(by_files.windows) == 10
    assert by_files.ticks > 0 and by_wire.ticks > 0


def test_firmware_with_other_features_is_refused(keywords: Path) -> None:
    project = open_project(keywords)
    elf = build_project(project.folder, project.board, "platformio").elf
    text = (keywords / "tinyml.toml").read_text()
    other = text.replace("low_hz = 20.0", "low_hz = 40.0")
    assert other != text
    try:
        (keywords / "tinyml.toml").write_text(other)
        changed = open_project(keywords)
        with (
            pytest.raises(LinkError, match="the firmware on the device has the preprocessing"),
            open_session(changed, elf=lambda: elf),
        ):
            raise AssertionError("a session was opened")
    finally:
        (keywords / "tinyml.toml").write_text(text)


def test_firmware_without_features_is_refused_where_the_project_has_some(
    tmp_path: Path, keywords: Path
) -> None:
    plain = tmp_path / "plain"
    generate(shared_model("kws_ref_model.tflite"), output=plain)
    project = open_project(plain)
    elf = build_project(project.folder, project.board, "cmake").elf
    table = (keywords / "tinyml.toml").read_text().split("[features]")[1]
    (plain / "tinyml.toml").open("a").write(f"\n[features]{table}")
    with (
        pytest.raises(LinkError, match="has no preprocessing, expected"),
        open_session(open_project(plain), elf=lambda: elf),
    ):
        raise AssertionError("a session was opened")


def test_a_check_tells_values_and_costs(keywords: Path) -> None:
    check = check_features(keywords, values=1000)
    assert check.exact
    assert check.values_compared >= 1000
    assert check.instructions_per_window is not None
    assert 40_000 < check.instructions_per_window < 80_000
    assert check.instructions_first_window is not None
    assert check.instructions_first_window > 40 * check.instructions_per_window


def test_a_check_sees_firmware_that_computes_otherwise(tmp_path: Path) -> None:
    spec = parse_features({**TABLES["area"], "std": [16.0]}, "x")
    folder = feature_project(tmp_path / "p", spec, "qemu-m4")
    source = folder / "lib" / "features" / "resample_u8.h"
    text = source.read_text()
    assert "<< 14" in text
    source.write_text(text.replace("<< 14", "<< 13"))
    check = check_features(folder, values=1000)
    assert not check.exact
    assert check.first_difference is not None
    assert 0 < check.values_different < check.values_compared
