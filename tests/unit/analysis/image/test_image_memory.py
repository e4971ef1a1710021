"""A hostile archive is read, or refused, in bounded memory."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from harness import ROOT
from hostile_image import CASES

pytestmark = pytest.mark.slow

MOST_KB = 300_000


@pytest.mark.parametrize("name", CASES)
def test_a_hostile_archive_takes_bounded_memory(name, record_property):
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    done = subprocess.run(
        [sys.executable, str(ROOT / "tests/hostile_image.py"), name],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    found, peak = done.stdout.splitlines()
    record_property("peak_kb", int(peak))
    assert ("its archive is unreadable" in found) == (name == "nested_documents"), found
    assert int(peak) <= MOST_KB
