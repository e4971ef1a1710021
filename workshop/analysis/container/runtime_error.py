"""The reason why the engine could not start a container, without the engine's own wrapping."""

from __future__ import annotations

import re

# runc's reason stands at the end of a chain such as "failed to create task for container: failed
# to create shim task: OCI runtime create failed: runc create failed: ...".
_WRAPPING = re.compile(r".*?(?=(?:exec|error mounting|mkdir|chdir|unable to find user)\b)")
_DAEMON = "Error response from daemon: "
_HELP = re.compile(r"Run 'docker run --help' for more information\.?")


def strip_wrapping(reason: str) -> str:
    """Return the reason that a message of the engine ends with."""
    return _WRAPPING.sub("", reason.rpartition(_DAEMON)[2], count=1).removesuffix(": unknown")


def strip_output(lines: list[str]) -> list[str]:
    """Return the output of `docker run` with the engine's own message reduced to its reason.

    Without such a message, the output is a program's, and stays as it is.
    """
    if not any(_DAEMON in line for line in lines):
        return lines
    kept = [line for line in lines if line.strip() and not _HELP.fullmatch(line.strip())]
    return [strip_wrapping(line) if _DAEMON in line else line for line in kept]
