"""Grades on the workers of a Dask cluster, which `worker` runs on: one for each engine."""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import logging
import secrets
import time
from concurrent.futures import Executor, Future, wait
from functools import partial
from typing import TYPE_CHECKING, Self, cast

from workshop.cohort import rubric
from workshop.cohort.bundle import pack
from workshop.cohort.keys import Keys
from workshop.cohort.run import SECONDS_TO_LOOK, Graded, Worker, ungradable
from workshop.core.errors import UserError
from workshop.grading import isolation

try:
    import dask
    from distributed import Client, Security
except ModuleNotFoundError as missing:
    _found = f"it needs the Python package {missing.name}"
    _fix = "In the kit's folder, run: pip install --editable '.[cluster]'"
    raise UserError("--scheduler", _found, _fix) from None

from workshop.cohort import worker as remote

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from workshop.cohort.submission import Submission
    from workshop.cohort.worker import Identity

_SECONDS_TO_CONNECT = 10
# A worker that has just started imports the kit, and asks its engine.
_SECONDS_TO_IDENTIFY = 60
_SECONDS_TO_TRY_LIMITS = 300
# A worker that was killed is started again by Dask.
_SECONDS_TO_RETURN = 30
# The files of a submission are a part of Dask's graph.
_DASK = {"distributed.admin.large-graph-warning-threshold": "1GB"}
_START = "dask worker {} --nworkers 1 --nthreads 2 --preload workshop.cohort.worker"


class Cluster:
    """The workers of the scheduler at `address`, for one run; a context manager.

    `jobs` is how many submissions a worker grades at once, at most; 0 for as many as it has
    threads. `report` gets a line for each worker that is not used.
    """

    def __init__(
        self, address: str, tasks: Sequence[str], jobs: int, report: Callable[[str], None]
    ) -> None:
        self._address, self._tasks, self._jobs, self._report = address, tuple(tasks), jobs, report
        self._run = secrets.token_hex(8)
        self._kit = importlib.metadata.version("workshop")
        self._rubric = {task: rubric.full_digest(task) for task in tasks}
        # By address: those that grade, those that have been asked who they are, and the refused.
        self._workers: dict[str, Worker] = {}
        self._asked: dict[str, Future[Identity]] = {}
        self._refused: dict[str, str] = {}
        self._held: dict[str, dict[str, bool]] = {}
        self._engine, self._limits, self._required = "", "", False

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            self._client = stack.enter_context(_connect(self._address))
            self._wait_for_workers(_SECONDS_TO_CONNECT)
            self._agree()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    @property
    def keys(self) -> Keys:
        """The keys of the verdicts, which are those of each engine by itself."""
        return Keys(self._kit, self._engine)

    def try_limits(self, *, required: bool, again: bool = False) -> dict[str, bool]:
        """Return which limits the engines of all workers enforce, and report what one does not.

        They are remembered there, and tried `again` on request. A worker that does not
        enforce all of them is refused if they are `required`.
        """
        self._limits, self._required = ("again" if again else "known"), required
        workers, self._workers = self._workers, {}
        self._ask(workers)
        self._wait_for_answers(_SECONDS_TO_TRY_LIMITS)
        self._admit()
        self._check_left()
        found = [self._held[address] for address in self._workers]
        return {name: all(held.get(name, False) for held in found) for name in found[0]}

    @contextlib.contextmanager
    def open(self, _on_line: object) -> Iterator[Callable[[], Collection[Worker]]]:
        """Yield the function that returns the workers; the output of builds is not sent."""
        yield self.workers

    def workers(self) -> Collection[Worker]:
        """Return the workers that are there now; raise `UserError` if the scheduler is gone."""
        self._look()
        if not self._workers:
            with contextlib.suppress(UserError):
                self._wait_for_workers(_SECONDS_TO_RETURN)
            self._look()
            self._wait_for_answers(_SECONDS_TO_TRY_LIMITS)
        self._admit()
        return self._workers.values()

    # ---- who is there

    def _look(self) -> None:
        """Forget the workers that are gone, and ask new ones who they are."""
        found = self._client.scheduler_info()["workers"]
        # It would connect again, but to a scheduler that knows nothing of this run.
        if self._client.status != "running":
            fix = "Start it again, with its workers, and run the same command again"
            raise UserError(self._address, "the scheduler stopped answering", fix)
        for address in self._asked.keys() - found.keys():
            self._asked.pop(address).cancel()
        for known in (self._workers, self._refused):
            for address in known.keys() - found.keys():
                del known[address]
        self._threads = {address: worker["nthreads"] for address, worker in found.items()}
        self._ask(found.keys() - self._workers.keys() - self._asked.keys() - self._refused.keys())

    def _wait_for_answers(self, seconds: float) -> None:
        """Wait until each worker has said who it is; refuse those that need longer."""
        end = time.monotonic() + seconds
        while not all(future.done() for future in self._asked.values()):
            wait(self._asked.values(), SECONDS_TO_LOOK)
            self._look()
            if time.monotonic() > end:
                for address in [a for a, future in self._asked.items() if not future.done()]:
                    self._asked.pop(address).cancel()
                    self._refuse(address, "it does not answer")

    def _ask(self, addresses: Collection[str]) -> None:
        for address in addresses:
            executor = self._executor(address)
            self._asked[address] = executor.submit(remote.identify, self._tasks, self._limits)

    def _executor(self, address: str) -> Executor:
        """Return an executor for one worker: Dask gives its jobs to no other one."""
        options = {"workers": [address], "allow_other_workers": False, "pure": False}
        return cast("Executor", self._client.get_executor(**options))  # type: ignore[no-untyped-call]

    def _wait_for_workers(self, seconds: float) -> None:
        try:
            self._client.wait_for_workers(1, timeout=seconds)
        except TimeoutError:
            found = f"no worker has joined this scheduler within {seconds} s"
            fix = f"Start one on each machine: {_START.format(self._address)}"
            raise UserError(self._address, found, fix) from None

    def _agree(self) -> None:
        """Take the workers with this kit; raise `UserError` if none is left, or engines differ."""
        self._look()
        self._wait_for_answers(_SECONDS_TO_IDENTIFY)
        engines = {
            address: future.result().engine
            for address, future in self._asked.items()
            if future.done() and not self._find_error(future)
        }
        if len({*engines.values()}) > 1:
            found = "; ".join(f"{address} has {_describe(engines[address])}" for address in engines)
            fix = "Use the same engine and base images everywhere, or stop some workers"
            raise UserError("the engines of the workers", f"they differ: {found}", fix)
        self._engine = next(iter(engines.values()), "")
        self._admit()
        self._check_left()

    def _admit(self) -> None:
        """Take or refuse the workers that have answered."""
        for address in [address for address, future in self._asked.items() if future.done()]:
            future = self._asked.pop(address)
            if reason := self._find_error(future):
                self._refuse(address, reason)
            else:
                self._held[address] = held = future.result().limits
                if fault := isolation.find_fault(held):
                    self._judge_limits(address, f"its engine {fault}")
            if address not in self._refused:
                slots = min(self._jobs or self._threads[address], self._threads[address])
                submit = partial(self._submit, address)
                self._workers[address] = Worker(f"the worker {address}", submit, slots)

    def _refuse(self, address: str, reason: str) -> None:
        self._refused[address] = reason
        self._report(f"The worker {address} is not used: {reason}")

    def _find_error(self, future: Future[Identity]) -> str:
        """Return why a worker that has answered cannot be used; empty if it can."""
        if future.cancelled():
            return "its connection was lost"
        if error := future.exception():
            fix = "Start it with the Python of the kit"
            return f"it cannot run this kit ({type(error).__name__}: {error}). {fix}"
        return self._compare(future.result())

    def _compare(self, found: Identity) -> str:
        """Return how a worker differs from this computer, or its engine from the others."""
        if found.error:
            return found.error
        if found.kit != self._kit:
            return f"it has version {found.kit} of the kit, and this computer {self._kit}"
        for task, digest in self._rubric.items():
            if found.rubric.get(task) != digest:
                return f"its checks of {task} differ from this computer's. Use the same kit on both"
        if self._engine and found.engine != self._engine:
            mine, others = _describe(found.engine), _describe(self._engine)
            return f"its engine is {mine}, and the others are {others}"
        return ""

    def _judge_limits(self, address: str, reason: str) -> None:
        if self._required:
            self._refuse(address, reason)
        else:
            self._report(f"Submissions are not fully contained. The worker {address}: {reason}")

    def _check_left(self) -> None:
        if not self._workers:
            found = "; ".join(f"{address}: {why}" for address, why in self._refused.items())
            fix = "Fix one of them, and run the same command again"
            raise UserError(self._address, f"no worker can be used ({found})", fix)

    # ---- what is sent

    def _submit(self, address: str, submission: Submission) -> Future[Graded]:
        """Send a submission to a worker, without its learner's name."""
        try:
            files = pack(submission.folder)
        except UserError as error:
            future = Future[Graded]()
            future.set_result(Graded(ungradable(submission.task, str(error))))
            return future
        order = remote.Order(self._run, submission.task, submission.digest, files)
        return self._executor(address).submit(remote.grade, order)


@contextlib.contextmanager
def _connect(address: str) -> Iterator[Client]:
    """Connect to a scheduler; raise `UserError` if that fails."""
    # The errors of this module name what Dask prints about lost connections.
    # Dask sets the level of its client separately, and leaves futures behind that nobody awaits.
    for name in ("distributed", "distributed.client", "tornado.application", "asyncio"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    with dask.config.set(_DASK):
        if address.startswith("tls:"):
            _check_tls(address)
        try:
            client = Client(  # type: ignore[no-untyped-call]
                address, timeout=_SECONDS_TO_CONNECT, set_as_default=False
            )
        except (OSError, TimeoutError, ValueError, RuntimeError) as error:
            found = f"no Dask scheduler answers there ({error or type(error).__name__})"
            fix = "Start one with: dask scheduler. Compare the address, the port and TLS"
            raise UserError(address, found, fix) from None
        with client:
            yield client


def _check_tls(address: str) -> None:
    """Raise `UserError` unless Dask's configuration has usable certificates."""
    found = "Dask's configuration names no certificate for TLS"
    try:
        security = Security()  # type: ignore[no-untyped-call]
        if security.get_connection_args("client")["ssl_context"]:  # type: ignore[no-untyped-call]
            return
    except OSError as error:
        found = f"Dask cannot use the certificates of its configuration ({error})"
    fix = "Set distributed.comm.tls.ca-file, and client.cert and client.key there"
    raise UserError(address, found, fix)


def _describe(engine: str) -> str:
    version, standins = json.loads(engine)
    return f"Docker {version}" + (f" with stand-ins for {', '.join(standins)}" if standins else "")
