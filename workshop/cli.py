"""The words of the kit: each becomes one call, and an exit code.

0: done. 1: something the learner built failed. 2: it could not be done.

A word has to answer at once, so each imports what it needs when it runs.
"""

from __future__ import annotations

import os
import signal
import sys
from argparse import ArgumentParser, BooleanOptionalAction, HelpFormatter
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from workshop.core.errors import Interrupted, UserError

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Iterable
    from types import FrameType

    from workshop.commands.setup import Kit
    from workshop.core.process import SubprocessRunner

COULD_NOT = 2
INTERRUPTED = 130
PROGRAM = "workshop"
PURPOSE = "Ready a machine for the course, run its services, check what learners build."
COLUMNS = 79


def _doctor(_asked: Namespace) -> int:
    """Say whether this machine is ready for the course, and what to do if not."""
    return 0 if _kit().doctor() else COULD_NOT


def _bases_options(word: ArgumentParser) -> None:
    word.add_argument(
        "--stand-ins",
        action="store_true",
        help="Ask no registry: build them from Debian's packages.",
    )


def _bases(asked: Namespace) -> int:
    """Make every base image of the course present, the day before."""
    _kit().bases(ask_registry=not asked.stand_ins)
    return 0


def _up_options(word: ArgumentParser) -> None:
    word.add_argument("--tests", action="store_true", help="Build the test and debug images too.")
    word.add_argument(
        "--start", action=BooleanOptionalAction, default=True, help="Start the web services."
    )


def _up(asked: Namespace) -> int:
    """Build every service, start the web ones, and wait until each is healthy."""
    _kit().up(tests=asked.tests, start=asked.start)
    return 0


def _down_options(word: ArgumentParser) -> None:
    word.add_argument(
        "--all", dest="everything", action="store_true", help="Remove the to-do data too."
    )


def _down(asked: Namespace) -> int:
    """Stop and remove what `up` started; the to-do data stays, unless --all is given."""
    _kit().down(everything=asked.everything)
    return 0


def _start(asked: Namespace) -> int:
    """Begin a task: lay out what it starts from, and say what is asked for."""
    from workshop.commands import grading

    return grading.start(asked.task, asked.path)


def _check_options(word: ArgumentParser) -> None:
    _task_options(word)
    word.add_argument("--static", action="store_true", help="Judge the text alone: no engine.")
    word.add_argument("--watch", action="store_true", help="Check again whenever a file is saved.")
    word.add_argument("--format", choices=("text", "json", "junit"), default="text")


def _check(asked: Namespace) -> int:
    """Build and run what you wrote for a task, and say what is right and what is not."""
    from workshop.commands import grading

    do = grading.watch if asked.watch else grading.check
    return do(asked.task, asked.path, asked.format, static=asked.static, runner=_runner)


def _solution(asked: Namespace) -> int:
    """Show how the kit's own answer to a task differs from yours."""
    from workshop.commands import grading

    return grading.solution(asked.task, asked.path)


def _image_options(word: ArgumentParser) -> None:
    word.add_argument("image", metavar="REF", help="Such as base-image-fastapi:dev.")


def _image(asked: Namespace) -> int:
    """Show where the bytes of an image come from, and which of them are wasted."""
    from workshop.commands import image_report

    sys.stdout.write(image_report.describe(asked.image, _runner()))
    return 0


def _serve_options(word: ArgumentParser) -> None:
    word.add_argument("--port", type=int, default=8800, help="The port to serve it on (8800).")


def _serve(asked: Namespace) -> int:
    """Show the course's lessons in a browser, until Ctrl-C."""
    from workshop.site import build

    build.show(asked.port, _runner())
    return 0


def _task_options(word: ArgumentParser) -> None:
    word.add_argument("task", metavar="TASK", help="Such as task-1.")
    word.add_argument("path", metavar="PATH", nargs="?", help="Your folder, if not the usual one.")


def _no_options(word: ArgumentParser) -> None:
    """Such a word is all there is to say."""


class _Word(NamedTuple):
    """What a word does, which its docstring says; and what may be said with it."""

    run: Callable[[Namespace], int]
    options: Callable[[ArgumentParser], None] = _no_options

    @property
    def help(self) -> str:
        return self.run.__doc__ or ""


WORDS = {
    "doctor": _Word(_doctor),
    "bases": _Word(_bases, _bases_options),
    "up": _Word(_up, _up_options),
    "down": _Word(_down, _down_options),
    "start": _Word(_start, _task_options),
    "check": _Word(_check, _check_options),
    "solution": _Word(_solution, _task_options),
    "image": _Word(_image, _image_options),
    "serve": _Word(_serve, _serve_options),
}


def main() -> int:
    """Run the command line; what the user can put right is one line and exit code 2."""
    _heed_signals()
    try:
        try:
            return _answer(sys.argv[1:])
        finally:
            sys.stdout.flush()
    except UserError as error:
        _complain(str(error))
        return COULD_NOT
    except Interrupted:
        _complain("Interrupted: what was under way was stopped. Run the command again to go on.")
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read this has gone: Python would complain at its end, as it writes the rest.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return COULD_NOT


def _answer(said: list[str]) -> int:
    """Do what was said; the exit code."""
    if not said:
        _complain(_help())
        return COULD_NOT
    name, *more = said
    if name in {"-h", "--help"}:
        print(_help())  # noqa: T201 - it is what was asked for
        return 0
    if name not in WORDS:
        raise UserError(PROGRAM, f"no word '{name}'", _fix(PROGRAM, name, WORDS))
    return WORDS[name].run(_read(name, more))


def _read(name: str, more: list[str]) -> Namespace:
    """What was said with a word; a `UserError` names what it does not know."""
    word = WORDS[name]
    parser = _Parser(
        prog=f"{PROGRAM} {name}",
        description=word.help,
        allow_abbrev=False,
        # Of a width that is told: to ask the terminal takes longer than all the rest.
        formatter_class=partial(HelpFormatter, width=COLUMNS),
    )
    word.options(parser)
    # Intermixed: an option may stand between two names.
    asked, unknown = parser.parse_known_intermixed_args(more)
    if unknown:
        thing, _, _ = unknown[0].partition("=")
        found = f"no option '{thing}'" if thing.startswith("-") else f"'{thing}' is a word too many"
        raise UserError(parser.prog, found, _fix(parser.prog, thing, parser.format_usage().split()))
    return asked


class _Parser(ArgumentParser):
    """Says in one line what is wrong."""

    def error(self, message: str) -> NoReturn:
        raise UserError(self.prog, message, f"See {self.prog} --help")


def _fix(program: str, wrong: str, known: Iterable[str]) -> str:
    """The known word that `wrong` may have been meant to be, or where to look."""
    import difflib

    near = difflib.get_close_matches(wrong, [word.strip("[]") for word in known], n=1)
    return f"Did you mean '{near[0]}'?" if near else f"See {program} --help"


def _help() -> str:
    import textwrap

    lines = [f"usage: {PROGRAM} WORD [OPTIONS]", "", PURPOSE, ""]
    width = max(map(len, WORDS)) + 4
    for name, word in WORDS.items():
        first, after = f"  {name}".ljust(width), " " * width
        lines += textwrap.wrap(word.help, COLUMNS, initial_indent=first, subsequent_indent=after)
    return "\n".join([*lines, "", f"{PROGRAM} WORD --help says more."])


def _kit() -> Kit:
    from workshop.commands.setup import Kit

    return Kit.here(_runner())


def _runner() -> SubprocessRunner:
    """A runner of programs; a signal to this one ends them first.

    Their threads would else keep this program waiting for them.
    """
    from workshop.core.process import SubprocessRunner

    run = SubprocessRunner()
    _heed_signals(run.stop)
    return run


def _heed_signals(stop: Callable[[], None] = lambda: None) -> None:
    """From now on `stop` is called, and `Interrupted` raised, when the user wants an end."""

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        stop()
        raise Interrupted

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupt)


def _complain(line: str) -> None:
    sys.stderr.write(line + "\n")
