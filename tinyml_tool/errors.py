"""Every failure a user can meet: a subclass and an exit code for each class of failure."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """Exit status of the `tinyml` command. Documented in docs/exit-codes.md."""

    OK = 0
    INTERNAL = 1
    USAGE = 2
    UNSUPPORTED = 3
    DOES_NOT_FIT = 4
    BUILD = 5
    DEVICE = 6
    MISMATCH = 7


class TinymlError(Exception):
    """A failure with its cause (`message`), the way out (`hint`) and optional single facts.

    `details` holds one line a problem, for failures that list several at once.
    """

    code: ClassVar[str] = "internal"
    exit_code: ClassVar[ExitCode] = ExitCode.INTERNAL

    def __init__(
        self, message: str, *, hint: str | None = None, details: Sequence[str] = ()
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.details = tuple(details)


class InputError(TinymlError):
    """A value, option or file given by the user cannot be used."""

    code = "input"
    exit_code = ExitCode.USAGE


class InvalidModelError(InputError):
    """The model file is not a well-formed `.tflite`."""

    code = "invalid_model"


class ConfigError(InputError):
    """`tinyml.toml` or a board file is wrong."""

    code = "config"


class UnknownBoardError(InputError):
    """No board of that id."""

    code = "unknown_board"


class OutputError(InputError):
    """The output place exists, is not writable, or is full."""

    code = "output"


class UnsupportedModelError(TinymlError):
    """The model is well-formed but an engine cannot run it; `details` lists every reason."""

    code = "unsupported_model"
    exit_code = ExitCode.UNSUPPORTED


class DoesNotFitError(TinymlError):
    """The firmware needs more flash or RAM than the board has."""

    code = "does_not_fit"
    exit_code = ExitCode.DOES_NOT_FIT


class ToolMissingError(TinymlError):
    """A compiler, an emulator or a build tool is not installed."""

    code = "tool_missing"
    exit_code = ExitCode.BUILD


class BuildError(TinymlError):
    """The firmware does not build."""

    code = "build"
    exit_code = ExitCode.BUILD


class TrainingError(TinymlError):
    """The process that trains was killed, ran out of memory or crashed."""

    code = "training"
    exit_code = ExitCode.BUILD


class OutOfMemoryError(TinymlError):
    """The memory of this computer is not enough for the data."""

    code = "memory"
    exit_code = ExitCode.BUILD


class DeviceError(TinymlError):
    """The device or emulator could not be started, or stopped by itself."""

    code = "device"
    exit_code = ExitCode.DEVICE


class PortError(DeviceError):
    """The serial port does not exist, is busy, or may not be opened."""

    code = "port"


class LinkError(DeviceError):
    """The device does not answer, or answers something that is not the protocol."""

    code = "link"


class DeviceFaultError(DeviceError):
    """The firmware stopped in a fault handler (HardFault, BusFault, ...)."""

    code = "device_fault"


class MismatchError(TinymlError):
    """The device computes something else than the reference."""

    code = "mismatch"
    exit_code = ExitCode.MISMATCH
