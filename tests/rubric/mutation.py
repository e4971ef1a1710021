"""Grade every mutant of the reference solutions, and record the checks that fail.

Run as `make mutants`. `mutants.json` records the results by a digest of the mutant's text without
comments; a mutant whose digest is recorded is not graded again. After a change of the checks,
remove the affected results first. The results also make a page of the reference.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from rich.progress import track
from rubric.examples import HERE, TASKS, lay_out_answer
from rubric.mutants import mutants
from rubric.review import RESULTS, results, write

from workshop.analysis import source
from workshop.engine import Engine
from workshop.grading import grade
from workshop.grading.cache import Cache
from workshop.grading.evaluation import Evaluation
from workshop.model import Outcome

if TYPE_CHECKING:
    from rubric.mutants import Mutant

    from workshop.model import Verdict

WORKERS = 3
# The course's servers start within three seconds; a busy machine needs much longer.
START_SECONDS = 60.0
# Comments and empty lines, but not parser directives or the first line of a script.
_COMMENT = re.compile(r"\s*(#(?!!|\s*(?:syntax|escape|check)=)|$)")


def digest(mutant: Mutant) -> str:
    """Return the digest of a mutant's file name and text, without comments."""
    lines = "\n".join(line for line in mutant.text.splitlines() if not _COMMENT.match(line))
    return hashlib.sha256(f"{mutant.file}\0{lines}".encode()).hexdigest()[:16]


def judge(mutant: Mutant, engine: Engine, cache: Cache) -> Verdict:
    """Grade the reference solution with the mutant's file."""
    folder = Path(tempfile.mkdtemp(prefix="workshop-mutant-"))
    try:
        lay_out_answer(mutant.task, folder)
        (folder / mutant.file).write_text(mutant.text, encoding="utf-8")
        found = source.find(mutant.task, folder)

        def grade_once() -> Verdict:
            with Evaluation(engine, found, cache, start_seconds=START_SECONDS) as evaluation:
                return grade.full(evaluation)

        # Like the command: three evaluations at a time can slow servers down.
        return grade.confirmed(grade_once)
    finally:
        shutil.rmtree(folder)


def main() -> None:
    """Grade the mutants that are not recorded, of all tasks or of the named ones."""
    names = sys.argv[1:]
    recorded = {row["digest"]: row["failed"] for row in results().values()}
    every = [mutant for task in TASKS for mutant in mutants(task)]
    chosen = [mutant for mutant in every if not names or mutant.task.name in names]
    new = [mutant for mutant in chosen if digest(mutant) not in recorded]
    # The last instructions first: the build cache then contains the steps before them.
    new.sort(key=lambda mutant: -int(re.findall(r"(?:step|line) (\d+)", mutant.name)[0]))
    engine = Engine()
    cache = Cache(HERE.parent.parent / ".pytest_cache/d/rubric")

    def failures(mutant: Mutant) -> tuple[Mutant, list[str], str]:
        verdict = judge(mutant, engine, cache)
        failed = [r.check.id for r in verdict.results if r.outcome is Outcome.FAILED]
        errors = [r.actual for r in verdict.results if r.outcome is Outcome.ERROR]
        return mutant, failed, "; ".join(errors)

    def save() -> None:
        rows = {
            mutant.name: {"digest": key, "failed": recorded[key]}
            for mutant in every
            if (key := digest(mutant)) in recorded
        }
        RESULTS.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")

    save()
    with ThreadPoolExecutor(WORKERS) as pool:
        for mutant, failed, error in track(pool.map(failures, new), "Grading", len(new)):
            # If a base image is not available, the failures found without it still count.
            if error and not failed:
                sys.stderr.write(f"{mutant.name}: not graded: {error}\n")
                continue
            recorded[digest(mutant)] = failed
            save()
    write()


if __name__ == "__main__":
    main()
