from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from causes.examples import HERE, RUNS, diagnose, examples

from workshop.grading import causes
from workshop.grading.causes import Line

if TYPE_CHECKING:
    from pathlib import Path

    from causes.examples import Example

    from workshop.grading.causes import Cause

EXAMPLES = examples()
RECORDED = [(example, output) for example in EXAMPLES for output in example.outputs]
MAX_TEXT = 300
MIN_CAUSES = 40

# Output of real programs, and a part of what a learner reads about it.
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
    ("PermissionError: [Errno 13] Permission denied: '/data/x.db'", "/data/x.db"),
]

every_cause = pytest.mark.parametrize("cause", causes.table(), ids=lambda cause: cause.id)
every_output = pytest.mark.parametrize(
    ("example", "output"), RECORDED, ids=[example.cause.id for example, _ in RECORDED]
)


def describe(output: str, lines: tuple[Line, ...] = ()) -> str:
    found = causes.diagnose(output, lines)
    return f"{found.message} {found.fix}" if found else ""


@pytest.mark.parametrize(("output", "text"), OUTPUTS, ids=[text for _, text in OUTPUTS])
def test_a_known_failure_is_described(output: str, text: str):
    assert text in describe(f"step RUN x failed: {output}\nlast line")


@pytest.mark.parametrize("output", ["", "Killed", "exit code 1", "Traceback (most recent call)"])
def test_an_unknown_failure_has_no_cause(output: str):
    assert causes.diagnose(output) is None


@every_output
def test_a_recorded_output_has_its_cause(example: Example, output: str, tmp_path: Path):
    found = diagnose(example, tmp_path, output)
    assert found
    assert found.cause.id == example.cause.id
    for text in (found.message, found.fix):
        assert len(text) <= MAX_TEXT
        assert not re.search(r" \(\)|  |^[ ,:]|(?<!\$)\{", text), text


def test_every_cause_has_one_example():
    assert [example.cause for example in EXAMPLES] == [*causes.table()]
    assert len(EXAMPLES) >= MIN_CAUSES


def test_ids_are_unique():
    assert not [name for name, n in Counter(c.id for c in causes.table()).items() if n > 1]


def test_the_table_is_sorted_by_stage():
    stages = [causes.STAGES.index(cause.stage) for cause in causes.table()]
    assert stages == sorted(stages)


@every_cause
def test_a_cause_is_complete(cause: Cause):
    assert re.fullmatch(r"[a-z0-9-]+", cause.id)
    assert cause.source.startswith("https://")
    assert not cause.title.endswith(".")
    for text in (cause.message, cause.fix):
        assert text
        assert len(text) <= MAX_TEXT


@every_cause
def test_a_text_uses_only_groups_of_its_pattern(cause: Cause):
    names = {*re.findall(r"(?<!{){(\w+)}", f"{cause.message} {cause.fix}")}
    assert names <= {*re.compile(cause.pattern).groupindex}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.cause.id)
def test_an_example_is_broken_and_fixed(example: Example):
    assert example.outputs
    assert example.broken
    assert example.fixed != {name: example.broken.get(name) for name in example.fixed}
    assert example.run in {*RUNS.values(), "up --detach", "build web"}


def test_examples_are_sorted_into_files():
    assert {path.stem for path in HERE.glob("*.toml")} == {*causes.STAGES}


def test_the_last_error_counts():
    output = "mkdir: cannot create directory '/x': Permission denied\n/bin/sh: 1: git: not found"
    found = causes.diagnose(output)
    assert found
    assert found.cause.id == "program-not-installed"


def test_of_two_causes_in_a_line_the_longer_match_counts():
    found = causes.diagnose("socket.gaierror: [Errno -3] Temporary failure in name resolution")
    assert found
    assert found.cause.id == "unknown-host"


def test_a_general_cause_counts_only_without_another_one():
    killed = "did not complete successfully: exit code: 127"
    assert "exit code 127" in describe(killed).lower()
    assert "git" in describe(f"/bin/sh: 1: git: not found\n{killed}")


def test_errors_that_follow_from_a_missing_network_are_not_the_cause():
    output = "Temporary failure in name resolution\nERROR: No matching distribution found for flask"
    assert "network" in describe(output)


def test_a_line_of_the_file_confirms_a_cause_and_is_to_blame():
    lines = (Line(1, "RUN << EOF"), Line(2, "pip --version"))
    found = causes.diagnose("unknown instruction: pip", lines)
    assert found
    assert (found.cause.id, found.line) == ("heredoc-space", 1)


def test_without_its_stage_a_cause_is_not_looked_for():
    assert causes.diagnose("unknown instruction: pip", stages=("start",)) is None


def test_only_the_start_of_a_line_and_the_end_of_an_output_are_read():
    cause = "unknown instruction: EVN"
    assert describe(f"{'x' * causes.MAX_OUTPUT}\n{cause}")
    assert not describe(f"{'x' * causes.MAX_LINE}{cause}")
    assert not describe(cause + "\nx" * causes.MAX_OUTPUT)


def test_a_long_value_is_shortened():
    assert len(describe(f"unknown instruction: {'x' * 5000}")) < 2 * MAX_TEXT
