"""What hadolint says of a Dockerfile: advice that never costs points."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from workshop.core.paths import ROOT
from workshop.core.sanitise import plain
from workshop.model import LintWarning

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SECONDS = 20.0
MOST = 8

# hadolint's own parser gave up, on a file that Docker may well build.
_PARSE_ERROR = "DL1000"


def ask(dockerfiles: Sequence[Path]) -> Callable[[], tuple[LintWarning, ...]]:
    """Start hadolint on the first file, and go on; what is returned waits for its answer.

    There is no advice where hadolint is missing, fails, or takes too long.
    """
    program = Path(sys.executable).parent / "hadolint"
    config = f"--config={ROOT / '.hadolint.yaml'}"
    words = [str(program), config, "--format=json", "--no-fail", "-"]
    try:
        with dockerfiles[0].open("rb") as text:
            child = subprocess.Popen(
                words, stdin=text, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
    except (OSError, IndexError):
        return tuple

    def answer() -> tuple[LintWarning, ...]:
        import json  # noqa: PLC0415 - hadolint is at work meanwhile

        try:
            said, _ = child.communicate(timeout=SECONDS)
            found = json.loads(said)
        except (subprocess.TimeoutExpired, ValueError):
            return ()
        finally:
            child.kill()
            child.wait()
        return tuple(
            LintWarning(item["line"], item["code"], plain(item["message"]))
            for item in found
            if item["code"] != _PARSE_ERROR
        )[:MOST]

    return answer
