"""Judge every mutant of the kit's answers, and write down what each was told.

Run as `make mutants`. A mutant that was judged before, and whose text is the same, is not judged
again; where checks have changed, remove what it may concern from `mutants.json` first. The results
are there, and on a page of the reference.
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
# A server of the course is there within three seconds; a busy machine gets much more.
PATIENCE = 60.0


def digest(mutant: Mutant) -> str:
    """What a result depends on, and can be told from: the spoilt text."""
    return hashlib.sha256(f"{mutant.file}\0{mutant.text}".encode()).hexdigest()[:16]


def judge(mutant: Mutant, engine: Engine, cache: Cache) -> Verdict:
    """The verdict on the kit's answer with this one file spoilt."""
    folder = Path(tempfile.mkdtemp(prefix="workshop-mutant-"))
    try:
        lay_out_answer(mutant.task, folder)
        (folder / mutant.file).write_text(mutant.text, encoding="utf-8")
        found = source.find(mutant.task, folder)

        def look() -> Verdict:
            with Evaluation(engine, found, cache, start_seconds=PATIENCE) as evaluation:
                return grade.full(evaluation)

        # As a learner's check does: three at a time make a machine busy, and servers late.
        return grade.confirmed(look)
    finally:
        shutil.rmtree(folder)


def main() -> None:
    """Judge what is new or has changed, of all tasks or of those named."""
    names = sys.argv[1:]
    known = results() if RESULTS.exists() else {}
    every = [mutant for task in TASKS for mutant in mutants(task)]
    chosen = [mutant for mutant in every if not names or mutant.task.name in names]
    new = [m for m in chosen if known.get(m.name, {}).get("digest") != digest(m)]
    # The last lines first: what stands above them is in the cache.
    new.sort(key=lambda mutant: -int(re.findall(r"line (\d+)", mutant.name)[0]))
    engine = Engine()
    cache = Cache(HERE.parent.parent / ".pytest_cache/d/rubric")

    def told(mutant: Mutant) -> tuple[Mutant, list[str], str]:
        verdict = judge(mutant, engine, cache)
        failed = [r.check.id for r in verdict.results if r.outcome is Outcome.FAILED]
        error = [r.actual for r in verdict.results if r.outcome is Outcome.ERROR]
        return mutant, failed, "; ".join(error)

    with ThreadPoolExecutor(WORKERS) as pool:
        for mutant, failed, error in track(pool.map(told, new), "Judging", len(new)):
            # A base image that no registry here gives: what was seen without it still counts.
            if error and not failed:
                sys.stderr.write(f"{mutant.name}: not judged: {error}\n")
                continue
            known[mutant.name] = {"digest": digest(mutant), "failed": failed}
            names = {other.name for other in every}
            kept = {name: known[name] for name in known if name in names}
            RESULTS.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    write()


if __name__ == "__main__":
    main()
