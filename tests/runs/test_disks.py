"""Full or read-only disks cost time, but change no digit."""

import os
import resource
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers_samplers import first_fast
from resuming import (
    RUN,
    Hook,
    assert_mentions,
    assert_same,
    assert_whole,
    at_stage,
    begun,
    contents,
    done,
    no_plots,
    refused,
    resumed,
    run,
    sent,
    written,
    zpfit,
)

# The tests compare plots of forked runs as well.
pytestmark = [pytest.mark.drawn, pytest.mark.usefixtures("small_batches")]

UNPRIVILEGED = 65534
"""Id of a user without rights."""


def file_limit(size: int) -> Hook:
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


@pytest.mark.parametrize("size", first_fast(15_000, 1_000))
def test_files_that_may_not_grow(place: Path, plain: Path, size: int):
    message = refused(place, *run(), hooks=(no_plots, file_limit(size)))
    assert_mentions(message, "error: out/", "cannot be written", "File too large")
    assert_whole(place / "out")
    resumed(place)
    assert_same(place, plain)


def full_from(number: int) -> Hook:
    """Fail to write every file from the ``number``-th onwards."""

    def hook() -> None:
        write, left = Path.replace, [number]

        def full(self: Path, target: Path) -> Path:
            left[0] -= 1
            if left[0] <= 0:
                raise OSError(28, os.strerror(28))
            return write(self, target)

        pytest.MonkeyPatch().setattr(Path, "replace", full)

    return hook


def filled(place: Path, expected: Path, number: int, hooks: tuple[Hook, ...] = ()) -> bool:
    """Run on a disk that is full from that file onwards, and return whether the run failed."""
    shutil.rmtree(place / "out", ignore_errors=True)
    process = zpfit(place, *run(), hooks=(*hooks, full_from(number)))
    if process.ended() == 0:
        return False
    assert process.ended() == 2
    assert_mentions(process.stderr, "error: out/", "cannot be written", "No space left")
    assert "Traceback" not in process.stderr
    assert process.stdout == ""
    assert_whole(place / "out")
    done(place, *run("--resume"), hooks=hooks)
    assert_same(place, expected)
    return True


@pytest.mark.parametrize("number", first_fast(9, 4))
def test_a_disk_that_gets_full(place: Path, plain: Path, number: int):
    assert filled(place, plain, number, (no_plots,))


@pytest.mark.slow
def test_a_disk_that_gets_full_at_any_file(place: Path, tmp_path: Path):
    other = written(tmp_path / "other")
    done(other, *run())
    number = 1
    while filled(place, other, number):
        number += 1
    assert number > 15


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Small disk for the test."""
    where = tmp_path / "place"
    where.mkdir()
    options = ["-t", "tmpfs", "-o", "size=4m", "tmpfs", str(where)]
    mount = shutil.which("mount")
    made = mount and subprocess.run([mount, *options], capture_output=True, check=False)
    if not made or made.returncode:
        pytest.skip("no disk can be mounted here")
    (where / "fit.yaml").write_text(RUN)
    yield where
    subprocess.run([shutil.which("umount") or "", "-l", str(where)], check=True)


def remounted(disk: Path, options: str) -> None:
    words = [shutil.which("mount") or "", "-o", f"remount,{options}", str(disk)]
    subprocess.run(words, check=True)


@pytest.mark.parametrize("room", first_fast(40, 0, 120))
def test_a_full_disk(disk: Path, plain: Path, room: int):
    """A run on a disk with ``room`` KiB left fails and resumes."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while file.write(b"x" * 4096):
                pass
        except OSError:
            pass
    os.truncate(ballast, max(ballast.stat().st_size - 1024 * room, 0))
    message = refused(disk, *run(), hooks=(no_plots,))
    assert_mentions(message, "error: out", "cannot be written", "No space left")
    assert_whole(disk / "out")
    ballast.unlink()
    resumed(disk) if begun(disk) else done(disk, *run(), hooks=(no_plots,))
    assert_same(disk, plain)


@pytest.mark.slow
def test_a_disk_that_becomes_read_only(disk: Path, plain: Path):
    at = at_stage("Searching the best fit", sent(signal.SIGKILL))
    assert zpfit(disk, *run(), hooks=(at,)).ended() == -signal.SIGKILL
    remounted(disk, "ro")
    message = refused(disk, *run("--resume"))
    assert_mentions(message, "error: out", "cannot be written", "Read-only file system")
    remounted(disk, "rw")
    resumed(disk)
    assert_same(disk, plain)


def test_a_folder_that_cannot_be_written(tmp_path: Path, plain: Path):
    """Root may write everywhere, so it becomes a user without rights here."""
    root = Path(tempfile.mkdtemp())

    def drop_rights() -> None:
        if os.geteuid() == 0:
            os.setgid(UNPRIVILEGED)
            os.setuid(UNPRIVILEGED)

    try:
        root.chmod(0o755)
        place = written(root / "place")
        at = at_stage("Searching the best fit", sent(signal.SIGKILL))
        assert zpfit(place, *run(), hooks=(at,)).ended() == -signal.SIGKILL
        paths = [place / "out", *(path for path in (place / "out").rglob("*"))]
        modes = {path: path.stat().st_mode for path in paths}
        for path in paths:
            path.chmod(0o555 if path.is_dir() else 0o444)
        before = contents(place / "out")
        message = refused(place, *run("--resume"), hooks=(drop_rights,))
        assert_mentions(message, "error: out", "cannot be written", "ermission denied")
        place.chmod(0o555)
        message = refused(place, "run", "fit.yaml", "--output", "new/out", hooks=(drop_rights,))
        assert_mentions(message, "error: new/out", "cannot be written", "ermission denied")
        assert contents(place / "out") == before
        place.chmod(0o755)
        for path, mode in modes.items():
            path.chmod(mode)
        resumed(place)
        assert_same(place, plain)
    finally:
        shutil.rmtree(root)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_log_that_cannot_be_written_costs_only_itself(place: Path, plain: Path):
    (place / "out").mkdir()
    (place / "out/.zpfit-run").touch()
    (place / "out/log.txt").symlink_to("/dev/full")
    process = done(place, *run(), hooks=(no_plots,))
    assert_mentions(process.stderr, "log.txt: cannot be written (No space left on device)", "Done")
    (place / "out/log.txt").unlink()
    assert_same(place, plain)
