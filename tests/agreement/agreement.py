"""Compare the grader's static checks with a reader's labels of learners' Dockerfiles.

`python tests/agreement/agreement.py FOLDER`: FOLDER has the texts that `sample.toml` names, as
`OWNER/NAME/PATH`, with a `.dockerignore` beside each if there is one.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import tomllib
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent))

from workshop.analysis.source import Source  # noqa: E402 - the path comes first
from workshop.grading import grade  # noqa: E402
from workshop.model import Failed  # noqa: E402
from workshop.tasks import course  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workshop.model import Check

SAMPLE = HERE / "sample.toml"
IGNORE = ".dockerignore"


class Labelled(NamedTuple):
    """A file of the sample: where it is, and its labels by the ids of checks."""

    repo: str
    path: str
    commit: str
    dockerignore: str
    task: str
    labels: dict[str, bool]
    reasons: dict[str, str]


class Comparison(NamedTuple):
    """One label, and what the grader's static check found: nothing if `actual` is empty."""

    file: Labelled
    check: str
    is_met: bool
    actual: str

    @property
    def agrees(self) -> bool:
        """Whether the reader and the grader agree."""
        return self.is_met == (not self.actual)


def read_sample() -> list[Labelled]:
    """Return the files of the sample."""
    rows = tomllib.loads(SAMPLE.read_text(encoding="utf-8"))["file"]
    return [
        Labelled(
            row["repo"],
            row["path"],
            row["commit"],
            row.get("dockerignore", ""),
            row["task"],
            dict.fromkeys(row["met"], True) | dict.fromkeys(row["unmet"], False),
            row.get("reasons", {}),
        )
        for row in rows
    ]


def static_checks(task: str) -> dict[str, Check]:
    """Return the checks of a task that judge the text, by id."""
    found = course.task(task).checks
    return {check.id: check for check in found if check.stage == "source" or check.text}


def compare(file: Labelled, texts: Path) -> Iterator[Comparison]:
    """Yield a comparison for each label of a file; raise `OSError` if its text is missing."""
    task = course.task(file.task)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        original = texts / file.repo / file.path
        (folder / task.answer[0]).write_bytes(original.read_bytes())
        # Without this file, the folder would get that of the starter.
        ignore = original.with_name(IGNORE)
        (folder / IGNORE).write_bytes(ignore.read_bytes() if ignore.is_file() else b"# none\n")
        source = Source(task, folder)
        grade.static(source)  # must not raise
        checks = static_checks(file.task)
        for check, is_met in file.labels.items():
            yield Comparison(file, check, is_met, _judge(checks[check], source))


def _judge(check: Check, source: Source) -> str:
    judge = check.judge if check.stage == "source" else check.text
    assert judge
    try:
        judge(source._replace(of=check.of))
    except Failed as failed:
        return failed.actual
    return ""


def report(comparisons: list[Comparison]) -> Iterator[str]:
    """Yield the lines of the report: the agreement of each requirement, and each disagreement."""
    total = Counter(item.check for item in comparisons)
    agreeing = Counter(item.check for item in comparisons if item.agrees)
    for check in sorted(total):
        yield f"{agreeing[check]:4} of {total[check]:3}  {check}"
    share = 100 * agreeing.total() / total.total()
    yield f"{agreeing.total():4} of {total.total():3}  all: {share:.1f} %"
    for item in comparisons:
        if not item.agrees:
            label = "met" if item.is_met else "unmet"
            reason = item.file.reasons.get(item.check, "")
            yield f"\n{item.file.repo} {item.file.path} ({item.file.task}): {item.check}"
            yield f"  reader: {label}. {reason}".rstrip()
            yield f"  grader: {item.actual or 'found no fault in the text'}"


def main() -> int:
    """Print the report; return 2 if a text is missing."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, help="the texts, as OWNER/NAME/PATH")
    texts = parser.parse_args().folder
    try:
        comparisons = [item for file in read_sample() for item in compare(file, texts)]
    except OSError as error:
        sys.stderr.write(f"{error.filename}: {error.strerror}\n")
        return 2
    sys.stdout.writelines(f"{line}\n" for line in report(comparisons))
    return 0


if __name__ == "__main__":
    sys.exit(main())
