"""The facts about this machine and this checkout that a result is stored with."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from pathlib import Path

from workshop.core.paths import ROOT
from workshop.site.measurements import Machine

# A change there does not change what is measured.
UNRELATED = (":!docs", ":!benchmarks/results", ":!*.md")


def describe(engine: str, load_before: float) -> Machine:
    """Describe this machine, with the version of its engine; `load_before` is the load then."""
    return Machine(
        # Without what a distribution or a cloud adds to the version of its kernel.
        system=f"{_distribution()}, kernel {platform.release().partition('-')[0]}",
        processor=_processor(),
        cores=os.cpu_count() or 1,
        memory=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        python=platform.python_version(),
        engine=engine,
        load=(round(load_before, 2), round(read_load(), 2)),
    )


def read_load() -> float:
    """Return how many processes wanted to run, on average, in the last minute."""
    return os.getloadavg()[0]


def read_commit() -> tuple[str, bool]:
    """Return the commit of this checkout, shortened, and whether its code has changed since.

    A checkout without git has the commit `unknown`.
    """
    commit = _git("rev-parse", "--short=10", "HEAD").strip() or "unknown"
    return commit, bool(_git("status", "--porcelain", "--", ".", *UNRELATED).strip())


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(
            ("git", *arguments), cwd=ROOT, capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        return ""
    return "" if done.returncode else done.stdout


def _distribution() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        return platform.system()


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    text = cpuinfo.read_text(encoding="utf-8") if cpuinfo.exists() else ""
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return found[1] if found else platform.machine()
