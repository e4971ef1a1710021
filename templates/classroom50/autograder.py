"""An autograder for Classroom 50, which grades one task of the workshop course.

Classroom 50 runs it in the checkout of a submission. It writes `result.json` (schema
`classroom50/result/v1`) and `release-body.md` there. It exits with 0 if the submission was graded,
whatever its marks; any other exit code means that there is no mark, and nothing is written.

https://github.com/foundation50/classroom50/wiki/Advanced-Autograding describes that contract.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

# The kit that grades, at a commit of your choice.
KIT = "https://github.com/YOUR-ORGANISATION/workshop"
COMMIT = "KIT-COMMIT"
# The tasks of assignments that are not called after their task.
TASKS: dict[str, str] = {}

RESULT, BODY = "result.json", "release-body.md"
COULD_NOT = 2


def main() -> int:
    """Grade the submission in the working directory."""
    checkout, environment = Path.cwd(), os.environ
    for name in (RESULT, BODY):
        remove(checkout / name)
    task = TASKS.get(environment["ASSIGNMENT"], environment["ASSIGNMENT"])
    learner = environment.get("OWNER") or environment["USERNAME"]
    with tempfile.TemporaryDirectory(prefix="workshop-") as name:
        folder = Path(name)
        kit = fetch_kit(folder / "kit")
        submission = folder / "submissions" / learner
        shutil.copytree(checkout, submission, symlinks=True, ignore=only_top(checkout, ".git"))
        run("make", "--silent", "--directory", str(kit), ".venv/.ready")
        grade = (f"{kit}/.venv/bin/workshop", "grade", str(submission.parent), "--task", task)
        run(*grade, "--out", str(folder / "marks"), cwd=folder)
        marks = folder / "marks"
        shutil.copyfile(marks / "classroom50" / task / learner / RESULT, checkout / RESULT)
        shutil.copyfile(marks / "feedback" / f"{learner}.md", checkout / BODY)
    return 0


def remove(path: Path) -> None:
    """Remove a file, link or folder of the learner: it must not pass as a result, or lead away."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def only_top(top: Path, name: str) -> Callable[[str, list[str]], set[str]]:
    """Return a filter that leaves out `name` in the folder `top`, and nothing below it."""

    def ignore(folder: str, names: list[str]) -> set[str]:
        return {name} & set(names) if Path(folder) == top else set()

    return ignore


def fetch_kit(folder: Path) -> Path:
    """Fetch the pinned commit of the kit."""
    run("git", "init", "--quiet", str(folder))
    run("git", "-C", str(folder), "fetch", "--quiet", "--depth=1", KIT, COMMIT)
    run("git", "-C", str(folder), "checkout", "--quiet", "FETCH_HEAD")
    return folder


def run(*argv: str, cwd: Path | None = None) -> None:
    """Run a program; end this one if it fails."""
    code = subprocess.run(argv, cwd=cwd, stdin=subprocess.DEVNULL, check=False).returncode
    if code:
        sys.stderr.write(f"{argv[0]}: it ended with exit code {code}, so there is no mark\n")
        sys.exit(COULD_NOT)


if __name__ == "__main__":
    sys.exit(main())
