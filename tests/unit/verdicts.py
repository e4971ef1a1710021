"""A fake verdict with a result of each outcome."""

from __future__ import annotations

from workshop.model import Check, LintWarning, Outcome, Recipe, Result, Task, Verdict

TEXTS = {"lesson": "some/lesson", "why": "It matters.", "hint": "Try that.", "judge": print}


def fake_check(number: int, needs: str = "app") -> Check:
    return Check(f"check-{number}", f"Requirement {number} " + "word " * 20, needs, 2, **TEXTS)


CHECKS = (fake_check(1, "source"), fake_check(2), fake_check(3), fake_check(4))
TASK = Task("task-0", "do something", "some/lesson", "folder", ("Dockerfile",), (Recipe(),), CHECKS)
FAILED = Result(
    CHECKS[1],
    Outcome.FAILED,
    actual="it ended with code 1:\nTraceback <&>\n" + "x" * 200,
    expected="a server",
    why="It matters.",
    hint="Try that.",
    line=3,
    file="Dockerfile",
)
RESULTS = (
    Result(CHECKS[0], Outcome.PASSED),
    FAILED,
    Result(CHECKS[2], Outcome.SKIPPED, "not checked"),
    Result(CHECKS[3], Outcome.ERROR, "the engine stopped"),
)
VERDICT = Verdict(TASK, RESULTS, lint_warnings=(LintWarning(4, "DL3000", "Use absolute WORKDIR"),))
GRADED = Verdict(TASK, RESULTS[:3])
PASSED = Verdict(TASK, tuple(Result(check, Outcome.PASSED) for check in CHECKS))
