"""`diagnose`: what is there, what is missing, and how to mend it."""

import os
import threading

import pytest

from tinyml_tool.toolchain import doctor


def by_name():
    return {finding.name: finding for finding in doctor.diagnose()}


EXPECTED = {
    *(f"Python with {module}" for module in ("tensorflow", "onnx2tf", "torch")),
    "python",
    "arm-none-eabi-gcc",
    "newlib for arm-none-eabi",
    "libstdc++ for arm-none-eabi",
    "qemu-system-arm",
    "QEMU machines",
    "PlatformIO",
    "SCons",
    "cmake",
    "ninja",
    "gcc",
    "renode",
    "tflite-micro",
    "ai-edge-litert",
    "TensorFlow Lite Micro",
}


def test_every_tool_is_looked_at():
    assert set(by_name()) == EXPECTED


def test_a_tool_is_either_fine_or_has_a_remedy():
    for finding in doctor.diagnose():
        assert finding.ok == (finding.remedy is None), finding


def test_what_is_there_has_a_version():
    for finding in doctor.diagnose():
        assert not finding.ok or finding.version, finding


@pytest.fixture
def nothing_installed(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))


@pytest.mark.usefixtures("nothing_installed")
@pytest.mark.parametrize(
    ("tool", "package"),
    [
        ("arm-none-eabi-gcc", "gcc-arm-none-eabi"),
        ("newlib for arm-none-eabi", "libnewlib-arm-none-eabi"),
        ("libstdc++ for arm-none-eabi", "libstdc++-arm-none-eabi-newlib"),
        ("qemu-system-arm", "qemu-system-arm"),
        ("cmake", "cmake"),
        ("ninja", "ninja-build"),
        ("gcc", "gcc"),
    ],
)
def test_a_missing_program_comes_with_the_command_that_installs_it(tool, package):
    finding = by_name()[tool]
    assert not finding.ok
    assert finding.remedy is not None
    assert finding.remedy.startswith("sudo apt-get install ")
    assert package in finding.remedy.split()


def test_a_missing_python_package_comes_with_the_command_that_installs_it(monkeypatch):
    def absent(name):
        raise doctor.PackageNotFoundError(name)

    monkeypatch.setattr(doctor, "version", absent)
    assert "pip install platformio" in (by_name()["PlatformIO"].remedy or "")


def program(folder, name, text):
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


@pytest.mark.usefixtures("nothing_installed")
def test_a_qemu_without_the_machines_names_them(tmp_path):
    program(
        tmp_path,
        "qemu-system-arm",
        'if [ "$1" = -machine ]; then echo Supported:; echo "mps2-an386 x"; else echo v 7.2.0; fi',
    )
    finding = by_name()["QEMU machines"]
    assert not finding.ok
    assert any("mps2-an385 (board qemu-m3)" in line for line in finding.details)
    assert not any("mps2-an386" in line for line in finding.details)


@pytest.mark.usefixtures("nothing_installed")
def test_a_program_that_fails_is_not_fine(tmp_path):
    program(tmp_path, "qemu-system-arm", "exit 1")
    assert not by_name()["qemu-system-arm"].ok


@pytest.mark.usefixtures("nothing_installed")
def test_a_program_that_hangs_does_not_hang_the_doctor(tmp_path, monkeypatch):
    monkeypatch.setattr(doctor, "_SECONDS", 0.3)
    # It tells its process id, then sleeps longer than any test runs.
    program(tmp_path, "qemu-system-arm", f"echo $$ > {tmp_path}/pid.$$\nexec /bin/sleep 1000000")
    assert not by_name()["qemu-system-arm"].ok
    started = [int(path.suffix[1:]) for path in tmp_path.glob("pid.*")]
    assert started
    for process in started:
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)


def test_all_tools_are_looked_at_at_the_same_time(monkeypatch):
    # Each of the two waits for the other: one after the other, neither would come back.
    both = threading.Barrier(2)

    def waiting(probe):
        def wait():
            both.wait(60)
            return probe()

        return wait

    for name in ("_python", "_references"):
        monkeypatch.setattr(doctor, name, waiting(getattr(doctor, name)))
    assert {"python", "tflite-micro"} <= set(by_name())
