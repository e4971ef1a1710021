"""What runs on a Dask worker: `dask worker ADDRESS --preload workshop.cohort.worker`.

It grades on the engine that the docker command of its machine connects to. The programs of learners
run in containers of this engine, never in the worker.
"""

from __future__ import annotations

import hashlib
import threading
from typing import TYPE_CHECKING, Any, NamedTuple

from distributed import Worker, WorkerPlugin, get_worker

from workshop.cohort import rubric
from workshop.cohort.bundle import File, unpack
from workshop.cohort.canary import Canaries
from workshop.cohort.grader import Grader
from workshop.cohort.keys import read_keys
from workshop.cohort.run import Graded, ungradable
from workshop.cohort.submission import Learner, Submission
from workshop.core.errors import UserError
from workshop.core.paths import cache_folder
from workshop.core.process import SubprocessRunner, own_folder
from workshop.engine import Engine
from workshop.grading import cleanup, isolation
from workshop.grading.cache import Cache
from workshop.grading.limits import CLASS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dask.typing import Key

_NAME = "workshop"
# A run that has ended needs no memory of its proofs; the last few may go on at the same time.
_MOST_RUNS = 8


class Identity(NamedTuple):
    """What has to be equal on all machines, or why the worker cannot grade.

    `rubric` has the digest of each task; `limits` tells of each limit whether the engine enforces
    it, and is empty if that was not asked.
    """

    kit: str = ""
    rubric: dict[str, str] = {}  # noqa: RUF012 - never changed
    engine: str = ""
    limits: dict[str, bool] = {}  # noqa: RUF012 - never changed
    error: str = ""


class Order(NamedTuple):
    """A submission to grade: its files and their digest, without its learner.

    `run` names the run of the instructor, in which the engine has to be proven once.
    """

    run: str
    task: str
    digest: str
    files: tuple[File, ...]


class Grading(WorkerPlugin):
    """The state of a worker: its cache, the proofs of its engine, and what runs now."""

    def __init__(self) -> None:
        self._proofs: dict[str, Canaries] = {}
        # By the key of the task that runs.
        self._runners: dict[Key, SubprocessRunner] = {}
        self._lock = threading.Lock()
        self.limits = CLASS

    def setup(self, worker: Worker) -> None:  # noqa: ARG002 - Dask's signature
        """Remove what a worker on this machine that was killed left behind."""
        engine = Engine()
        self.cache = _cache(engine)
        cleanup.remove_stale(self.cache.runs, engine)

    def transition(self, key: Key, start: str, finish: str, **_: object) -> None:  # noqa: ARG002
        """Stop grading what nobody waits for any more; Dask itself cannot stop a thread."""
        if finish == "released" and (runner := self._runners.get(key)):
            runner.stop()

    def teardown(self, worker: Worker) -> None:  # noqa: ARG002 - Dask's signature
        """Stop everything: the worker ends."""
        for runner in [*self._runners.values()]:
            runner.stop()

    def grade(self, order: Order, key: Key) -> Graded:
        """Grade a submission, after the engine has been proven for its task."""
        runner = self._runners[key] = SubprocessRunner()
        with self._lock:
            proofs = self._proofs.setdefault(order.run, Canaries())
            while len(self._proofs) > _MOST_RUNS:
                del self._proofs[next(iter(self._proofs))]
        try:
            with own_folder() as folder:
                unpack(order.files, folder, order.digest)
                submission = Submission(
                    Learner(order.digest), order.task, folder, order.digest, "sent"
                )
                grader = Grader(Engine(runner), self.cache, limits=self.limits)
                return proofs.guard(grader, submission)
        except (UserError, OSError) as error:
            return Graded(ungradable(order.task, str(error)))
        finally:
            del self._runners[key]


async def dask_setup(worker: Worker) -> None:
    """Prepare a worker; Dask calls this for `--preload`."""
    await worker.plugin_add(plugin=Grading(), name=_NAME)


def identify(tasks: Iterable[str], limits: str = "") -> Identity:
    """Return the identity of this worker.

    With `limits`, also tell which limits its engine enforces: as far as they are `known`, or after
    trying them `again`.
    """
    engine = Engine()
    try:
        keys = read_keys(engine)
        state = _state()
        held: dict[str, bool] = {}
        if limits:
            held = isolation.find_limits(engine, state.cache, again=limits == "again")
            state.limits = isolation.adapt(CLASS, held)
    except UserError as error:
        return Identity(error=f"{error.found}. {error.fix}")
    digests = {task: rubric.full_digest(task) for task in tasks}
    return Identity(keys.kit, digests, keys.engine, held)


def grade(order: Order) -> Graded:
    """Grade a submission on this worker."""
    return _state().grade(order, get_worker().get_current_task())


def _state() -> Grading:
    found: Any = get_worker().plugins.get(_NAME)
    if not isinstance(found, Grading):
        fix = "Start it with --preload workshop.cohort.worker"
        raise UserError("the worker", "it is not prepared", fix)
    return found


def _cache(engine: Engine) -> Cache:
    """Return the cache for an engine: machines may share the user's folder, not their processes."""
    info = engine.info()
    name = hashlib.sha256((info.id if info else "").encode()).hexdigest()[:16]
    return Cache(cache_folder() / "engines" / name)
