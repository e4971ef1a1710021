"""Measure how fast a class is graded, and in how much memory. Run with `make bench-grade`.

1. A class in which many submissions are identical, and a loop of `workshop check` over the same
   submissions, each in a fresh process. Limit: at least 5 times faster.
2. The same with a class in which all submissions are distinct. Limit: at least 1.5 times faster.
3. The peak memory of grading a small class, and one of ten times its size. Limit: 1.2 times.
4. Judging 1,000 stored submissions again after a change of points. Limit: 10 s.
5. A dry run over 1,000 folders. Limit: 2 s.

Both sides begin with a warm cache of the engine. Their verdicts must be equal. The loop may check a
sample: its time is then scaled to the whole class.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness import ROOT
from rubric import examples

from workshop.cohort import intake
from workshop.cohort.keys import read_keys
from workshop.cohort.store import Store
from workshop.engine import Engine
from workshop.tasks import course

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from workshop.model import Task

# Programs that only run, and servers.
NAMES = ("baby-steps", "basic-python", "greeter", "degrees-api", "task-5")
TASKS = tuple(course.task(name) for name in NAMES)
# Of the answers to one task, every fourth is wrong.
WRONG_EVERY = 4
STORED = 1000
MB = 1_000_000
# Prints the peak memory in KiB as the last line: that of the kit's process, not of its children.
MEASURE = """
import resource, sys
from workshop.cli import main
code = main()
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
sys.exit(code)
"""


@dataclass(frozen=True)
class Bench:
    """Where everything is: a folder, and an environment whose cache begins empty."""

    folder: Path
    jobs: int

    def env(self, side: str) -> dict[str, str]:
        """Return the environment of one side: neither uses what the other has cached."""
        cache = {"XDG_CACHE_HOME": str(self.folder / f"cache-{side}")}
        return {**os.environ, **cache, "PYTHONPATH": str(ROOT)}

    def grade(self, submissions: Path, *options: str) -> tuple[float, int]:
        """Grade a class; return the seconds, and the peak memory in bytes."""
        tasks = [f"--task={task.name}" for task in TASKS]
        out = submissions.with_name(f"{submissions.name}-marks")
        argv = [sys.executable, "-c", MEASURE, "grade", submissions, *tasks, "--out", out]
        seconds, output = self.run([*argv, *options], "grade", good=(0,))
        return seconds, int(output.splitlines()[-1]) * 1024

    def check(self, task: str, folder: Path) -> tuple[float, dict[str, Any]]:
        """Check one submission; return the seconds, and the verdict."""
        argv = [sys.executable, "-m", "workshop", "check", task, folder, "--format=json"]
        seconds, output = self.run(argv, "check", good=(0, 1))
        return seconds, json.loads(output)

    def run(self, argv: Sequence[object], side: str, good: tuple[int, ...]) -> tuple[float, str]:
        """Run a program; return the seconds, and its output; exit if it fails."""
        start = time.perf_counter()
        done = subprocess.run(
            [*map(str, argv)],
            env=self.env(side),
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        seconds = time.perf_counter() - start
        if done.returncode not in good:
            sys.exit(f"{argv}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
        return seconds, done.stdout


# ---- the classes


def hand_in(folder: Path, task: Task, variant: str, number: int) -> None:
    """Write an answer to a task, right or wrong by its number, as only this variant has it."""
    folder.mkdir(parents=True)
    wrong = [one for one in examples.broken() if one.task.name == task.name and is_quick(one)]
    if number % WRONG_EVERY == WRONG_EVERY - 1:
        wrong[number // WRONG_EVERY % len(wrong)].lay_out(folder)
    else:
        examples.lay_out_answer(task, folder)
    # Another label is another image, with the same layers.
    main = folder / task.answer[0]
    if main.exists():
        with main.open("a", encoding="utf-8") as file:
            file.write(f"\nLABEL variant={variant}-{number}\n")


def is_quick(broken: examples.Broken) -> bool:
    """Whether a wrong answer fails before it runs: a server that never answers takes a minute."""
    stages = {check.id: check.stage for check in broken.task.checks}
    return stages[broken.check] != "app" and any(change.new for change in broken.changes)


def write_class(folder: Path, count: int, distinct: int) -> list[tuple[str, Path]]:
    """Write `count` submissions, `distinct` of them different; return the task and folder of each.

    Each learner hands in an answer to each task.
    """
    return write_learners(folder, range(count // len(TASKS)), max(distinct // len(TASKS), 1))


def write_learners(folder: Path, learners: Iterable[int], kinds: int) -> list[tuple[str, Path]]:
    """Write the answers of some learners, `kinds` of them different; return task and folder."""
    variant, found = secrets.token_hex(4), []
    for learner in learners:
        for task in TASKS:
            place = folder / f"learner-{learner:04}" / task.name
            twin = folder / f"learner-{learner % kinds:04}" / task.name
            if learner < kinds:
                hand_in(place, task, variant, learner)
            else:
                shutil.copytree(twin, place, symlinks=True)
            found.append((task.name, place))
    return found


# ---- the measurements


def compare(bench: Bench, count: int, distinct: int, sample: int, least: float) -> bool:
    """Grade a class, check a sample of it in a loop, and print the ratio of the times.

    Return whether both sides gave the same verdicts.
    """
    folder = bench.folder / f"distinct-{distinct}"
    found = write_class(folder, count, distinct)
    graded, memory = bench.grade(folder, f"--jobs={bench.jobs}")
    chosen = found[:: max(len(found) // sample, 1)] if sample else found
    checked = [(*one, *bench.check(*one)) for one in chosen]
    loop = sum(seconds for _, _, seconds, _ in checked) * len(found) / len(checked)
    marks = read_marks(folder)
    differ = [
        f"{task} in {place}"
        for task, place, _, verdict in checked
        if outcomes(verdict) != outcomes(marks[place.parent.name, task])
    ]
    of = "" if len(checked) == len(found) else f" (from {len(checked)} of them)"
    say(f"{len(found)} submissions, {distinct} distinct, {memory / MB:.0f} MB")
    report(
        "  check one by one / grade, s", loop, graded, f"at least {least}", loop >= least * graded
    )
    say(f"  the loop: {loop:.0f} s{of}; {loop / len(found):.1f} s for each")
    say(f"  different verdicts: {', '.join(differ) or 'none'}")
    return not differ


def outcomes(verdict: dict[str, Any]) -> list[object]:
    """Return what must be equal: the points, and the outcome of each check."""
    checks = [(check["id"], check["outcome"], check["points"]) for check in verdict["checks"]]
    return [verdict["outcome"], verdict["score"], verdict["max_score"], checks]


def read_marks(submissions: Path) -> dict[tuple[str, str], dict[str, Any]]:
    """Return the verdicts on a graded class, by learner and task."""
    with Store(submissions.with_name(f"{submissions.name}-marks")) as store:
        return {(row.learner.id, row.task): row.document for row in store.rows()}


def compare_memory(bench: Bench, small: int) -> None:
    """Print the peak memory for a class, and for ten times as many: distinct, and all fail."""
    peaks = []
    for count in (small, 10 * small):
        folder = bench.folder / f"memory-{count}"
        for number in range(count):
            file = folder / f"learner-{number:04}/baby-steps/Dockerfile"
            file.parent.mkdir(parents=True)
            file.write_text(f"FROM ubuntu:24.04\nRUN exit {number % 100 + 1}\n# {number}\n")
        peaks.append(bench.grade(folder, f"--jobs={bench.jobs}")[1] / MB)
    say(f"peak memory for {small} submissions, and for {10 * small}")
    report("  MB", peaks[1], peaks[0], "at most 1.2", peaks[1] <= 1.2 * peaks[0])


def measure_stored(bench: Bench) -> None:
    """Print the time of a dry run, and of judging again, for many stored submissions."""
    folder = bench.folder / "stored"
    task = TASKS[0]
    for number in range(STORED):
        place = folder / f"learner-{number:04}" / task.name
        place.mkdir(parents=True)
        shutil.copyfile(ROOT / task.folder / task.answer[0], place / task.answer[0])
        with (place / task.answer[0]).open("a", encoding="utf-8") as file:
            file.write(f"# {number}\n")
    argv = [sys.executable, "-m", "workshop", "grade", folder, f"--task={task.name}"]
    seconds, _ = bench.run([*argv, "--dry-run"], "grade", good=(0,))
    say(f"a dry run over {STORED} folders: {seconds:.2f} s (at most 2)")
    _, verdict = bench.check(task.name, folder / "learner-0000" / task.name)
    out = bench.folder / "stored-marks"
    found = intake.find(folder, [task.name], workdir=bench.folder / "workdir").submissions
    keys = read_keys(Engine())
    with Store(out) as store:
        for one in found:
            store.put(f"before the change {one.digest}", one, verdict, keys.facts(one))
    seconds, output = bench.run([*argv, "--out", out], "grade", good=(0,))
    if f"{STORED} judged again" not in output:
        sys.exit(f"not judged from the stored outcomes:\n{output}")
    say(f"{STORED} submissions judged again, with all exports: {seconds:.2f} s (at most 10)")


def say(line: str) -> None:
    """Print a line at once: the next one may take minutes."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def report(name: str, one: float, other: float, limit: str, kept: bool) -> None:  # noqa: FBT001
    """Print a ratio, and whether it keeps its limit."""
    verdict = "kept" if kept else "MISSED"
    say(f"{name}: {one:.1f} / {other:.1f} = {one / other:.2f} ({limit}: {verdict})")


@contextmanager
def prepared(jobs: int, learners: int) -> Iterator[Bench]:
    """Fill the engine's cache for both sides, so that none waits for packages or a base image."""
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), jobs)
        wrong = range(WRONG_EVERY - 1, learners, WRONG_EVERY)
        found = write_learners(bench.folder / "warm", [*range(jobs), *wrong], learners)
        for task, place in found:
            bench.check(task, place)
        # The engine keeps the steps apart that are built at the same time.
        bench.grade(bench.folder / "warm", f"--jobs={jobs}")
        yield bench


def main() -> int:
    """Measure, and print each figure as soon as it is known."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--submissions", type=int, default=200, help="in each class (default: 200)")
    parser.add_argument(
        "--sample", type=int, default=50, help="checked by the loop; 0 means all (default: 50)"
    )
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="as in workshop grade")
    options = parser.parse_args()
    count = options.submissions // len(TASKS) * len(TASKS)
    with prepared(options.jobs, count // len(TASKS)) as bench:
        measure_stored(bench)
        compare_memory(bench, max(count // 4, 1))
        equal = compare(bench, count, max(count // 5, len(TASKS)), options.sample, 5)
        equal &= compare(bench, count, count, options.sample, 1.5)
    return 0 if equal else 1


if __name__ == "__main__":
    sys.exit(main())
