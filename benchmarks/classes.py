"""Compare the grading of a class with a loop of checks, each in a fresh process.

Both grade the same submissions, and must give the same verdicts. In the first class, many
submissions are identical; in the second one, no two are. The loop checks a sample: its time is
scaled to the whole class. Then: the memory for a class and for one ten times as large, a dry run
over many folders, and judging many stored submissions after a change of points.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rubric import examples

from benchmarks import command
from benchmarks.kit import Run, run_kit
from workshop.cohort import intake
from workshop.cohort.keys import read_keys
from workshop.cohort.store import Store
from workshop.core.errors import UserError
from workshop.core.paths import ROOT
from workshop.engine import Engine
from workshop.tasks import course

if TYPE_CHECKING:
    from collections.abc import Iterable

    from benchmarks.rounds import Rounds
    from workshop.model import Task

# Programs that only run, and servers.
NAMES = ("baby-steps", "basic-python", "greeter", "degrees-api", "task-5")
TASKS = tuple(course.task(name) for name in NAMES)
# Of the answers to one task, every fourth is wrong.
WRONG_EVERY = 4
MB = 10**6
LOOP, CLASS = "check, one by one", "grade"
JOBS = os.cpu_count() or 1
# The two classes, and how many submissions in each are the same.
SAME = {"one in five distinct": 5, "all distinct": 1}
_SIZES = {"BENCH_SUBMISSIONS": 60, "BENCH_SAMPLE": 10, "BENCH_STORED": 1000}


@dataclass(frozen=True)
class Sizes:
    """How many submissions are in a class, checked by the loop, and stored."""

    submissions: int
    sample: int
    stored: int

    @classmethod
    def read(cls) -> Sizes:
        """Read the sizes from the environment: a full class is `BENCH_SUBMISSIONS=200`."""
        found = [os.environ.get(name, str(default)) for name, default in _SIZES.items()]
        for name, text in zip(_SIZES, found, strict=True):
            if not text.isdecimal() or int(text) < len(TASKS):
                fix = f"Set it to a number of at least {len(TASKS)}"
                raise UserError(name, f"it is {text!r}", fix)
        submissions, sample, stored = map(int, found)
        # Each learner hands in an answer to each task.
        return cls(submissions // len(TASKS) * len(TASKS), sample, stored)


@dataclass(frozen=True)
class Bench:
    """A folder for the classes, and environments whose caches begin empty."""

    folder: Path

    def env(self, side: str) -> dict[str, str]:
        """Return the environment of one side: neither uses what the other has cached."""
        return {**os.environ, "XDG_CACHE_HOME": str(self.folder / f"cache-{side}")}

    def grade(self, submissions: Path, *options: str) -> Run:
        """Grade a class."""
        tasks = [f"--task={task.name}" for task in TASKS]
        arguments = ("grade", submissions, *tasks, "--out", marks_of(submissions), *options)
        return run_kit(*arguments, env=self.env("grade"), cwd=self.folder)

    def check(self, task: str, folder: Path) -> tuple[float, dict[str, Any]]:
        """Check one submission; return the seconds, and the verdict."""
        arguments = ("check", task, folder, "--format=json")
        done = run_kit(*arguments, env=self.env("check"), cwd=self.folder, good=(0, 1))
        return done.seconds, json.loads(done.output)


def marks_of(submissions: Path) -> Path:
    """Return the folder of a class's marks."""
    return submissions.with_name(f"{submissions.name}-marks")


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


def compare(bench: Bench, rounds: Rounds, subject: str, sizes: Sizes) -> None:
    """Grade a class, check a sample of it in a loop, and compare the times and the verdicts."""
    folder = bench.folder / f"class-{secrets.token_hex(4)}"
    found = write_class(folder, sizes.submissions, sizes.submissions // SAME[subject])
    rounds.step(f"grading {len(found)}, {subject}")
    graded = bench.grade(folder, f"--jobs={JOBS}")
    chosen = found[:: max(len(found) // sizes.sample, 1)]
    checked = []
    for number, (task, place) in enumerate(chosen, 1):
        rounds.step(f"checking {number} of {len(chosen)}, {subject}")
        checked.append((task, place, *bench.check(task, place)))
    loop = sum(seconds for _, _, seconds, _ in checked) * len(found) / len(checked)
    marks = read_marks(folder)
    for task, place, _, verdict in checked:
        if outcomes(verdict) != outcomes(marks[place.parent.name, task]):
            thing, verdicts = f"{task} in {place.parent.name}", "its two verdicts differ"
            raise UserError(thing, verdicts, "Compare `workshop check` and `workshop grade`")
    rounds.add(subject, LOOP, {"speed": loop})
    rounds.add(subject, CLASS, {"speed": graded.seconds})


def outcomes(verdict: dict[str, Any]) -> list[object]:
    """Return what must be equal: the points, and the outcome of each check."""
    checks = [(check["id"], check["outcome"], check["points"]) for check in verdict["checks"]]
    return [verdict["outcome"], verdict["score"], verdict["max_score"], checks]


def read_marks(submissions: Path) -> dict[tuple[str, str], dict[str, Any]]:
    """Return the verdicts on a graded class, by learner and task."""
    with Store(marks_of(submissions)) as store:
        return {(row.learner.id, row.task): row.document for row in store.rows()}


def measure_memory(bench: Bench, rounds: Rounds, small: int) -> None:
    """Measure the peak memory for a class, and for ten times as many: distinct, and all fail."""
    for side, count in (("class", small), ("ten times as many", 10 * small)):
        folder = bench.folder / f"memory-{count}"
        for number in range(count):
            file = folder / f"learner-{number:04}/baby-steps/Dockerfile"
            file.parent.mkdir(parents=True)
            text = f"FROM ubuntu:24.04\nRUN exit {number % 100 + 1}\n# {number}\n"
            file.write_text(text, encoding="utf-8")
        rounds.step(f"grading {count} that fail")
        peak = bench.grade(folder, f"--jobs={JOBS}").memory
        rounds.add("distinct, all fail", side, {"memory": peak / MB})


def measure_stored(bench: Bench, rounds: Rounds, count: int) -> None:
    """Measure a dry run, and judging again, with all exports, for many stored submissions."""
    rounds.step(f"storing {count} submissions")
    folder, task = bench.folder / "stored", TASKS[0]
    for number in range(count):
        place = folder / f"learner-{number:04}" / task.name
        place.mkdir(parents=True)
        shutil.copyfile(ROOT / task.folder / task.answer[0], place / task.answer[0])
        with (place / task.answer[0]).open("a", encoding="utf-8") as file:
            file.write(f"# {number}\n")
    grade = ("grade", folder, f"--task={task.name}")
    dry = run_kit(*grade, "--dry-run", env=bench.env("grade"), cwd=bench.folder)
    rounds.add("a dry run", CLASS, {"stored": dry.seconds})
    _, verdict = bench.check(task.name, folder / "learner-0000" / task.name)
    out = bench.folder / "stored-marks"
    found = intake.find(folder, [task.name], workdir=bench.folder / "workdir").submissions
    keys = read_keys(Engine())
    with Store(out) as store:
        for one in found:
            store.put(f"before the change {one.digest}", one, verdict, keys.facts(one))
    done = run_kit(*grade, "--out", out, env=bench.env("grade"), cwd=bench.folder)
    if f"{count} judged again" not in done.output:
        raise UserError("workshop grade", "it did not judge from what is stored", done.output)
    rounds.add("judged again", CLASS, {"stored": done.seconds})


def fill_cache(bench: Bench, learners: int) -> None:
    """Fill the engine's cache for both sides, so that none waits for packages or a base image."""
    wrong = range(WRONG_EVERY - 1, learners, WRONG_EVERY)
    found = write_learners(bench.folder / "warm", sorted({*range(JOBS), *wrong}), learners)
    for task, place in found:
        bench.check(task, place)
    # The engine keeps the steps apart that are built at the same time.
    bench.grade(bench.folder / "warm", f"--jobs={JOBS}")


def measure(rounds: Rounds) -> None:
    """Measure everything; each round has new classes."""
    Engine().require("benchmark classes")
    sizes = Sizes.read()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        rounds.step("filling the cache")
        fill_cache(bench, sizes.submissions // len(TASKS))
        for subject in SAME:
            for _ in range(rounds.rounds):
                compare(bench, rounds, subject, sizes)
        small = max(sizes.submissions // 4, 1)
        measure_memory(bench, rounds, small)
        measure_stored(bench, rounds, sizes.stored)
    rounds.note(
        f"{sizes.submissions} submissions, of which {JOBS} are graded at once. The loop checks "
        f"{sizes.sample} of them, and its time is scaled to all."
    )
    rounds.note(f"The memory is for {small} and {10 * small} submissions.")
    rounds.note(f"A dry run, and judging again after a change of points: {sizes.stored} folders.")


if __name__ == "__main__":
    sys.exit(command.main("classes", measure))
