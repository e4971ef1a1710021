from __future__ import annotations

from io import StringIO

import pytest
from unit.verdicts import FAILED, GRADED, PASSED, TASK, VERDICT

from workshop.model import NOT_CHECKED, Outcome, Result, Verdict
from workshop.reports import terminal


def text(verdict, columns: int = 80) -> str:
    return "\n".join(line for line, _ in terminal.format_lines(verdict, columns))


@pytest.mark.parametrize("columns", [40, 60, 80, 100])
def test_no_line_is_wider_than_the_terminal(columns: int):
    assert max(len(line) for line in text(VERDICT, columns).splitlines()) <= columns


def test_each_outcome_is_clear_without_colour():
    shown = text(VERDICT)
    for label in ("passed   2/2", "FAILED   0/2", "skipped  0/2", "ERROR    0/2"):
        assert label in shown


def test_a_failure_has_every_field():
    shown = text(GRADED)
    for line in (
        "actual    it ended with code 1:",
        "expected  a server",
        "where     Dockerfile, line 3",
        "why       It matters.",
        "hint      Try that.",
        "lesson    some/lesson",
    ):
        assert line in shown


def test_a_known_cause_comes_first_and_replaces_the_reason_of_the_check():
    result = FAILED._replace(cause="copy-missing", why="The build context has no app.py.")
    lines = [line.strip() for line in text(VERDICT._replace(results=(result,))).splitlines()]
    labels = [line.split()[0] for line in lines if line.startswith(("cause", "actual", "why"))]
    assert labels == ["cause", "actual"]
    assert "cause     The build context has no app.py." in lines


def test_an_empty_field_is_left_out():
    shown = text(VERDICT._replace(results=(FAILED._replace(why=""),)))
    assert "why" not in shown


def test_checks_that_were_not_run_share_one_line():
    skipped = Result(TASK.checks[0], Outcome.SKIPPED, f"{NOT_CHECKED}The image builds")
    verdict = GRADED._replace(results=(*GRADED.results, skipped, skipped))
    assert text(verdict).count("The image builds") == 1
    assert "2 checks were not run, because this failed: The image builds" in text(verdict)


def test_lines_of_program_output_are_not_wrapped():
    assert "| Traceback" in text(GRADED)


def test_lint_warnings_have_a_heading():
    assert "hadolint warnings, which cost no points:" in text(VERDICT)
    assert "line 4: Use absolute WORKDIR (DL3000)" in text(VERDICT)
    assert "hadolint" not in text(GRADED)


@pytest.mark.parametrize(
    ("verdict", "start"),
    [
        (PASSED, "8 of 8 points: everything passed."),
        (GRADED, "2 of 8 points: 1 failed."),
        (VERDICT, "Not graded: the kit could not run every check"),
        (GRADED._replace(note="no engine"), "Not graded: no engine"),
        (GRADED._replace(static=True), "1 failed; 1 check needs a build: "),
        (Verdict(TASK, (), static=True), "No static check failed"),
    ],
)
def test_the_last_line_is_a_summary(verdict, start: str):
    assert terminal.summarise(verdict).startswith(start)
    assert start[:30] in text(verdict)


def test_the_first_failure_is_named_after_the_points():
    *_, points, first, second = text(GRADED).splitlines()
    assert points == "2 of 8 points: 1 failed."
    assert f"{first} {second}".startswith("First: Requirement 2 word")
    assert second.endswith("(Dockerfile, line 3)")
    failed = FAILED._replace(line=None)
    assert text(Verdict(TASK, (failed,))).endswith("word")
    assert "First: " not in text(PASSED)


def test_a_static_verdict_counts_only_the_checks_that_a_build_can_run():
    skipped = Result(TASK.checks[0], Outcome.SKIPPED, f"{NOT_CHECKED}The file exists")
    verdict = GRADED._replace(static=True, results=(FAILED, skipped))
    assert terminal.summarise(verdict) == "1 failed."


def test_a_file_gets_plain_lines():
    stream = StringIO()
    terminal.print_verdict(GRADED, stream)
    assert "\x1b" not in stream.getvalue()
    assert FAILED.expected in stream.getvalue()


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("no_color", ["", "1"])
def test_a_terminal_gets_colours_unless_no_color_is_set(no_color, monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", no_color)
    stream = Terminal()
    terminal.print_verdict(PASSED, stream)
    assert ("\x1b[32m" in stream.getvalue()) is not bool(no_color)
    assert "everything passed" in stream.getvalue()
