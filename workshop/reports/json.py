"""Formats a verdict as JSON: schema `workshop/verdict/v1`; and the events before it, as lines."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workshop.model import Result, Verdict

SCHEMA = "workshop/verdict/v1"


def format_verdict(verdict: Verdict) -> str:
    """Return the verdict as a JSON object."""
    return json.dumps(document(verdict), indent=2, ensure_ascii=False)


def format_line(kind: str, value: object) -> str:
    """Return an event as one line: a JSON object whose only key is the kind of the event."""
    return json.dumps({kind: value}, ensure_ascii=False)


def document(verdict: Verdict) -> dict[str, Any]:
    """Return the verdict as a dict, in the schema that other programs rely on."""
    return {
        "schema": SCHEMA,
        "task": verdict.task.name,
        "outcome": verdict.outcome,
        "score": verdict.score,
        "max_score": verdict.max_score,
        "static": verdict.static,
        "standin_bases": verdict.standin_bases,
        "note": verdict.note,
        "checks": [
            {**describe_result(result), "already_met": verdict.is_already_met(result)}
            for result in verdict.results
        ],
        "lint": [
            {"line": warning.line, "code": warning.code, "text": warning.text}
            for warning in verdict.lint_warnings
        ],
    }


def describe_result(result: Result) -> dict[str, Any]:
    """Return the result of one check as a dict."""
    return {
        "id": result.check.id,
        "title": result.check.title,
        "stage": result.check.stage,
        "outcome": str(result.outcome),
        "points": result.points,
        "max_points": result.check.points,
        "actual": result.actual,
        "expected": result.expected,
        "cause": result.cause,
        "why": result.why,
        "hint": result.hint,
        "lesson": result.check.lesson,
        "file": result.file,
        "line": result.line,
    }
