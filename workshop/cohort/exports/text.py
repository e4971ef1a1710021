"""Makes the text of learners safe for each kind of file that instructors open or upload.

Everything passes the sanitiser first. Then each format escapes what has a meaning in it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from workshop.core.sanitise import LONGEST_LINE, plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workshop.cohort.row import Row

MOST_LINES = 40
LONGEST_TEXT = 50_000  # characters of a text that are read at all

# A spreadsheet runs a cell that begins with one of these, also in full width.
# Source: OWASP, https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA = tuple("=+-@＝＋－＠")  # noqa: RUF001 - the full-width forms are meant
# What Markdown gives a meaning to; a backslash before it takes that away.
# Source: CommonMark 0.31, section 2.4
_MARKDOWN = re.compile(r"[\\`*_{}\[\]<>#&|~!$]|^\s*(?:[-+=]|\d+[.)])|(?<=www)\.|:(?=//)")


def one_line(text: object) -> str:
    """Return a text as one safe line of at most about 500 characters."""
    return plain(" ".join(str(text)[: 8 * LONGEST_LINE].split()))


def some_lines(text: object, most: int = MOST_LINES) -> list[str]:
    """Return the first lines of a text made safe, and a last one if there are more."""
    whole = str(text)
    lines = whole[:LONGEST_TEXT].splitlines()
    safe = [plain(line) for line in lines[:most]]
    is_whole = len(lines) <= most and len(whole) <= LONGEST_TEXT
    return safe if is_whole else [*safe, "... (shortened)"]


def number(value: float) -> str:
    """Format points: whole numbers without a decimal point, others with at most two decimals."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def is_graded(row: Row) -> bool:
    """Whether the row has points: an ungradable one has none unless they were given by hand."""
    return row.outcome != "ungradable" or row.override is not None


def shorten(line: str, longest: int) -> str:
    """Return a line of at most so many characters, and three dots if it was longer."""
    return line if len(line) <= longest else f"{line[:longest]}..."


def csv_cell(text: object) -> str:
    """Return a safe cell of a CSV file: a formula gets an apostrophe in front."""
    line = one_line(text)
    return f"'{line}" if line.startswith(_FORMULA) else line


def markdown(text: object) -> str:
    """Return one line that Markdown shows as it is."""
    return _MARKDOWN.sub(lambda found: _escape(found[0]), one_line(text))


def _escape(found: str) -> str:
    # A number at the start of a line begins a list by what follows the number.
    return f"{found[:-1]}\\{found[-1]}"


def markdown_block(text: object) -> str:
    """Return lines as a fenced block, which nothing in the text can end."""
    lines = some_lines(text)
    longest = max((len(run) for line in lines for run in re.findall("`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return "\n".join((f"{fence}text", *lines, fence))


def place(check: dict[str, Any]) -> str:
    """Return the file and line that a failed check blames, or an empty text."""
    file = one_line(check.get("file") or "")
    line = check.get("line")
    return f"{file or 'Dockerfile'}, line {line:d}" if isinstance(line, int) else file


def failures(row: Row) -> list[dict[str, Any]]:
    """Return the failed checks of a row."""
    return [check for check in checks(row) if check.get("outcome") == "failed"]


def checks(row: Row) -> list[dict[str, Any]]:
    """Return the checks in the verdict of a row: none if it could not be graded at all."""
    return list(row.document.get("checks") or ())


def explain(check: dict[str, Any], most: int = 10) -> str:
    """Return why a check did not pass as plain text, one labelled part after the other."""
    parts = (
        ("actual", "\n".join(some_lines(check.get("actual") or "", most))),
        ("expected", one_line(check.get("expected") or "")),
        ("where", place(check)),
        ("why", one_line(check.get("why") or "")),
        ("hint", one_line(check.get("hint") or "")),
    )
    return "\n".join(f"{label}: {part}" for label, part in parts if part)


def describe_marks(row: Row) -> str:
    """Return the points and the outcome of a row in one line."""
    if not is_graded(row):
        errors = [check.get("actual") for check in checks(row) if check.get("outcome") == "error"]
        reasons = (row.document.get("note"), *errors, row.outcome)
        return f"not graded: {one_line(next(filter(None, reasons)))}"
    by_hand = "" if row.override is None else ", marked by hand"
    points = f"{number(row.points)} of {number(row.max_score)} points"
    return f"{points} ({row.percent} %), {one_line(row.outcome)}{by_hand}"


def summarise(row: Row) -> Iterator[str]:
    """Yield the task with its marks, and then the instructor's comment."""
    yield f"{one_line(row.task)}: {describe_marks(row)}"
    yield from some_lines(row.comment)
