"""Runs programs for arm64 on this machine, with QEMU's user emulation."""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from harness import run

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path("/proc/sys/fs/binfmt_misc")
NAME = "workshop-arm64"
QEMU = "qemu-aarch64-static"
# mmdebstrap uses arch-test to find out whether this machine can run arm64 programs.
PROGRAMS = {QEMU: "qemu-user-static", "arch-test": "arch-test", "mmdebstrap": "mmdebstrap"}
# The header of an arm64 program, and which of its bytes count: QEMU's scripts/qemu-binfmt-conf.sh.
_MAGIC = r"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00"
_MASK = r"\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff"
# F: the emulator is opened now, so that it also serves containers, which have other files.
# O, C: it gets the program as an open file, and with the program's own permissions.
_FLAGS = "OCF"


def missing() -> str:
    """Return why arm64 cannot be emulated here, or an empty text."""
    if platform.machine() in {"aarch64", "arm64"}:
        return "this machine is an arm64"
    if os.geteuid():
        return "emulating another processor in containers needs root"
    absent = [package for program, package in PROGRAMS.items() if not shutil.which(program)]
    if absent:
        return f"these packages are missing: {' '.join(absent)}"
    if "binfmt_misc" not in Path("/proc/filesystems").read_text(encoding="utf-8"):
        return "this kernel has no binfmt_misc"
    return ""


@contextlib.contextmanager
def emulating() -> Iterator[None]:
    """Let the kernel start arm64 programs in QEMU until the block ends, as far as it did not."""
    with contextlib.ExitStack() as stack:
        if not (FOLDER / "register").exists():
            run("mount", "-t", "binfmt_misc", "binfmt_misc", str(FOLDER))
            stack.callback(run, "umount", str(FOLDER))
        if not any("aarch64" in entry.name for entry in FOLDER.iterdir()):
            entry = f":{NAME}:M::{_MAGIC}:{_MASK}:{shutil.which(QEMU)}:{_FLAGS}"
            (FOLDER / "register").write_text(entry, encoding="ascii")
            stack.callback((FOLDER / NAME).write_text, "-1", encoding="ascii")
        yield
