"""Grades one submission of a class on an engine, as `workshop check` does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workshop.analysis import source
from workshop.cohort import answer
from workshop.cohort.run import Graded, ungradable
from workshop.core.errors import UserError
from workshop.grading import grade, lint
from workshop.grading.evaluation import Evaluation
from workshop.grading.limits import CLASS
from workshop.reports import json
from workshop.tasks import course

if TYPE_CHECKING:
    from collections.abc import Callable

    from workshop.analysis.source import Source
    from workshop.cohort.submission import Submission
    from workshop.engine import Engine
    from workshop.grading.cache import Cache
    from workshop.grading.limits import Limits
    from workshop.model import Verdict

_STOPPED = "the Docker engine stopped while it was graded"
# Errors after which other submissions cannot be graded either, while the engine answers.
_ENGINE_ERRORS = ("the disk is full", "stopped answering", "has no network for builds")


class Grader:
    """Grades submissions; several threads may call it at once.

    `on_line` receives BuildKit's output with the submission that is being built. `limits` are
    those of a class by default.
    """

    def __init__(
        self,
        engine: Engine,
        cache: Cache,
        on_line: Callable[[Submission, str], None] = lambda _submission, _line: None,
        limits: Limits = CLASS,
    ) -> None:
        self._engine, self._cache, self._on_line = engine, cache, on_line
        self._limits = limits

    def __call__(self, submission: Submission) -> Graded:
        """Build, run and grade a submission; a submission that cannot be read is ungradable.

        A verdict counts only if the engine did not stop meanwhile, unless every check has passed.
        """
        # First: the folder may change while it is graded.
        files = answer.read(submission)
        instance = self._engine.instance()
        graded = self._try(submission)._replace(files=files)
        if graded.document["outcome"] == "passed" or not self._has_stopped(instance):
            return graded
        return Graded(ungradable(submission.task, _STOPPED), engine_failed=True, files=files)

    def _try(self, submission: Submission) -> Graded:
        try:
            verdict = self._grade(submission)
        except (UserError, OSError) as error:
            return Graded(ungradable(submission.task, str(error)))
        except Exception as error:  # noqa: BLE001 - a bug in the kit must not end the class
            return Graded(ungradable(submission.task, f"the kit itself failed: {error!r}"))
        document = json.document(verdict)
        return Graded(document, verdict.outcome == "ungradable" and _is_engine_error(verdict))

    def _grade(self, submission: Submission) -> Verdict:
        found = source.find(course.task(submission.task), submission.folder)
        file = found.folder / course.reference(submission.task).name
        is_dockerfile = file.name.startswith("Dockerfile") and not file.is_symlink()
        read_warnings = lint.start_hadolint([file] if is_dockerfile else [])
        try:
            verdict = grade.confirmed(lambda: self._evaluate(found, submission))
        finally:
            warnings = lint.collect(read_warnings, file, found.task)
        return verdict._replace(lint_warnings=warnings)

    def _evaluate(self, found: Source, submission: Submission) -> Verdict:
        def on_line(line: str) -> None:
            self._on_line(submission, line)

        with Evaluation(
            self._engine, found, self._cache, on_line=on_line, limits=self._limits, is_shared=True
        ) as evaluation:
            return grade.full(evaluation)

    def _has_stopped(self, instance: str) -> bool:
        """Whether the engine has stopped since it was this instance: it may run again by now."""
        now = self._engine.instance()
        return now != instance or (not now and self._engine.info() is None)


def _is_engine_error(verdict: Verdict) -> bool:
    """Whether other submissions cannot be graded either."""
    texts = [verdict.note, *(result.actual for result in verdict.results)]
    return any(sign in text for sign in _ENGINE_ERRORS for text in texts)
