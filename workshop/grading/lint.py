"""hadolint's warnings about a Dockerfile, which never cost points."""

from __future__ import annotations

import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from workshop.core.paths import MAX_TEXT, ROOT
from workshop.core.sanitise import plain
from workshop.model import LintWarning

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from workshop.model import Task

TIMEOUT_SECONDS = 20.0
MAX_WARNINGS = 8

# hadolint could not parse a file that Docker may still build.
_PARSE_ERROR = "DL1000"
# Rules that these checks judge too, by what the image contains.
# Source of the rules: github.com/hadolint/hadolint, README, "Rules".
_JUDGED: dict[str, set[str]] = {
    "DL3000": {"working-directory", "has-working-directory"},
    "DL3002": {"runs-as-non-root", "user-is-non-root"},
    "DL3006": {"base-image"},
    "DL3007": {"base-image"},
    "DL3009": {"no-package-lists"},
    "DL3013": {"installs-packages", "pins-packages"},
    "DL3015": {"no-recommended-packages"},
    "DL3025": {"server-is-process-1", "entrypoint-receives-arguments"},
    "DL3042": {"no-pip-cache"},
    "DL3059": {"installs-in-one-layer"},
}
# Rules that hadolint applies to these lines too, where they are wrong: it does not expand
# variables, and a HEALTHCHECK needs a shell for `||`.
_FALSE_ALARMS = {
    "DL3006": re.compile(r"\s*FROM\s.*\$", re.IGNORECASE),
    "DL3025": re.compile(r"\s*HEALTHCHECK\s", re.IGNORECASE),
}


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
        )

    return read_warnings


def collect(
    read_warnings: Callable[[], tuple[LintWarning, ...]], file: Path, task: Task
) -> tuple[LintWarning, ...]:
    """Wait for hadolint's warnings about `file`, and return those that help with the task."""
    warnings = read_warnings()
    text = file.read_text(encoding="utf-8", errors="replace") if warnings else ""
    return select(warnings, task, text)


def select(warnings: Iterable[LintWarning], task: Task, dockerfile: str) -> tuple[LintWarning, ...]:
    """Return the warnings that help with this task, at most `MAX_WARNINGS`.

    Warnings about what a check judges, or what a later task teaches, are left out.
    """
    ids = {check.id for check in task.checks}
    lines = dockerfile.splitlines()

    def helps(warning: LintWarning) -> bool:
        if _JUDGED.get(warning.code, set()) & ids or warning.code in task.taught_later:
            return False
        pattern = _FALSE_ALARMS.get(warning.code)
        line = lines[warning.line - 1] if warning.line <= len(lines) else ""
        return not (pattern and pattern.match(line))

    return tuple(filter(helps, warnings))[:MAX_WARNINGS]
