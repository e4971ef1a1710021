"""`make` and `task` rebuild an environment that was copied from another checkout, and only that."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from harness import ROOT

from workshop.machine import bootstrap

BOOTSTRAP = "workshop/machine/bootstrap.py"
PACKAGES = "lib/python3.11/site-packages"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout whose environment runs its own code."""
    folder = tmp_path / "checkout"
    (folder / BOOTSTRAP).parent.mkdir(parents=True)
    for file in ("Makefile", "Taskfile.yaml", "requirements.txt", BOOTSTRAP):
        shutil.copyfile(ROOT / file, folder / file)
    (folder / ".venv/bin").mkdir(parents=True)
    (folder / ".venv" / PACKAGES).mkdir(parents=True)
    (folder / ".venv/bin/python").symlink_to(sys.executable)
    (folder / ".venv" / PACKAGES / "workshop.pth").write_text(f"{folder}\n")
    (folder / ".venv/.ready").touch()
    return folder


@pytest.fixture
def copy(checkout: Path) -> Path:
    """A copy of it, made with `cp -r`, with an environment that looks up to date."""
    folder = checkout.with_name("copy")
    shutil.copytree(checkout, folder, symlinks=True)
    (folder / ".venv/.ready").touch()
    return folder


def rebuilds_with_make(folder: Path) -> bool:
    done = subprocess.run(
        ("make", "--dry-run", "doctor"), cwd=folder, capture_output=True, text=True, check=True
    )
    assert "task --exit-code doctor" in done.stdout
    return BOOTSTRAP in done.stdout


def rebuilds_with_task(folder: Path) -> bool:
    argv = (str(Path(sys.executable).with_name("task")), "--dry", "--verbose", "doctor")
    done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=True)
    assert "workshop doctor" in done.stderr
    return f"[environment] python3 {BOOTSTRAP}" in done.stderr


REBUILDS = pytest.mark.parametrize("rebuilds", [rebuilds_with_make, rebuilds_with_task])


@REBUILDS
def test_the_environment_of_a_checkout_is_kept(rebuilds, checkout: Path):
    assert not rebuilds(checkout)


@REBUILDS
def test_a_copied_environment_is_rebuilt(rebuilds, copy: Path):
    assert rebuilds(copy)


@REBUILDS
def test_the_environment_of_a_checkout_that_was_moved_is_rebuilt(rebuilds, checkout: Path):
    assert rebuilds(checkout.rename(checkout.with_name("moved")))


@REBUILDS
def test_an_incomplete_environment_is_rebuilt(rebuilds, checkout: Path):
    (checkout / ".venv" / PACKAGES / "workshop.pth").unlink()
    assert rebuilds(checkout)


@REBUILDS
def test_a_missing_environment_is_built(rebuilds, checkout: Path):
    shutil.rmtree(checkout / ".venv")
    assert rebuilds(checkout)


@REBUILDS
def test_a_linked_environment_is_kept(rebuilds, checkout: Path, copy: Path):
    shutil.rmtree(copy / ".venv")
    (copy / ".venv").symlink_to(checkout / ".venv")
    assert not rebuilds(copy)


@REBUILDS
def test_a_checkout_that_is_reached_through_a_link_is_kept(rebuilds, checkout: Path):
    link = checkout.with_name("link")
    link.symlink_to(checkout)
    assert not rebuilds(link)


def test_one_line_names_the_other_checkout(checkout: Path, copy: Path):
    # A machine whose Python cannot create an environment.
    script = (
        "import runpy, subprocess, sys; subprocess.call = lambda *_, **__: 1; "
        "runpy.run_path(sys.argv.pop(), run_name='__main__')"
    )
    argv = (sys.executable, "-c", script, str(copy / BOOTSTRAP))
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout == (
        f"Setting up .venv again: it runs the code of {checkout}, not of this checkout\n"
    )


def test_a_linked_environment_is_never_cleared(checkout: Path, copy: Path):
    shutil.rmtree(copy / ".venv")
    (copy / ".venv").symlink_to(checkout / ".venv")
    before = sorted((checkout / ".venv").rglob("*"))
    done = subprocess.run(
        (sys.executable, str(copy / BOOTSTRAP)), capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.startswith(f".venv: it is a link to {os.path.realpath(checkout / '.venv')}")
    assert sorted((checkout / ".venv").rglob("*")) == before


def test_the_kits_environment_names_its_checkout():
    assert (Path(bootstrap.find_owner()) / BOOTSTRAP).is_file()
