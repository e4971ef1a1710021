"""Tries which limits hold for the services of a compose file that the kit writes."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from workshop.analysis import compose
from workshop.analysis.container.excess import RunLimits
from workshop.core.sizes import MB

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workshop.engine import Engine
    from workshop.grading.cleanup import ResourceRecord

_LIMITS = RunLimits(output=MB // 10, memory=16 * MB, processes=8, file=MB, cpus=0.03)
_SECONDS = 60.0
# The kernel counts how often it made a container wait for its share of the processors.
BUSY = (
    "timeout 2 sh -c 'while :; do :; done' || true; "
    "! cat /sys/fs/cgroup/cpu.stat /sys/fs/cgroup/cpu/cpu.stat 2>/dev/null "
    "| grep 'nr_throttled [1-9]'"
)
# A service for each limit: it ends well only if nothing limits it.
_PROGRAMS: Mapping[str, str] = {
    "memory": "head -c 64000000 /dev/zero | tail > /dev/null",
    "processes": "i=0; while [ $i -lt 20 ]; do sleep 2 & i=$((i+1)); done; wait",
    "file": "head -c 4000000 /dev/zero > /file",
    "processors": BUSY,
    "network": "test $(wc -l < /proc/net/dev) -gt 3",
    "output": "head -c 500000 /dev/zero | tr '\\0' '\\n'",
}


def probe_services(
    engine: Engine, record: ResourceRecord, base: str, nonce: str
) -> dict[str, bool]:
    """Return whether each limit of a service held; `record` removes the services."""
    project = record.record("projects", f"workshop-probe-{nonce}")
    names = {limit: f"{project}-{limit}-1" for limit in _PROGRAMS}
    for name in names.values():
        record.record("containers", name)
    with tempfile.TemporaryDirectory() as made:
        folder, file = Path(made), Path(made, "limits.json")
        file.write_text(_write_file(base, folder), encoding="ascii")
        arguments = ("--project-name", project, "--file", str(file), "up")
        engine.compose(*arguments, folder=folder, on_line=lambda _: None, timeout=_SECONDS)
    held = {limit: _has_failed(engine, name) for limit, name in names.items()}
    # The engine begins a second file when the first one is full.
    held["output"] = any(os.path.exists(f"{log}.1") for log in engine.log_files([names["output"]]))  # noqa: PTH110 - it also works without the right to look
    return {f"service {limit}": found for limit, found in held.items()}


def _write_file(base: str, folder: Path) -> str:
    services = {
        name: {"image": base, "command": ["sh", "-c", f"set -e; {program}"]}
        for name, program in _PROGRAMS.items()
    }
    found = compose.read(json.dumps({"services": services}).replace("$", "$$"), {})
    images = dict.fromkeys(services, base)
    return compose.emit(found, [*services], images=images, folder=folder, limits=_LIMITS.settings)


def _has_failed(engine: Engine, container: str) -> bool:
    state = engine.state(container)
    return bool(state.get("ExitCode")) and not state.get("Running")
