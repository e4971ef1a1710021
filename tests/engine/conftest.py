"""What the tests of images and containers share."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from harness import ROOT, docker

from workshop.catalogue import EXTRA_IMAGES, IMAGES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from workshop.engine import Engine


@pytest.fixture(scope="session")
def built(engine: Engine) -> Callable[[str], str]:
    """Builds an image of the kit by its name, once; returns the name."""
    known = {image.name: image for image in IMAGES + EXTRA_IMAGES}
    done: set[str] = set()

    def build(name: str) -> str:
        if name not in done:
            engine.build(known[name].build(ROOT))
            done.add(name)
        return name

    return build


@pytest.fixture
def network(engine: Engine, tmp_path: Path) -> Iterator[str]:  # noqa: ARG001 - needs an engine
    """A network of the test's own."""
    name = f"workshop-test-{tmp_path.name}"
    docker("network", "create", name)
    yield name
    docker("network", "rm", name)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A second checkout: the kit's compose files and services, in a folder of the test's own."""
    ignore = shutil.ignore_patterns(".env", "__pycache__", ".pytest_cache", ".venv")
    shutil.copytree(ROOT / "services", tmp_path / "services", ignore=ignore)
    for file in ("docker-compose.yml", "docker-compose.debug.yml", "docker-compose.part-3.yml"):
        shutil.copy(ROOT / file, tmp_path)
    return tmp_path
