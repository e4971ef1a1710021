"""What a pack needs, and what prevents it, with a scripted engine."""

from __future__ import annotations

import shutil
from io import StringIO

import fakes
import pytest
from rich.console import Console

from workshop.classroom.file_store import Download, FileStore
from workshop.classroom.pack import BaseImage, Options, Packer, Plan
from workshop.core.errors import UserError
from workshop.core.paths import ROOT
from workshop.core.progress import ProgressDisplay
from workshop.core.sizes import GB
from workshop.stack import versions

CLEAN = {"git status": "", "git log": "c0ffee 1795000000\n"}
PINS = versions.read(ROOT / "versions.toml")
OPTIONS = Options(("arm64",), ("linux",), ("degrees_api",))


def packer(tmp_path, answers: dict[str, object]) -> Packer:
    engine, script = fakes.docker({"docker run": "trixie\n", "docker rm": "", **answers})
    display = ProgressDisplay(Console(file=StringIO()))
    store = FileStore(tmp_path / "store")
    return Packer(engine, script, store, display, ROOT, index="https://index.test/simple")


def test_an_architecture_without_images_is_refused(tmp_path):
    inspect = {
        "docker image inspect --format {{.Architecture}}": "amd64",
        "docker image inspect": "python:3.13-slim-trixie",
    }
    with pytest.raises(UserError, match=r"python:3.13-slim-trixie for arm64: only a stand-in"):
        packer(tmp_path, CLEAN | inspect).plan(PINS, OPTIONS)


def test_an_unknown_service_is_refused_with_the_known_ones(tmp_path):
    with pytest.raises(UserError, match=r"no service 'degrees'.*degrees_api, fastapi"):
        packer(tmp_path, CLEAN).plan(PINS, Options(("amd64",), ("linux",), ("degrees",)))


def test_changes_that_are_not_committed_are_refused(tmp_path):
    with pytest.raises(UserError, match=r"README\.md has changes that are not committed"):
        packer(tmp_path, CLEAN | {"git status": " M README.md\n"}).plan(PINS, OPTIONS)


def plan_of(size: int) -> Plan:
    image = BaseImage("a:1", "amd64", "trixie", size, local=True)
    return Plan((image,), (Download("packages/x", "", 5, "0" * 64),), "c0ffee", 0)


def test_a_disk_that_is_too_full_is_reported_before_anything_is_downloaded(tmp_path):
    plan = plan_of(shutil.disk_usage(tmp_path).total)
    with pytest.raises(UserError, match=r"disk under .* free, .* are needed"):
        packer(tmp_path, {}).check_disk(plan, tmp_path / "pack.tar")


def test_the_size_is_that_of_all_packages_and_uncompressed_images(tmp_path):
    assert plan_of(GB).size == GB + 5
    packer(tmp_path, {}).check_disk(plan_of(5), tmp_path / "pack.tar")


def test_a_missing_folder_is_reported(tmp_path):
    with pytest.raises(UserError, match="--out"):
        packer(tmp_path, {}).check_disk(plan_of(5), tmp_path / "missing/pack.tar")
