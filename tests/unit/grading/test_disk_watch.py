"""The folders that containers write to are found, and measured."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import pytest

from workshop.grading.disk_watch import DiskWatch, written_by

if TYPE_CHECKING:
    from pathlib import Path

KB = 1000
LOWER = "lowerdir=/d/overlay2/l/A,upperdir=/d/overlay2/one/diff,workdir=/d/overlay2/one/work"


class FakeEngine:
    """An engine whose files are in a folder."""

    def __init__(self, root: Path) -> None:
        self.root = str(root)


def watch(folder: Path, limit: int, on_full=lambda: None) -> DiskWatch:
    return DiskWatch(FakeEngine(folder), limit, lambda _: [folder], on_full)


def test_files_at_every_depth_count(tmp_path):
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/file").write_bytes(b"x" * 200 * KB)
    assert watch(tmp_path, 150 * KB).is_full()
    assert not watch(tmp_path, 300 * KB).is_full()


def test_a_sparse_file_counts_as_little_as_it_uses(tmp_path):
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(1 << 40)
    assert not watch(tmp_path, 100 * KB).is_full()


def test_empty_files_count(tmp_path):
    for number in range(200):
        (tmp_path / f"{number}").touch()
    assert watch(tmp_path, 100 * KB).is_full()


def test_what_a_link_leads_to_does_not_count(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/file").write_bytes(b"x" * 200 * KB)
    (tmp_path / "in").mkdir()
    (tmp_path / "in/link").symlink_to(tmp_path / "out")
    assert not watch(tmp_path / "in", 100 * KB).is_full()


def test_folders_of_earlier_steps_still_count(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_bytes(b"x" * 80 * KB)
    steps = iter([[tmp_path / "one"], [tmp_path / "two"]])
    watching = DiskWatch(FakeEngine(tmp_path), 120 * KB, lambda _: next(steps), lambda: None)
    assert not watching.is_full()
    assert watching.is_full()


def test_a_full_disk_is_noticed_while_the_thread_runs(tmp_path):
    full = threading.Event()
    watching = watch(tmp_path, 100 * KB, full.set)
    (tmp_path / "file").write_bytes(b"x" * 200 * KB)
    watching.start()
    try:
        assert full.wait(30)
    finally:
        watching.stop()


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    """Process 7 in a container whose engine has its files in /d, on a separate disk."""
    for name, lines in {
        "self": ["1 0 8:1 / / rw - ext4 /dev/a rw", "2 1 8:2 /data /d rw - ext4 /dev/b rw"],
        "7": [
            f"3 1 0:50 / / rw - overlay overlay rw,{LOWER}",
            "4 3 8:2 /data/overlay2/cache/diff /root/.cache rw - ext4 /dev/b rw",
            "5 3 8:2 /elsewhere /x rw - ext4 /dev/b rw",
            "6 3 8:1 /data/overlay2/other /etc/hosts rw - ext4 /dev/a rw",
            "7 3 0:51 / /proc rw - proc proc rw",
        ],
        "8": ["1 0 8:1 / / rw - ext4 /dev/a rw", "2 1 8:2 /data /d rw - ext4 /dev/b rw"],
        "9": ["too short"],
    }.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "mountinfo").write_text("\n".join(lines))
    return tmp_path


def test_the_upper_layer_and_mounts_of_a_container_are_found(proc, tmp_path):
    disk = tmp_path.__class__("/d")
    found = written_by([7, 404, 9], disk, proc)
    assert found == {disk / "overlay2/one/diff", disk / "overlay2/cache/diff"}


def test_a_process_outside_of_a_container_writes_nowhere(proc, tmp_path):
    assert written_by([8], tmp_path.__class__("/d"), proc) == set()


def test_this_process_is_in_no_container_of_an_unknown_engine(tmp_path):
    assert written_by([os.getpid()], tmp_path) == set()
