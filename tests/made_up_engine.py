"""A preload of Dask workers that replaces the engine: grades by the last line of the Dockerfile.

Appends its process and what it grades to the file `WORKSHOP_TEST_GRADED`.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path

from classroom import document

from workshop.cohort import worker
from workshop.cohort.keys import Keys
from workshop.cohort.run import Graded

SECONDS_PER_SUBMISSION = 0.3
never = threading.Event()


class Grader:
    def __init__(self, _engine, _cache, *, limits: object) -> None: ...

    def __call__(self, found):
        last = (found.folder / "Dockerfile").read_text().splitlines()[-1]
        if last == "RUN false":
            return Graded(document(0))
        if not last.startswith("#"):
            return Graded(document())
        with Path(os.environ["WORKSHOP_TEST_GRADED"]).open("a") as graded:
            graded.write(f"{os.getpid()} {last}\n")
        never.wait(SECONDS_PER_SUBMISSION)
        return Graded(document(int(last[1:])))


worker.Grader = Grader
worker.read_keys = lambda _engine: Keys("0.1.0", '["26", []]')
worker.isolation.find_limits = lambda _engine, _cache, **_: {}
