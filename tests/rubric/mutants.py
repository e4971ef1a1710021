"""Mutants: the reference solutions with one change each, which the checks must detect.

Every instruction of every solution is removed, swapped with the next one, weakened and altered, by
rules that are independent of the checks. A mutant's name states the change and the instruction.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workshop.analysis.dockerfile import parser
from workshop.core.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workshop.analysis.dockerfile.parser import Instruction
    from workshop.model import Task

_FLAG = re.compile(r" --(?!target)[a-z][a-z-]*(?:=\S+)?(?: (?:main|test|dev|build|runner|app)\b)?")
_PIN = re.compile(r"==\S*?(?=[\"\s]|$)")
_PAIR = re.compile(r"(?:^ENV )?\s*(?P<name>[A-Z_]+)=(?P<value>\S+)")
_WORD = re.compile(r'"(?P<word>[^"]*)"')


@dataclass(frozen=True)
class Mutant:
    """A reference solution with one changed file: the name of the change, and the file's text."""

    task: Task
    file: str
    name: str
    text: str


def mutants(task: Task) -> Iterator[Mutant]:
    """Yield all mutants of a task, in the order of the instructions, without duplicates."""
    seen = set()
    for file in task.answer:
        if file.endswith(".txt"):
            continue  # a list of packages and hashes: its lines are interchangeable
        text = (ROOT / task.folder / file).read_text(encoding="utf-8")
        seen.add(text)
        for name, mutated in _of(file, text):
            if mutated not in seen:
                seen.add(mutated)
                yield Mutant(task, file, f"{task.name} {file} {name}", mutated)


def _of(file: str, text: str) -> Iterator[tuple[str, str]]:
    if "Dockerfile" in file:
        yield from _dockerfile(text)
    else:
        yield from _lines(text)


def _lines(text: str) -> Iterator[tuple[str, str]]:
    """Remove each line of a file that is not a Dockerfile."""
    lines = text.splitlines(keepends=True)
    significant = [n for n, line in enumerate(lines) if line.strip() and not _is_comment(line)]
    for number, dropped in enumerate(significant, 1):
        kept = [line for n, line in enumerate(lines) if n != dropped]
        yield f"line {number}: drop {lines[dropped].strip()}", "".join(kept)


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith("#")


def _dockerfile(text: str) -> Iterator[tuple[str, str]]:
    lines = text.splitlines(keepends=True)
    steps = _instructions(text)
    for number, step in enumerate(steps, 1):
        body = "".join(lines[step.line - 1 : step.end])
        head, tail = "".join(lines[: step.line - 1]), "".join(lines[step.end :])
        prefix = f"step {number}: "
        yield f"{prefix}drop {step.keyword}", head + tail
        if number < len(steps) and "FROM" not in {step.keyword, steps[number].keyword}:
            after = steps[number]
            between = "".join(lines[step.end : after.line - 1])
            other = "".join(lines[after.line - 1 : after.end])
            rest = "".join(lines[after.end :])
            yield (
                f"{prefix}{step.keyword} after {after.keyword}",
                head + between + other + body + rest,
            )
        changes = list(_changed(step, body))
        # Only the first and the last change: all changes of a long RUN would take too long.
        for change, changed in (*changes[:1], *changes[1:][-1:]):
            yield f"{prefix}{step.keyword} {change}", head + changed + tail


def _instructions(text: str) -> list[Instruction]:
    parsed = parser.parse(text)
    inside = [step for stage in parsed.stages for step in stage.instructions]
    starts = [stage.line for stage in parsed.stages]
    outside = [
        parser.Instruction(keyword, number, number, line)
        for number, line in enumerate(text.splitlines(), 1)
        for keyword in ("ARG", "FROM")
        if line.startswith(keyword) and (number in starts or number < min(starts))
    ]
    return sorted([*inside, *outside], key=lambda step: step.line)


def _changed(step: Instruction, body: str) -> Iterator[tuple[str, str]]:
    """Yield the changes of an instruction, each with its name."""
    if change := _CHANGES.get(step.keyword):
        yield from change(body)


def _run(body: str) -> Iterator[tuple[str, str]]:
    for flag in _FLAG.finditer(body):
        yield f"without {flag[0].strip()}", body[: flag.start()] + body[flag.end() :]
    for pin in _PIN.finditer(body):
        yield f"without {pin[0]}", body[: pin.start()] + body[pin.end() :]
    commands = re.split(r"(\s*\\\n\s*&& |(?<=\S) && )", body.removeprefix("RUN "))
    for number in range(2, len(commands), 2):
        kept = "".join(commands[: number - 1] + commands[number + 1 :])
        words = " ".join(commands[number].split())[:40]
        yield f"without && {words}", "RUN " + kept.rstrip("\n") + "\n"


def _user(body: str) -> Iterator[tuple[str, str]]:
    yield "root", re.sub(r"USER .*", "USER root", body)
    yield "0:0", re.sub(r"USER .*", "USER 0:0", body)


def _workdir(body: str) -> Iterator[tuple[str, str]]:
    yield "elsewhere", re.sub(r"WORKDIR .*", "WORKDIR /elsewhere", body)


def _expose(body: str) -> Iterator[tuple[str, str]]:
    yield "another port", re.sub(r"EXPOSE .*", "EXPOSE 9999", body)


def _env(body: str) -> Iterator[tuple[str, str]]:
    for pair in _PAIR.finditer(body):
        name = pair["name"]
        changed = body[: pair.start("value")] + "spoilt" + body[pair.end("value") :]
        yield f"{name}=spoilt", changed
        renamed = body[: pair.start("name")] + f"NO_{name}" + body[pair.end("name") :]
        yield f"without {name}", renamed


def _arg(body: str) -> Iterator[tuple[str, str]]:
    if pair := re.search(r"=(\S+)", body):
        yield "without a value", body[: pair.start()] + body[pair.end() :]


def _from(body: str) -> Iterator[tuple[str, str]]:
    yield "scratch", re.sub(r"FROM (?:--\S+ )?\S+", "FROM scratch", body)


def _copy(body: str) -> Iterator[tuple[str, str]]:
    words = body.split()
    yield "--chown=10000:10000", body.replace("COPY ", "COPY --chown=10000:10000 ", 1)
    if not any(word.startswith("--") for word in words):
        yield "everything", re.sub(r"COPY .*", "COPY . ./", body)
        yield "elsewhere", re.sub(r"\S+(\s*)$", r"/elsewhere/\1", body)


def _command(body: str) -> Iterator[tuple[str, str]]:
    words = [word["word"] for word in _WORD.finditer(body)]
    keyword = body.split(maxsplit=1)[0]
    if words:
        yield "in a shell that waits", f"{keyword} {_shell(words)}; echo ended\n"
        yield "in a shell that hides failures", f"{keyword} {_shell(words)} || true\n"
    for word in _WORD.finditer(body):
        without = body[: word.start()] + body[word.end() :]
        tidy = re.sub(r",\s*,", ",", re.sub(r"\[\s*,\s*", "[", re.sub(r",\s*\]", "]", without)))
        yield f"without {word['word'][:30]}", tidy
    for old, new in (
        ("0.0.0.0", "127.0.0.1"),  # noqa: S104
        ('"8000"', '"8001"'),
        ('"api"', '"laser"'),
    ):
        if old in body:
            yield f"{new} for {old}", body.replace(old, new)


def _healthcheck(_body: str) -> Iterator[tuple[str, str]]:
    yield "that always succeeds", 'HEALTHCHECK CMD ["true"]\n'
    yield "none", "HEALTHCHECK NONE\n"


def _volume(body: str) -> Iterator[tuple[str, str]]:
    yield "elsewhere", re.sub(r"VOLUME .*", "VOLUME /elsewhere", body)


def _shell(words: list[str]) -> str:
    return " ".join(word if re.fullmatch(r"[\w./:@=-]+", word) else f"'{word}'" for word in words)


_CHANGES = {
    "RUN": _run,
    "USER": _user,
    "WORKDIR": _workdir,
    "EXPOSE": _expose,
    "ENV": _env,
    "ARG": _arg,
    "FROM": _from,
    "COPY": _copy,
    "CMD": _command,
    "ENTRYPOINT": _command,
    "HEALTHCHECK": _healthcheck,
    "VOLUME": _volume,
}
