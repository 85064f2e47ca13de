"""Writing a project: all of it or nothing, and never over the user's own work."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from tinyml_tool.errors import InputError, OutputError
from tinyml_tool.firmware.manifest import FILE_NAME, Manifest, read_manifest, sha256

BACKUP_SUFFIX = ".user-backup"

_BUILD_RESULTS = (".pio", "build", "compile_commands.json")
_HINTS = {
    errno.ENOSPC: "free some disk space, or choose another --output",
    errno.EDQUOT: "free some disk space, or choose another --output",
    errno.EACCES: "choose an --output that you may write to",
    errno.EPERM: "choose an --output that you may write to",
    errno.EROFS: "choose an --output that is not read-only",
    errno.ENOTDIR: "a part of the path is a file; choose another --output",
    errno.EEXIST: "a part of the path is a file; choose another --output",
    errno.ENAMETOOLONG: "choose a shorter --output",
}


def write_project(
    directory: Path, files: Mapping[str, bytes], *, force: bool = False
) -> tuple[str, ...]:
    """Make `directory` hold exactly `files` (relative path to content), or leave it as it was.

    A non-empty directory is only replaced with `force`, and only if it is a generated project.
    What the user put there survives: added files stay where they are, edited ones are kept as
    `<file>.user-backup` beside the new ones.  Returns the relative paths of those backups.

    Raises OutputError; then nothing has changed and nothing is left behind.
    """
    try:
        target = directory.resolve()
    except (OSError, RuntimeError) as error:
        raise OutputError(f"{directory}: not a usable path: {error}") from None
    try:
        old = _replaceable(directory, target, force=force)
        with _parents(target), _staging(target) as staging:
            _write_files(staging, files)
            backups = _carry_over(target, old, staging, files) if old else ()
            _swap(staging, target, replace=old is not None)
    except OSError as error:
        raise _output_error(directory, error) from error
    return backups


def _replaceable(directory: Path, target: Path, *, force: bool) -> Manifest | None:
    """The manifest of the project that is to be replaced; None where there is nothing yet."""
    if not target.exists():
        return None
    if not target.is_dir():
        raise OutputError(
            f"{directory}: exists and is not a directory", hint="choose another --output"
        )
    if Path.cwd().is_relative_to(target):
        raise OutputError(
            f"{directory}: is the current directory",
            hint="name a directory to make inside it, or run the command from its parent",
        )
    if not any(target.iterdir()):
        return None
    if not force:
        raise OutputError(
            f"{directory}: exists and is not empty",
            hint="choose another --output, or replace a generated project with --force",
        )
    try:
        return read_manifest(target)
    except InputError as error:
        raise OutputError(
            f"{directory}: is not a project of tinyml-tool, so --force does not replace it",
            hint="choose another --output, or remove the directory yourself",
            details=(error.message,),
        ) from None


@contextmanager
def _parents(target: Path) -> Iterator[None]:
    """Make the missing parents of `target`; remove them again when the body fails."""
    missing = [parent for parent in target.parents if not parent.exists()]
    made: list[Path] = []
    try:
        for parent in reversed(missing):
            parent.mkdir(exist_ok=True)
            made.append(parent)
        yield
    except BaseException:
        for parent in reversed(made):
            if not any(parent.iterdir()):
                parent.rmdir()
        raise


@contextmanager
def _staging(target: Path) -> Iterator[Path]:
    """A new directory beside `target`; gone afterwards unless it was renamed."""
    staging = target.with_name(f".{target.name}.new-{secrets.token_hex(4)}")
    staging.mkdir()
    try:
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _write_files(root: Path, files: Mapping[str, bytes]) -> None:
    for name, content in files.items():
        relative = PurePosixPath(name)
        if relative.is_absolute() or ".." in relative.parts:
            raise ValueError(f"'{name}' is not inside the project")
        path = root / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _carry_over(
    project: Path, old: Manifest, staging: Path, files: Mapping[str, bytes]
) -> tuple[str, ...]:
    """Copy what the user added or edited in `project` to `staging`; returns the backups."""
    backups = []
    for path in _user_entries(project):
        relative = path.relative_to(project).as_posix()
        if path.is_dir() and not path.is_symlink():
            (staging / relative).mkdir(parents=True, exist_ok=True)
            continue
        generated = relative in old.files
        if generated and not path.is_symlink():
            content = path.read_bytes()
            if sha256(content) == old.files[relative] or content == files.get(relative):
                continue
        place = relative
        if generated or (staging / relative).exists():
            place = _free_name(project, staging, relative + BACKUP_SUFFIX)
            backups.append(place)
        copy = staging / place
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, copy, follow_symlinks=False)
    return tuple(backups)


def _user_entries(project: Path) -> Iterator[Path]:
    """Files, links and empty directories of `project`, without the results of builds."""
    for path in sorted(project.iterdir()):
        if path.name in _BUILD_RESULTS or path.name == FILE_NAME:
            continue
        if path.is_symlink() or not path.is_dir():
            yield path
            continue
        for folder, folders, names in os.walk(path):
            folders.sort()
            here = Path(folder)
            if not folders and not names:
                yield here
            yield from (here / name for name in folders if (here / name).is_symlink())
            yield from (here / name for name in sorted(names))


def _free_name(project: Path, staging: Path, wanted: str) -> str:
    name, number = wanted, 1
    while (project / name).exists() or (staging / name).exists():
        number += 1
        name = f"{wanted}-{number}"
    return name


def _swap(staging: Path, target: Path, *, replace: bool) -> None:
    if not replace:
        staging.rename(target)  # fails where something has appeared there meanwhile
        return
    aside = target.with_name(f".{target.name}.old-{secrets.token_hex(4)}")
    target.rename(aside)
    try:
        staging.rename(target)
    except BaseException:
        aside.rename(target)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def _output_error(directory: Path, error: OSError) -> OutputError:
    number = error.errno if error.errno is not None else 0
    return OutputError(
        f"{directory}: cannot write the project: {error.strerror or error}",
        hint=_HINTS.get(number, "choose another --output"),
    )
