"""What a rebuild repeats after an edit, and which lines to swap so that it repeats less.

Each edit is made in a fresh copy of the build context, and built. A swap is only reported if it was
tried too: it builds, every check that passed still passes, and the rebuild is shorter.
"""

from __future__ import annotations

import re
import secrets
import time
from typing import TYPE_CHECKING, NamedTuple

from workshop.analysis import source
from workshop.analysis.build_progress import read_steps
from workshop.analysis.dockerfile.build_step import find_instruction
from workshop.analysis.dockerfile.parser import parse
from workshop.core.errors import UserError
from workshop.core.process import own_folder
from workshop.grading.build_context import copy_submission
from workshop.grading.evaluation import Evaluation
from workshop.model import Failed
from workshop.trials.bench import Bench, evaluate, lost_checks, restore
from workshop.trials.draft import Draft, is_plain_run, read_draft

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from workshop.analysis.dockerfile.parser import Instruction
    from workshop.analysis.source import Source
    from workshop.engine import Engine
    from workshop.grading.cache import Cache
    from workshop.model import Recipe, Verdict
    from workshop.trials.bench import Observer

# The files that pin dependencies, the most precise first.
LOCKS = ("poetry.lock", "uv.lock", "Pipfile.lock", "requirements.txt", "constraints.txt")
# What installs need beside their lock.
_PROJECTS = ("pyproject.toml", "Pipfile", "setup.py", "setup.cfg")
# A shorter step is not worth a swap.
LEAST_SECONDS = 1.0
MOST_SWAPS = 6
COMMENT = "comment"


class Edit(NamedTuple):
    """A line that is added to a file; without a file, nothing is edited."""

    name: str
    file: str = ""

    @property
    def text(self) -> str:
        """The line, which cannot have been built before."""
        return f"\n# {secrets.token_hex(8)}\n"


class Step(NamedTuple):
    """An instruction that was built: whether its result came from the cache, or its seconds."""

    line: int
    end: int
    text: str
    cached: bool
    seconds: float


class Rebuild(NamedTuple):
    """A build after an edit: its steps by line, and the seconds of the whole `docker build`.

    `failure` says why there is no such build; it is empty otherwise.
    """

    edit: Edit
    steps: tuple[Step, ...]
    seconds: float
    failure: str = ""

    @property
    def repeated(self) -> tuple[Step, ...]:
        """The steps that were not in the cache."""
        return tuple(step for step in self.steps if not step.cached)


class Swap(NamedTuple):
    """A change that was tried: after the edit, a step is reused that took `spared` seconds.

    `moved` and `over` are the lines before the change: the first was moved above the second. Both
    are 0 if only the ignore file changed: then everything is reused.
    """

    edit: Edit
    moved: int
    over: int
    spared: float
    old: Draft
    new: Draft

    @property
    def patch(self) -> str:
        """The change as a unified diff."""
        return self.new.diff(self.old)


class Report(NamedTuple):
    """The Dockerfile, its rebuilds, and the swaps that help; each swap includes those before."""

    draft: Draft
    rebuilds: tuple[Rebuild, ...]
    swaps: tuple[Swap, ...]


def find_edits(draft: Draft, recipe: Recipe, folder: Path) -> list[Edit]:
    """Return the edits that are possible: nothing, a source line, the lock, and a comment."""
    lock = next((name for name in LOCKS if (folder / recipe.context / name).is_file()), "")
    programs = sorted((folder / recipe.context).glob("*.py"))
    program = recipe.edit or (programs[0].name if programs else "")
    edits = [Edit("nothing"), Edit("source", program), Edit("lock", lock)]
    comment = Edit(COMMENT, draft.path.removeprefix(f"{recipe.context}/"))
    return [edits[0], *(edit for edit in edits[1:] if edit.file), comment]


def measure(found: Source, engine: Engine, cache: Cache, observer: Observer) -> Report:
    """Build after each edit, and try swaps; raise `Failed` if the image does not build as it is."""
    with own_folder() as folder:
        bench = Bench(engine, cache, found.task, folder, observer)
        bench.exercise.mkdir()
        copy_submission(found, bench.exercise)
        draft = read_draft(source.find(found.task, bench.exercise))
        edits = find_edits(draft, found.task.recipes[0], bench.exercise)
        rebuilds = tuple(_measure_edits(bench, draft, edits))
        swaps = tuple(_find_swaps(bench, draft, rebuilds))
    return Report(draft, rebuilds, swaps)


def _measure_edits(bench: Bench, draft: Draft, edits: Sequence[Edit]) -> Iterator[Rebuild]:
    recipe, found = bench.task.recipes[0], source.find(bench.task, bench.exercise)

    def show(line: str) -> None:
        on_line(line)

    with Evaluation(bench.engine, found, bench.cache, on_line=show) as evaluation:
        with bench.observer.job("Build it as it is") as (on_line, note):
            # Into the cache: the learner may not have built it yet.
            _build(evaluation, draft, recipe, edits[0])
        for edit in edits:
            title = f"Edit the {edit.name}: {edit.file}" if edit.file else "Build it again"
            with bench.observer.job(title) as (on_line, note):
                try:
                    rebuild = _build(evaluation, draft, recipe, edit)
                except Failed as failed:
                    # Perhaps a package index did not answer: the other edits are still of use.
                    rebuild = Rebuild(edit, (), 0.0, failed.actual)
                note(_describe(rebuild))
            yield rebuild


def _build(evaluation: Evaluation, draft: Draft, recipe: Recipe, edit: Edit) -> Rebuild:
    """Build a copy of the context after an edit."""
    # A tag for each build: an image without a tag would stay.
    purpose = f"rebuild-{secrets.token_hex(4)}"
    folder = evaluation.copy(purpose)
    if edit.file:
        with (folder / recipe.context / edit.file).open("a", encoding="utf-8") as file:
            file.write(edit.text)
    start = time.monotonic()
    _, progress = evaluation.build_steps(recipe, folder, purpose)
    seconds = time.monotonic() - start
    return Rebuild(edit, tuple(list_steps(draft, progress)), seconds)


def list_steps(draft: Draft, progress: str) -> list[Step]:
    """Return the instructions among the steps of a build, by line."""
    parsed = parse(draft.text)
    found: dict[int, Step] = {}
    for step in read_steps(progress):
        instruction = find_instruction(parsed, step.name)
        if instruction and (step.completed or step.cached):
            text = f"{instruction.keyword} {instruction.text}"
            place = (instruction.line, instruction.end)
            found[instruction.line] = Step(*place, text, step.cached, step.seconds)
    return [found[line] for line in sorted(found)]


def _find_swaps(bench: Bench, draft: Draft, rebuilds: Sequence[Rebuild]) -> Iterator[Swap]:
    """Try, for each edit, to change the file so that the rebuild repeats less."""
    if not any(candidates(draft, rebuild) for rebuild in rebuilds):
        return
    with bench.observer.job("Check it as it is") as (on_line, note):
        first = evaluate(bench, on_line).verdict
        note(f"{first.outcome if first else ''}")
    start, tried = draft, {draft}
    for rebuild in rebuilds:
        if not candidates(start, rebuild):
            continue
        current = rebuild if draft == start else _measure_again(bench, draft, rebuild.edit)
        while len(tried) <= MOST_SWAPS:
            untried = (one for one in candidates(draft, current) if one[2] not in tried)
            if (change := next(untried, None)) is None:
                break
            moved, over, new = change
            tried.add(new)
            steps = [step for step in current.repeated if step.line == moved or not moved]
            spared = sum(step.seconds for step in steps)
            texts = {step.text for step in steps}
            swap = Swap(rebuild.edit, moved, over, spared, draft, new)
            if helped := _try(bench, swap, texts, first):
                kept, current = helped
                draft = kept.new
                yield kept


def _measure_again(bench: Bench, draft: Draft, edit: Edit) -> Rebuild:
    """Build after an edit of a draft that has changed since the first measurement."""
    with bench.observer.job(f"Edit the {edit.name} again: {edit.file}") as (on_line, note):
        rebuild = _rebuild(bench, Swap(edit, 0, 0, 0.0, draft, draft), on_line)
        note(_describe(rebuild))
    return rebuild


def candidates(draft: Draft, rebuild: Rebuild) -> list[tuple[int, int, Draft]]:
    """Return changes that may spare a RUN that an edit repeats, the longest first.

    Each is a line, another line, and the draft. The RUN of the first line moves above the COPY of
    the second, which the edit repeats first; if need be, with a COPY of the files that pin the
    dependencies. A Dockerfile that is copied into the image is left out of it instead: then both
    lines are 0.
    """
    if rebuild.edit.name == COMMENT:
        ignore = f"{draft.ignore.rstrip()}\n{rebuild.edit.file}\n".lstrip()
        return [(0, 0, draft._replace(ignore=ignore))] if rebuild.repeated else []
    instructions = {step.line: step for step in draft.steps}
    repeated = [step for step in rebuild.repeated if step.line in instructions]
    copies = [step.line for step in repeated if instructions[step.line].keyword in {"COPY", "ADD"}]
    return [
        (step.line, copies[0], new)
        for step in sorted(repeated, key=lambda step: -step.seconds)
        if is_plain_run(instructions[step.line]) and step.seconds >= LEAST_SECONDS
        if copies and copies[0] < step.line
        for new in _move(draft, instructions[step.line], instructions[copies[0]], rebuild.edit)
    ]


def _move(draft: Draft, run: Instruction, copy: Instruction, edit: Edit) -> Iterator[Draft]:
    """Yield drafts with a RUN above a COPY: alone, and with a COPY of its pins."""
    lines = draft.text.split("\n")
    moved = lines[run.line - 1 : run.end]
    before, between = lines[: copy.line - 1], lines[copy.line - 1 : run.line - 1]
    rest = lines[run.end :]
    yield draft._replace(text="\n".join([*before, *moved, *between, *rest]))
    is_poetry = re.search(r"\b(?:poetry|uv|pipenv)\b", run.text) is not None
    names = [
        name
        for name in (*LOCKS, *_PROJECTS)
        if name in draft.entries
        and name != edit.file
        and (
            name in run.text or (is_poetry and name not in {"requirements.txt", "constraints.txt"})
        )
    ]
    if names:
        pins = f"COPY {' '.join(names)} ./"
        yield draft._replace(text="\n".join([*before, pins, *moved, *between, *rest]))


def _try(
    bench: Bench, swap: Swap, texts: set[str], first: Verdict | None
) -> tuple[Swap, Rebuild] | None:
    """Build, edit, build again and check a swap; None unless the steps of `texts` are reused."""
    title = f"Move line {swap.moved} above line {swap.over}" if swap.moved else "Ignore the file"
    helped: tuple[Swap, Rebuild] | None = None
    with bench.observer.job(title) as (on_line, note):
        swap.new.write(bench.exercise)
        try:
            rebuild = _rebuild(bench, swap, on_line)
            is_reused = not texts & {step.text for step in rebuild.repeated}
            if is_reused and not lost_checks(first, evaluate(bench, on_line).verdict):
                helped = swap, rebuild
            note(_describe(rebuild) if helped else "it does not help")
        except Failed:
            note("it does not build")
        except UserError as error:
            note(f"not tried: {error.found}")
        finally:
            if helped is None:
                restore(swap.old, swap.new, bench.exercise)
    return helped


def _rebuild(bench: Bench, swap: Swap, on_line: Callable[[str], None]) -> Rebuild:
    """Build a swap, and build it again after the edit."""
    recipe, found = bench.task.recipes[0], source.find(bench.task, bench.exercise)
    with Evaluation(bench.engine, found, bench.cache, on_line=on_line) as evaluation:
        _build(evaluation, swap.new, recipe, Edit("nothing"))
        return _build(evaluation, swap.new, recipe, swap.edit)


def _describe(rebuild: Rebuild) -> str:
    if rebuild.failure:
        return "it does not build"
    count = len(rebuild.repeated)
    steps = f"{count} step{'s' * (count != 1)}" if count else "nothing"
    return f"repeats {steps} in {rebuild.seconds:.1f} s"
