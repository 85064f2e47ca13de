"""The folder that a training leaves: complete, or not there; and its place to work in."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path

from tinyml_tool.errors import InputError, OutputError

RECORD_FILE = "training.json"
LABELS_FILE = "labels.txt"
CALIBRATION_FILE = "calibration.npz"
TRAIN_FILE = "train.npz"
VALIDATION_FILE = "validation.npz"
TEST_FILE = "test.npz"
KERAS_FILE = "model.keras"
FLOAT_FILE = "model_float.tflite"
INT8_FILE = "model_int8.tflite"

_CHECKPOINT = "checkpoint.npz"


def check_target(target: Path, *, force: bool, mark: str = RECORD_FILE) -> None:
    """Raise OutputError where a result may not be written: before hours of training.

    A folder that holds the file `mark` is an earlier result.
    """
    if target.is_symlink() or (target.exists() and not target.is_dir()):
        raise OutputError(f"{target}: exists and is not a folder", hint="choose another --output")
    if not target.is_dir() or not any(target.iterdir()):
        return
    if not (target / mark).is_file():
        raise OutputError(
            f"{target}: exists and is no earlier result (it has no {mark})",
            hint="choose another --output; --force replaces earlier results only",
        )
    if not force:
        raise OutputError(
            f"{target}: exists", hint="choose another --output, or replace it with --force"
        )


def work_folder(target: Path) -> Path:
    """Where a training for `target` works; it stays there when interrupted, to go on."""
    resolved = target.resolve()
    return resolved.with_name(f".{resolved.name}.training")


def open_work(target: Path, *, resume: bool, force: bool, keeps: str = _CHECKPOINT) -> Path:
    """The working folder: of the interrupted training with `resume`, else an empty one.

    The file `keeps` in it tells that there is something to go on with.
    Raises InputError where there is nothing to resume, or something that was not asked for.
    """
    work = work_folder(target)
    interrupted = (work / keeps).is_file()
    if resume and not interrupted:
        raise InputError(
            f"{target}: no interrupted training to go on with", hint="leave out --resume"
        )
    if resume:
        return work
    if interrupted and not force:
        raise InputError(
            f"{target}: an interrupted training is there ({work})",
            hint="go on with --resume, or begin anew with --force",
        )
    shutil.rmtree(work, ignore_errors=True)
    try:
        work.mkdir(parents=True)
    except OSError as error:
        raise OutputError(
            f"{work}: cannot be made: {error.strerror}", hint="choose another --output"
        ) from None
    return work


def is_resumable(work: Path) -> bool:
    """Whether at least one epoch of the training in `work` is kept."""
    return (work / _CHECKPOINT).is_file()


def close_work(work: Path) -> None:
    """Remove the working folder."""
    shutil.rmtree(work, ignore_errors=True)


def write_result(
    target: Path,
    moved: Mapping[str, Path],
    made: Mapping[str, bytes],
    *,
    force: bool,
    mark: str = RECORD_FILE,
) -> None:
    """Make the folder `target` of files to move and files to write, in one step.

    Raises OutputError; then `target` is as it was.
    """
    check_target(target, force=force, mark=mark)
    resolved = target.resolve()
    staging = resolved.with_name(f".{resolved.name}.new-{secrets.token_hex(4)}")
    try:
        for name in (*moved, *made):
            (staging / name).parent.mkdir(parents=True, exist_ok=True)
        for name, source in moved.items():
            shutil.copyfile(source, staging / name)
        for name, content in made.items():
            (staging / name).write_bytes(content)
        _swap(staging, resolved)
    except OSError as error:
        raise OutputError(
            f"{target}: cannot be written: {error.strerror or error}",
            hint="choose an --output with room that you may write to",
        ) from None
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _swap(staging: Path, target: Path) -> None:
    if not target.exists():
        staging.rename(target)
        return
    aside = target.with_name(f".{target.name}.old-{secrets.token_hex(4)}")
    target.rename(aside)
    try:
        staging.rename(target)
    except BaseException:
        aside.rename(target)
        raise
    shutil.rmtree(aside, ignore_errors=True)
