"""Which limits the engine enforces, remembered until this machine or the engine restarts."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from workshop.grading import enforcement
from workshop.grading.enforcement import PROXY
from workshop.grading.limits import UNLIMITED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workshop.engine import Engine
    from workshop.grading.cache import Cache
    from workshop.grading.limits import Limits

# The file beside the marks.
NAME = "limits.json"
_BOOT = Path("/proc/sys/kernel/random/boot_id")
_CODE = Path(__file__).parent


def find_limits(engine: Engine, cache: Cache, *, again: bool = False) -> dict[str, bool]:
    """Return which limits hold, by their names: from the cache, or by trying them.

    They are tried `again` if that is requested, and after each start of the machine, for another
    engine or user, or with other code. Raise `UserError` if they cannot be tried.
    """
    key = _key(engine)
    known = cache.get_value(*key) if key and not again else None
    if known is None:
        known = enforcement.probe(engine, cache)
        if key:
            cache.put_value(known, *key)
    return {str(name): bool(held) for name, held in known.items()}


def find_fault(held: Mapping[str, bool]) -> str:
    """Return what an engine does wrong, as the end of a sentence; empty if it enforces all."""
    missing = [name for name, holds in held.items() if not holds]
    return f"does not enforce these limits: {', '.join(missing)}" if missing else ""


def adapt(limits: Limits, held: Mapping[str, bool]) -> Limits:
    """Return the limits to grade with.

    Where a build cannot reach the proxy, it needs another network to install packages.
    """
    return limits if held.get(PROXY, True) else limits._replace(packages=UNLIMITED)


def write(held: Mapping[str, bool], folder: Path) -> Path:
    """Write the limits beside the marks: `{"NAME": true}` if the limit holds."""
    file = folder / NAME
    file.write_text(json.dumps(held, indent=2) + "\n", encoding="ascii")
    return file


def read(folder: Path) -> dict[str, bool]:
    """Return the limits that held when a folder of marks was last graded; none if unknown."""
    with contextlib.suppress(OSError, ValueError):
        found = json.loads((folder / NAME).read_text(encoding="ascii"))
        return {str(name): bool(holds) for name, holds in found.items()}
    return {}


def _key(engine: Engine) -> tuple[str, ...]:
    """Return what the limits depend on; empty if this machine does not tell it."""
    info = engine.info()
    boot = ""
    with contextlib.suppress(OSError):
        boot = _BOOT.read_text(encoding="ascii").strip()
    if not boot or not info or not info.id:
        return ()
    code = hashlib.sha256()
    for file in sorted(_CODE.glob("*.py")):
        code.update(file.read_bytes())
    return (
        "limits",
        info.id,
        info.version,
        boot,
        str(getattr(os, "getuid", int)()),
        code.hexdigest(),
    )
