from __future__ import annotations

import re

import pytest

from workshop.grading.causes import CAUSES, find_hint

# Output of real programs, and a part of the hint that it must get.
OUTPUTS = [
    ("dockerfile parse error on line 2: unknown instruction: EVN (did you mean ENV?)", "EVN"),
    ("/bin/sh: 1: set: Illegal option -", "CRLF"),
    ("/usr/bin/env: 'bash\\r': No such file or directory", "CRLF"),
    ('step [2/2] COPY x.py ./ failed: "/x.py": not found', "name x.py"),
    ("E: Unable to locate package curll", "curll"),
    ("E: Version '1.0' for 'curl' was not found", "=1.0"),
    ("Do you want to continue? [Y/n] Abort.", "-y"),
    ("error: externally-managed-environment", "virtual environment"),
    ("ERROR: No matching distribution found for flask==99.0", "flask==99.0"),
    ("pyproject.toml changed significantly since poetry.lock was last generated.", "poetry lock"),
    ('The option "--no-dev" does not exist', "--only main"),
    ("Error: The current project could not be installed: No file/folder found", "--no-root"),
    ("Readme path `/app/README.md` does not exist.", "README"),
    ("/bin/sh: 1: poetry: not found", "poetry"),
    ("/bin/sh: 1: pip: not found", "pip"),
    ('exec: "gunicorn": executable file not found in $PATH: unknown', "gunicorn"),
    ('exec: "/start.sh": permission denied: unknown', "chmod"),
    ("exec /start.sh: no such file or directory", "/start.sh"),
    ("exec /start.sh: exec format error", "#!/bin/sh"),
    ("unable to find user app: no matching entries in passwd file", "user app"),
    ("python: can't open file '/app/x.py': [Errno 2] No such file or directory", "/app/x.py"),
    ('Error loading ASGI app. Could not import module "main".', 'Could not import module "main".'),
    ("ModuleNotFoundError: No module named 'flask'", "flask"),
    ("/bin/sh: 1: ['python',: not found", "double quotes"),
    ("[Errno 98] error while attempting to bind: address already in use", "only once"),
    ("Temporary failure in name resolution", "network"),
    ("BlockingIOError: [Errno 11] Resource temporarily unavailable", "fewer processes"),
    ("OSError: [Errno 27] File too large", "Write less"),
    ("PermissionError: [Errno 13] Permission denied: '/data/x.db'", "/data/x.db"),
]


@pytest.mark.parametrize(("output", "hint"), OUTPUTS, ids=[hint for _, hint in OUTPUTS])
def test_a_known_failure_has_its_hint(output: str, hint: str):
    assert hint in find_hint(f"step RUN x failed: {output}\nlast line")


def test_every_cause_is_found():
    found = {find_hint(output) for output, _ in OUTPUTS}
    assert len({hint for hint in found if hint}) >= len(CAUSES)


@pytest.mark.parametrize("output", ["", "Killed", "exit code 1", "Traceback (most recent call)"])
def test_an_unknown_failure_has_no_hint(output: str):
    assert find_hint(output) == ""


@pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: cause.pattern[:30])
def test_a_hint_uses_only_groups_of_its_pattern(cause):
    assert {*re.findall(r"{(\w+)}", cause.hint)} <= {*re.compile(cause.pattern).groupindex}
