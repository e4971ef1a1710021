"""A large class is graded and exported in the memory of a small one."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from classroom import hand_in
from fakes import failing_docker
from harness import ROOT

from workshop.core.sizes import MB

pytestmark = pytest.mark.slow

PROGRAM = ROOT / "tests/large_class.py"
PATHS = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
MEASURE = """
import resource, sys
from workshop.cli import main
code = main()
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
sys.exit(code)
"""


def peak(*argv: str, **env: str) -> int:
    """Return the peak memory in bytes that a Python program prints in its last line."""
    done = subprocess.run(
        [sys.executable, *argv],
        env={**os.environ, "PYTHONPATH": PATHS, **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=True,
    )
    return int(done.stdout.splitlines()[-1])


def test_10000_submissions_need_little_more_memory_than_100(tmp_path):
    small = peak(str(PROGRAM), str(tmp_path / "small"), "100")
    large = peak(str(PROGRAM), str(tmp_path / "large"), "10000")
    assert (tmp_path / "large/marks.csv").read_bytes().count(b"\n") == 10_001
    assert len([*(tmp_path / "large/feedback").iterdir()]) == 10_000
    # Of each submission, its learner, digest, key and file names stay in memory: about 1.4 kB. Its
    # verdict alone has 6 kB, and its exports have 50 kB.
    assert large - small < 10_000 * 2_500


def test_500_submissions_through_the_command_need_the_memory_of_50(tmp_path):
    path = failing_docker(tmp_path / "bin")
    peaks = []
    for count in (50, 500):
        folder = tmp_path / str(count)
        for number in range(count):
            hand_in(folder / "submissions" / f"learner-{number}", str(number))
        argv = ("grade", str(folder / "submissions"), "--task=baby-steps", f"--out={folder}/marks")
        paths = {"PATH": path, "XDG_CACHE_HOME": str(folder / "cache")}
        peaks.append(peak("-c", MEASURE, *argv, **paths))
        assert (folder / "marks/marks.csv").read_bytes().count(b"\n") == count + 1
    small, large = peaks
    assert large < 1.2 * small, [f"{found / MB:.0f} MB" for found in peaks]
