"""A real pack of one service: the same bytes twice, and an interruption loses nothing."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys

import pytest
from harness import ROOT, run, until

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("engine")]

PACK = (sys.executable, "-m", "workshop", "pack", "--service", "basic-python", "--out")


@pytest.fixture(autouse=True)
def _skopeo() -> None:
    if not shutil.which("skopeo"):
        pytest.skip("skopeo is missing")


def test_two_packs_of_one_commit_have_the_same_bytes(tmp_path):
    for name in ("first.tar", "second.tar"):
        run(*PACK, str(tmp_path / name), cwd=ROOT, timeout=1800)
    run("cmp", str(tmp_path / "first.tar"), str(tmp_path / "second.tar"))
    checked = run(*PACK[:4], "--check", str(tmp_path / "first.tar"), cwd=ROOT).stdout
    assert "every byte is right: 1 images for" in checked


def test_an_interrupted_pack_keeps_what_has_arrived(tmp_path):
    env = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    store = tmp_path / "cache/workshop/packs"
    packing = subprocess.Popen(
        (*PACK, str(tmp_path / "pack.tar")),
        cwd=ROOT,
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        until(lambda: store.is_dir() and len([*store.iterdir()]) > 20, "20 files", 600)
    finally:
        packing.send_signal(signal.SIGINT)
        _, error = packing.communicate(timeout=60)
    assert packing.returncode == 130
    assert "Traceback" not in error
    assert not [*tmp_path.glob("pack.tar*")]
    kept = {path.name: path.stat().st_mtime_ns for path in store.glob("?" * 64)}
    run(*PACK, str(tmp_path / "pack.tar"), cwd=ROOT, env=env, timeout=1800)
    assert kept
    for name, modified in kept.items():
        assert (store / name).stat().st_mtime_ns == modified
