"""Writing a project: all or nothing, and never over the user's work."""

import errno
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from project_case import small_files, small_model

from tinyml_tool.errors import OutputError
from tinyml_tool.firmware.project import write_project


def content_of(directory):
    return {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file()
    }


@pytest.fixture(scope="module")
def files():
    return small_files()


@pytest.fixture(scope="module")
def other_files():
    return small_files(model=small_model(weight=4))


@pytest.fixture
def project(tmp_path, files):
    write_project(tmp_path / "project", files)
    return tmp_path / "project"


def fail_with(number):
    def fail(*_args, **_options):
        raise OSError(number, os.strerror(number))

    return fail


def test_the_directory_holds_exactly_the_files(project, files):
    assert content_of(project) == files


def test_nothing_lies_beside_the_project(project):
    assert [path.name for path in project.parent.iterdir()] == ["project"]


def test_missing_parents_are_made(tmp_path, files):
    write_project(tmp_path / "a" / "b" / "project", files)
    assert content_of(tmp_path / "a" / "b" / "project") == files


def test_an_empty_directory_is_filled(tmp_path, files):
    (tmp_path / "project").mkdir()
    write_project(tmp_path / "project", files)
    assert content_of(tmp_path / "project") == files


def test_a_link_to_a_directory_stays_a_link(tmp_path, files):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    write_project(tmp_path / "link", files)
    assert (tmp_path / "link").is_symlink()
    assert content_of(tmp_path / "real") == files


def test_a_directory_that_is_not_empty_is_kept(tmp_path, files):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(OutputError, match="not empty") as caught:
        write_project(tmp_path, files)
    assert "--force" in (caught.value.hint or "")
    assert content_of(tmp_path) == {"mine.txt": b"mine"}


def test_force_does_not_replace_a_directory_that_is_no_project(tmp_path, files):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(OutputError, match="not a project of tinyml-tool"):
        write_project(tmp_path, files, force=True)
    assert content_of(tmp_path) == {"mine.txt": b"mine"}


@pytest.mark.parametrize("manifest", ["{}", "[]", "nonsense", '{"schema_version": 99}'])
def test_force_does_not_replace_a_directory_with_a_foreign_manifest(tmp_path, files, manifest):
    (tmp_path / "manifest.json").write_text(manifest)
    with pytest.raises(OutputError, match="not a project of tinyml-tool"):
        write_project(tmp_path, files, force=True)
    assert content_of(tmp_path) == {"manifest.json": manifest.encode()}


def test_force_replaces_a_generated_project(project, other_files):
    kept = write_project(project, other_files, force=True)
    assert kept == ()
    assert content_of(project) == other_files
    assert [path.name for path in project.parent.iterdir()] == ["project"]


def test_force_drops_generated_files_that_are_no_longer_needed(project, files, other_files):
    fewer = {path: text for path, text in other_files.items() if path != "src/main.c"}
    assert "src/main.c" in files
    write_project(project, fewer, force=True)
    assert content_of(project) == fewer


def test_force_keeps_an_edited_file_as_a_backup_beside_the_new_one(project, other_files):
    (project / "src" / "main.c").write_text("edited")
    kept = write_project(project, other_files, force=True)
    assert kept == ("src/main.c.user-backup",)
    assert (project / "src" / "main.c").read_bytes() == other_files["src/main.c"]
    assert (project / "src" / "main.c.user-backup").read_text() == "edited"


def test_force_never_overwrites_an_older_backup(project, other_files, files):
    (project / "src" / "main.c").write_text("first")
    write_project(project, other_files, force=True)
    (project / "src" / "main.c").write_text("second")
    kept = write_project(project, files, force=True)
    assert kept == ("src/main.c.user-backup-2",)
    assert (project / "src" / "main.c.user-backup").read_text() == "first"
    assert (project / "src" / "main.c.user-backup-2").read_text() == "second"


def test_force_keeps_files_links_and_empty_folders_that_the_user_added(project, other_files):
    (project / "src" / "sensor.c").write_text("int sensor;")
    (project / "lib" / "mine").mkdir()
    (project / ".git" / "refs").mkdir(parents=True)
    (project / "shortcut").symlink_to("src")
    kept = write_project(project, other_files, force=True)
    assert kept == ()
    assert (project / "src" / "sensor.c").read_text() == "int sensor;"
    assert (project / "lib" / "mine").is_dir()
    assert (project / ".git" / "refs").is_dir()
    assert (project / "shortcut").readlink() == Path("src")


def test_force_drops_results_of_earlier_builds(project, other_files):
    for folder in (".pio", "build"):
        (project / folder).mkdir()
        (project / folder / "firmware.elf").write_text("old")
    write_project(project, other_files, force=True)
    assert content_of(project) == other_files


def test_an_added_file_gives_way_to_a_generated_one_of_that_name(project, files):
    (project / "src" / "new.c").write_text("the user's")
    more = {**files, "src/new.c": b"generated"}
    assert write_project(project, more, force=True) == ("src/new.c.user-backup",)
    assert (project / "src" / "new.c").read_bytes() == b"generated"


def test_a_file_in_the_way_is_kept(tmp_path, files):
    (tmp_path / "project").write_text("a file")
    with pytest.raises(OutputError, match="not a directory"):
        write_project(tmp_path / "project", files, force=True)
    assert (tmp_path / "project").read_text() == "a file"


def test_a_file_as_parent_is_told(tmp_path, files):
    (tmp_path / "file").write_text("a file")
    with pytest.raises(OutputError) as caught:
        write_project(tmp_path / "file" / "project", files)
    assert "part of the path is a file" in (caught.value.hint or "")


def test_the_current_directory_is_not_replaced(project, other_files, files, monkeypatch):
    monkeypatch.chdir(project)
    with pytest.raises(OutputError, match="current directory"):
        write_project(Path(), other_files, force=True)
    assert content_of(project) == files


def test_a_place_that_nobody_may_write_to_is_told(files):
    with pytest.raises(OutputError, match="cannot write the project"):
        write_project(Path("/proc/tinyml/project"), files)


def test_a_name_that_is_too_long_is_told(tmp_path, files):
    with pytest.raises(OutputError) as caught:
        write_project(tmp_path / ("x" * 300), files)
    assert "shorter" in (caught.value.hint or "")


def test_a_disk_that_is_full_half_way_leaves_nothing_behind(tmp_path, files):
    limit = 4096
    assert max(map(len, files.values())) > limit

    def small_files_only():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    code = (
        "import pathlib, sys, project_case\n"
        "from tinyml_tool.errors import OutputError\n"
        "from tinyml_tool.firmware.project import write_project\n"
        "files = project_case.small_files()\n"
        "try:\n"
        "    write_project(pathlib.Path('deep/project'), files)\n"
        "except OutputError as error:\n"
        "    sys.exit(error.message)\n"
    )
    result = subprocess.run(
        [sys.executable, "-B", "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        preexec_fn=small_files_only,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "cannot write the project: File too large" in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.EROFS])
def test_a_failing_write_leaves_the_old_project_as_it_was(
    project, files, other_files, monkeypatch, number
):
    monkeypatch.setattr(Path, "write_bytes", fail_with(number))
    with pytest.raises(OutputError, match="cannot write the project") as caught:
        write_project(project, other_files, force=True)
    monkeypatch.undo()
    assert caught.value.hint
    assert content_of(project) == files
    assert [path.name for path in project.parent.iterdir()] == ["project"]


def test_the_old_project_comes_back_when_the_new_one_cannot_take_its_place(
    project, files, other_files, monkeypatch
):
    rename = Path.rename

    def refuse_new(self, target):
        if ".new-" in self.name:
            raise OSError(errno.EACCES, os.strerror(errno.EACCES))
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refuse_new)
    with pytest.raises(OutputError):
        write_project(project, other_files, force=True)
    assert content_of(project) == files
    assert [path.name for path in project.parent.iterdir()] == ["project"]


def test_ctrl_c_while_writing_leaves_nothing_behind(tmp_path, files, monkeypatch):
    written = []

    def interrupt(self, _content):
        written.append(self)
        if len(written) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(Path, "write_bytes", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_project(tmp_path / "deep" / "project", files)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", ["/etc/passwd", "../outside", "src/../../outside"])
def test_a_path_outside_the_project_is_never_written(tmp_path, path):
    with pytest.raises(ValueError, match="not inside the project"):
        write_project(tmp_path / "project", {path: b""})
    assert list(tmp_path.iterdir()) == []
