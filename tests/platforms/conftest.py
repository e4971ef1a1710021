"""Fixtures of the platforms' tests: virtual machines."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from platforms.virtual_machine import VirtualMachine, missing

from workshop.machine import apt

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session", autouse=True)
def _requested() -> None:
    """Emulated machines take hours on a busy computer: they run only if it is requested."""
    if os.environ.get("RECORD_PLATFORMS", "") in {"", "0"}:
        pytest.skip("only `make platforms` tries other platforms")


def _boot(suite: str, *packages: str) -> Iterator[VirtualMachine]:
    if reason := missing():
        pytest.fail(reason)
    with (
        tempfile.TemporaryDirectory(prefix="workshop-vm-", dir="/var/tmp") as folder,
        VirtualMachine(Path(folder) / "machine", suite, packages) as machine,
    ):
        yield machine


@pytest.fixture(scope="module")
def trixie() -> Iterator[VirtualMachine]:
    """A fresh Debian 13, with an engine, what rootless engines need, and Podman."""
    rootless = ("uidmap", "slirp4netns", "rootlesskit", "fuse-overlayfs", "passt")
    yield from _boot("trixie", *apt.ENGINE, *rootless, "podman")
