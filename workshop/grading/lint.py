"""hadolint's warnings about a Dockerfile, which never cost points."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from workshop.core.paths import MAX_TEXT, ROOT
from workshop.core.sanitise import plain
from workshop.model import LintWarning

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

TIMEOUT_SECONDS = 20.0
MAX_WARNINGS = 8

# hadolint could not parse a file that Docker may still build.
_PARSE_ERROR = "DL1000"


def start_hadolint(dockerfiles: Sequence[Path]) -> Callable[[], tuple[LintWarning, ...]]:
    """Start hadolint on the first file; return a function that waits for its warnings.

    If hadolint is missing, fails or takes too long, there are no warnings. It gets regular files
    of at most `MAX_TEXT` bytes: opening a FIFO would wait until somebody writes into it.
    """
    program = Path(sys.executable).parent / "hadolint"
    config = f"--config={ROOT / '.hadolint.yaml'}"
    argv = [str(program), config, "--format=json", "--no-fail", "-"]
    try:
        status = dockerfiles[0].stat()
        if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_TEXT:
            return tuple
        with dockerfiles[0].open("rb") as file:
            process = subprocess.Popen(
                argv, stdin=file, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
    except (OSError, IndexError):
        return tuple

    def read_warnings() -> tuple[LintWarning, ...]:
        import json  # noqa: PLC0415 - imported while hadolint runs

        try:
            output, _ = process.communicate(timeout=TIMEOUT_SECONDS)
            found = json.loads(output)
        except (subprocess.TimeoutExpired, ValueError):
            return ()
        finally:
            process.kill()
            process.wait()
        return tuple(
            LintWarning(item["line"], item["code"], plain(item["message"]))
            for item in found
            if item["code"] != _PARSE_ERROR
        )[:MAX_WARNINGS]

    return read_warnings
