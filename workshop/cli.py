"""The words of the kit: each becomes one call, and an exit code.

0: done. 1: something the learner built failed. 2: it could not be done.
"""

from __future__ import annotations

import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from workshop import bases, daemon, disk, doctor, host, settings, up, versions
from workshop.catalogue import EXTRA_IMAGES, IMAGES
from workshop.engine import Engine
from workshop.machine import Machine
from workshop.process import Children
from workshop.progress import Board
from workshop.trouble import Interrupted, Trouble

if TYPE_CHECKING:
    from types import FrameType

    from workshop.engine import Info

COULD_NOT = 2
INTERRUPTED = 130
ROOT = Path(__file__).resolve().parent.parent

_RUN = Children()

app = typer.Typer(
    help="Ready this machine for the course, build every service, start and stop them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@dataclass(frozen=True)
class _Kit:
    """What every word works with."""

    console: Console
    run: Children
    engine: Engine
    pins: versions.Versions

    def say(self, line: str) -> None:
        self.console.print(line, highlight=False, markup=False, soft_wrap=True)

    def provide(self, board: Board, *, ask_registry: bool = True) -> Info:
        """An engine that answers, and every base image in it."""
        machine = Machine(host.look(), self.engine, self.run, board)
        info = daemon.ready(machine)
        bases.ready(machine, self.pins, info, ask_registry=ask_registry)
        return info


def _kit() -> _Kit:
    return _Kit(Console(), _RUN, Engine(_RUN), versions.read(ROOT / "versions.toml"))


@app.command("doctor")
def _doctor() -> None:
    """Say whether this machine is ready for the course, and what to do if not."""
    kit = _kit()
    bad = False
    for finding in doctor.examine(kit.engine, host.look(), kit.pins, ROOT):
        mark = "ok " if finding.good else "BAD"
        kit.say(f"{mark} {finding.thing}: {finding.found}")
        if not finding.good:
            bad = True
            kit.say(f"    {finding.cure}")
    if bad:
        raise typer.Exit(COULD_NOT)


@app.command("bases")
def _bases(
    stand_ins: Annotated[
        bool,
        typer.Option("--stand-ins", help="Ask no registry: build them from Debian's packages."),
    ] = False,
) -> None:
    """Make every base image of the course present, the day before."""
    kit = _kit()
    with Board(kit.console) as board:
        kit.provide(board, ask_registry=not stand_ins)
    for base in kit.pins.base:
        if kit.engine.has(base.image):
            kind = "stand-in" if kit.engine.standin_for(base.image) else ""
            size = kit.engine.size(base.image) / 1e6
            kit.say(
                f"{base.image:<28} {size:5.0f} MB  supported until {base.ends}  {kind}".rstrip()
            )


@app.command("up")
def _up(
    tests: Annotated[
        bool, typer.Option("--tests", help="Build the test and debug images too.")
    ] = False,
    start: Annotated[bool, typer.Option(help="Start the web services.")] = True,
) -> None:
    """Build every service, start the web ones, and wait until each is healthy."""
    kit = _kit()
    settings.check(ROOT)
    with Board(kit.console) as board:
        disk.check(kit.provide(board), disk.AGAIN)
        settings.write_missing(ROOT, board.say)
        images = IMAGES + (EXTRA_IMAGES if tests else ())
        built = up.build(kit.engine, ROOT, images, board)
        addresses = up.start(kit.engine, ROOT, board) if start else {}
    kit.console.print()
    kit.console.print(up.table(built, addresses), highlight=False)
    standins = [b.image for b in kit.pins.base if kit.engine.standin_for(b.image)]
    if standins:
        kit.say("\nBase images are stand-ins from Debian's packages: no image registry answered.")


@app.command("down")
def _down(
    everything: Annotated[bool, typer.Option("--all", help="Remove the to-do data too.")] = False,
) -> None:
    """Stop and remove what `up` started; the to-do data stays, unless --all is given."""
    kit = _kit()
    if kit.engine.info() is None:
        kit.say("No Docker engine answers: nothing of the kit runs")
        return
    up.down(kit.engine, ROOT, everything=everything)


def main() -> None:
    """Run the command line; what the user can put right is one line and exit code 2."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    try:
        app()
    except Trouble as trouble:
        _complain(str(trouble))
        sys.exit(COULD_NOT)
    except Interrupted:
        _complain("Interrupted: what was under way was stopped. Run the command again to go on.")
        sys.exit(INTERRUPTED)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    """End the children first: their threads would else keep this program waiting for them."""
    _RUN.stop()
    raise Interrupted


def _complain(line: str) -> None:
    Console(stderr=True, soft_wrap=True).print(line, highlight=False, markup=False)
