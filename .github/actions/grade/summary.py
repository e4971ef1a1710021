"""Write the summary of a workflow run from the marks, and one result.json if there is one result.

Run with the machine's Python, so it uses only the standard library.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

# GitHub drops the summary of a step that is longer than 1 MiB, with all of its text.
LONGEST = 1_000_000  # bytes
CUT = b"\n\n*The rest is in the artifact with the marks.*\n"
PASSED, FAILED, NO_MARKS = 0, 1, 2


def main(arguments: list[str] | None = None) -> int:
    """Append the summary to `$GITHUB_STEP_SUMMARY`.

    Return 0, 1 if a learner who gets feedback has not passed, or 2 if there are no marks.
    """
    parser = ArgumentParser(prog="summary", description=__doc__)
    parser.add_argument("marks", type=Path, help="The folder of `workshop grade --out`.")
    parser.add_argument("--feedback", action="store_true", help="The whole feedback, not a table.")
    parsed = parser.parse_args(arguments)
    try:
        marks = json.loads((parsed.marks / "marks.json").read_text(encoding="utf-8"))["marks"]
    except FileNotFoundError:
        fix = "Read the output of the step before this one"
        sys.stderr.write(f"{parsed.marks}/marks.json: nothing was graded. {fix}\n")
        return NO_MARKS
    text = feedback(parsed.marks) if parsed.feedback else table(marks)
    append(Path(os.environ["GITHUB_STEP_SUMMARY"]), text.encode())
    copy_result(parsed.marks)
    is_passed = all(mark["outcome"] == "passed" for mark in marks)
    return FAILED if parsed.feedback and not is_passed else PASSED


def feedback(folder: Path) -> str:
    """Return the feedback of every learner, which the kit has made safe to show as Markdown."""
    files = sorted((folder / "feedback").glob("*.md"))
    return "\n".join(file.read_text(encoding="utf-8") for file in files)


def table(marks: list[dict[str, Any]]) -> str:
    """Return a Markdown table of the marks."""
    rows = ["| learner | task | points | outcome |", "|---|---|--:|---|"]
    for mark in marks:
        points = "" if mark["points"] is None else f"{mark['points']} of {mark['max_points']}"
        cells = (mark["learner"]["id"], mark["task"], points, mark["outcome"])
        rows.append(f"| {' | '.join(map(escape, cells))} |")
    return "\n".join(rows) + "\n"


def escape(text: str) -> str:
    """Return a text that Markdown shows as it is: a learner may be called anything."""
    return "".join(
        character if character.isalnum() else f"&#{ord(character)};" for character in text
    )


def append(file: Path, text: bytes) -> None:
    """Append to the summary as much of the text as GitHub shows."""
    if len(text) > LONGEST:
        whole = text[: LONGEST - len(CUT)].decode(errors="ignore").encode()
        text = whole + CUT
    with file.open("ab") as summary:
        summary.write(text)


def copy_result(folder: Path) -> None:
    """Copy the result for Classroom 50, which takes one task of one learner, to `result.json`."""
    results = list((folder / "classroom50").glob("*/*/result.json"))
    if len(results) == 1:
        shutil.copy(results[0], folder / "result.json")


if __name__ == "__main__":
    sys.exit(main())
