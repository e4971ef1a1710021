"""The command `doctor`: prints what is wrong with this machine, and fixes what it may."""

from __future__ import annotations

import json
import os
import sys
import textwrap
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Console

from workshop.core.errors import UserError
from workshop.core.paths import ROOT
from workshop.core.progress import COLUMNS, ProgressDisplay
from workshop.core.sanitise import plain
from workshop.engine import Engine
from workshop.machine import host
from workshop.machine.doctor.examination import examine
from workshop.machine.doctor.finding import State
from workshop.machine.doctor.subject import Subject
from workshop.machine.machine import Machine
from workshop.stack import versions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from workshop.core.process import Runner
    from workshop.machine.doctor.finding import Finding, Repair

SCHEMA = "workshop/doctor/v1"
_MARK = {State.OK: "ok", State.WARNING: "WARNING", State.PROBLEM: "PROBLEM"}
_INDENT = 9


@dataclass(frozen=True)
class Options:
    """The options of the command. `confirmed` answers each question with yes."""

    fix: bool = False
    confirmed: bool = False
    as_json: bool = False
    online: bool = True


def run(options: Options, runner: Runner) -> int:
    """Examine this machine, and return 0 if there is no problem, else 1."""
    if options.confirmed and not options.fix:
        raise UserError("workshop doctor", "--yes answers the questions of --fix", "Add --fix")
    if options.as_json and options.fix and not options.confirmed:
        fix = "Add --yes, or leave out --json"
        raise UserError("workshop doctor", "--fix asks, and --json prints no question", fix)
    console = Console(stderr=options.as_json)
    display = ProgressDisplay(console)
    machine = Machine(host.detect(), Engine(runner), runner, display)
    pins = versions.read(ROOT / "versions.toml")

    def examine_now() -> list[Finding]:
        found = []
        for finding in examine(Subject(machine, pins, ROOT, os.environ, online=options.online)):
            if not options.as_json:
                print_finding(finding, display.print)
            found.append(finding)
        return found

    findings = examine_now()
    repaired = _repair(findings, display, confirmed=options.confirmed) if options.fix else {}
    if any(not fault for fault in repaired.values()):
        if not options.as_json:
            display.print("\nAfter that:")
        findings = examine_now()
    if options.as_json:
        print(json.dumps(document(findings, repaired), indent=2, ensure_ascii=False))
    else:
        display.print(f"\n{summary(findings, fixing=options.fix)}")
    return int(any(finding.state is State.PROBLEM for finding in findings))


def print_finding(finding: Finding, write: Callable[[str], None]) -> None:
    """Write a finding in lines of at most 80 columns, but for longer words, such as paths."""
    mark = _MARK[finding.state].ljust(_INDENT)
    _wrap(mark, f"{finding.thing}: {plain(finding.found)}", write)
    if finding.state is not State.OK:
        if finding.wanted:
            _wrap(" " * _INDENT, f"wanted: {finding.wanted}", write)
        _wrap(" " * _INDENT, f"fix: {finding.fix}", write)


def _wrap(first: str, text: str, write: Callable[[str], None]) -> None:
    lines = textwrap.wrap(
        text,
        COLUMNS,
        initial_indent=first,
        subsequent_indent=" " * _INDENT + "  ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    for line in lines:
        write(line)


def summary(findings: Iterable[Finding], *, fixing: bool) -> str:
    """Return the last line: how many problems there are, and how to fix them."""
    findings = list(findings)
    counts = Counter(finding.state for finding in findings)
    parts = [
        f"{counts[state]} {state}{'s' if counts[state] > 1 else ''}"
        for state in (State.PROBLEM, State.WARNING)
        if counts[state]
    ]
    if not parts:
        return "This computer is ready."
    text = f"{' and '.join(parts)}."
    repairs = sum(finding.repair is not None for finding in findings)
    if repairs and not fixing:
        text += f" workshop doctor --fix can fix {repairs} of them: it asks first."
    return text


def document(findings: Iterable[Finding], repaired: dict[str, str]) -> dict[str, object]:
    """Return the JSON document; `repaired` has the faults of repairs, by the finding's thing."""
    rows = [
        {
            "thing": finding.thing,
            "state": finding.state,
            "found": finding.found,
            "wanted": finding.wanted,
            "fix": finding.fix,
            "repair": finding.repair.action if finding.repair else None,
        }
        for finding in findings
    ]
    states = {finding.state for finding in findings}
    worst = next(state for state in (*reversed(State), State.OK) if state in states or not states)
    repairs = [{"thing": thing, "error": fault or None} for thing, fault in repaired.items()]
    return {"schema": SCHEMA, "state": worst, "findings": rows, "repairs": repairs}


def _repair(
    findings: Iterable[Finding], display: ProgressDisplay, *, confirmed: bool
) -> dict[str, str]:
    """Apply each repair that the user agrees to; return its fault, or empty, by its thing."""
    done = {}
    for finding in findings:
        repair = finding.repair
        if not repair or not (confirmed or _ask(finding.thing, repair, display)):
            continue
        try:
            # Not before: a display that is drawn again and again would hide the question.
            with display:
                repair.run()
            done[finding.thing] = ""
        except UserError as error:
            done[finding.thing] = str(error)
            display.print(f"{finding.thing}: not fixed: {error}")
    return done


def _ask(thing: str, repair: Repair, display: ProgressDisplay) -> bool:
    """Ask whether to apply a repair; without a terminal to ask in, the answer is no."""
    if not sys.stdin.isatty():
        display.print(f"{thing}: not fixed, because there is no terminal to ask in: add --yes")
        return False
    try:
        return input(f"\n{repair.action}? [y/N] ").strip().lower() in {"y", "yes"}
    except EOFError:
        return False
