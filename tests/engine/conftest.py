"""Fixtures for the tests of images and containers."""

from __future__ import annotations

import os
import re
import secrets
import shutil
from typing import TYPE_CHECKING

import pytest
from harness import ROOT, docker

from workshop.stack.images import EXTRA_IMAGES, IMAGES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from workshop.engine import Engine


@pytest.fixture(scope="session")
def built(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """Build an image of the kit by name, once for all test workers; return the name."""
    known = {image.name: image for image in IMAGES + EXTRA_IMAGES}
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID") or secrets.token_hex(4)
    done = tmp_path_factory.getbasetemp().parent / f"built-{run}"
    done.mkdir(exist_ok=True)

    def build(name: str) -> str:
        mark = done / name.replace(":", "-")
        if not mark.exists():
            engine.build(known[name].build(ROOT))
            mark.touch()
        return name

    return build


@pytest.fixture
def run_tests_of(engine: Engine, pytestconfig: pytest.Config) -> Callable[[str], None]:
    """Run the tests in an image; an image that has passed is not run again (see --cache-clear)."""

    def run_tests(image: str) -> None:
        identity = engine.inspect(image, "{{.Id}}").replace(":", "-")
        if not pytestconfig.cache.get(f"workshop/passed/{identity}", default=False):
            assert re.search(r"\d+ passed", docker("run", "--rm", image))
            pytestconfig.cache.set(f"workshop/passed/{identity}", value=True)

    return run_tests


@pytest.fixture
def network(engine: Engine, tmp_path: Path) -> Iterator[str]:  # noqa: ARG001 - needs an engine
    """A separate network for the test."""
    name = f"workshop-test-{tmp_path.name}"
    docker("network", "create", name)
    yield name
    docker("network", "rm", name)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A second checkout: the kit's compose files and services, in a temporary folder."""
    ignore = shutil.ignore_patterns(".env", "__pycache__", ".pytest_cache", ".venv")
    shutil.copytree(ROOT / "services", tmp_path / "services", ignore=ignore)
    for file in ("docker-compose.yml", "docker-compose.debug.yml", "docker-compose.part-3.yml"):
        shutil.copy(ROOT / file, tmp_path)
    return tmp_path
