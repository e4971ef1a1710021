"""Control groups are written for both versions of the kernel's interface."""

from __future__ import annotations

import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from workshop.grading import cgroups
from workshop.grading.cgroups import CGroup
from workshop.grading.limits import CLASS, GB

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def split(tmp_path: Path) -> Path:
    """A kernel with a tree for each controller (version 1)."""
    for controller in ("memory", "pids", "cpu", "freezer"):
        (tmp_path / controller).mkdir()
    return tmp_path


@pytest.fixture
def unified(tmp_path: Path) -> Path:
    """A kernel with one tree (version 2)."""
    (tmp_path / "cgroup.controllers").write_text("cpuset cpu io memory pids\n")
    return tmp_path


def test_limits_are_written_to_each_tree_of_version_1(split):
    CGroup("one", split).create(CLASS._replace(cpus=1.5))
    assert (split / "memory/one/memory.limit_in_bytes").read_text() == f"{GB}\n"
    assert (split / "memory/one/memory.memsw.limit_in_bytes").read_text() == f"{GB}\n"
    assert (split / "pids/one/pids.max").read_text() == "512\n"
    assert (split / "cpu/one/cpu.cfs_quota_us").read_text() == "150000\n"


def test_limits_are_written_to_the_tree_of_version_2(unified):
    CGroup("one", unified).create(CLASS._replace(cpus=1.5))
    assert (unified / "one/memory.max").read_text() == f"{GB}\n"
    assert (unified / "one/memory.swap.max").read_text() == "0\n"
    assert (unified / "one/pids.max").read_text() == "512\n"
    assert (unified / "one/cpu.max").read_text() == "150000 100000\n"


def test_a_limit_of_0_is_not_written(split):
    CGroup("one", split).create(CLASS._replace(processes=0, cpus=0))
    assert not (split / "pids/one/pids.max").exists()
    assert not (split / "cpu/one/cpu.cfs_quota_us").exists()


def test_processes_of_groups_below_are_found(split):
    for folder, ids in (("pids/one", ""), ("pids/one/buildkit/x", "12\n13\n")):
        (split / folder).mkdir(parents=True)
        (split / folder / "cgroup.procs").write_text(ids)
    assert CGroup("one", split).processes() == {12, 13}


@pytest.mark.parametrize(("used", "full"), [(0, False), (GB // 2, False), (GB - 1000, True)])
def test_full_memory_is_noticed_in_version_1(split, used, full):
    group = CGroup("one", split)
    group.create(CLASS)
    (split / "memory/one/memory.max_usage_in_bytes").write_text(f"{used}\n")
    assert group.ran_out_of_memory is full


@pytest.mark.parametrize(("kills", "full"), [(0, False), (2, True)])
def test_full_memory_is_noticed_in_version_2(unified, kills, full):
    group = CGroup("one", unified)
    group.create(CLASS)
    (unified / "one/memory.events").write_text(f"low 0\nmax 7\noom_kill {kills}\n")
    assert group.ran_out_of_memory is full


@pytest.mark.parametrize(
    ("file", "text", "full"),
    [
        ("pids.peak", "511\n", False),
        ("pids.peak", "512\n", True),
        ("pids.events", "max 0\n", False),
        ("pids.events", "max 3\n", True),
    ],
)
def test_a_full_group_is_noticed(split, file, text, full):
    group = CGroup("one", split)
    group.create(CLASS)
    (split / "pids/one" / file).write_text(text)
    assert group.ran_out_of_processes is full


def test_every_folder_of_a_group_is_removed(split):
    for controller in ("memory", "freezer"):
        (split / controller / "one/buildkit/x").mkdir(parents=True)
    (split / "memory/other").mkdir()
    CGroup("one", split).remove()
    assert [path.name for path in split.glob("*/*")] == ["other"]


def test_two_evaluations_get_different_groups(split):
    with cgroups.reserve(split) as first, cgroups.reserve(split) as second:
        assert first
        assert second
        assert first.name != second.name
        # In use: not removed for an evaluation that was killed.
        (split / "memory" / first.name).mkdir()
        cgroups.remove_unused(first.name, split)
        assert (split / "memory" / first.name).exists()
    assert not (split / "memory" / first.name).exists()


def test_the_group_of_an_evaluation_that_was_killed_is_removed(split):
    (split / "memory/workshop-build-63").mkdir()
    cgroups.remove_unused("workshop-build-63", split)
    assert not (split / "memory/workshop-build-63").exists()


def test_the_processes_of_an_evaluation_that_was_killed_are_killed(split):
    (split / "pids/workshop-build-62").mkdir()
    with subprocess.Popen(["sleep", "600"]) as process:
        (split / "pids/workshop-build-62/cgroup.procs").write_text(f"{process.pid}\n")
        cgroups.remove_unused("workshop-build-62", split)
        assert process.wait(30) == -signal.SIGKILL


@pytest.mark.parametrize("name", ["docker", "workshop-build-0/../docker"])
def test_a_name_of_something_else_is_never_removed(split, name):
    (split / "memory/docker").mkdir()
    cgroups.remove_unused(name, split)
    assert (split / "memory/docker").exists()
