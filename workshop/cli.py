"""The command line: each command calls one function and returns its exit code.

0: success. 1: something that the learner built failed, or the doctor found a problem. 2: an error.

Each command imports its modules when it runs, so that the tool starts fast.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from argparse import ArgumentParser, ArgumentTypeError, BooleanOptionalAction, HelpFormatter
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from workshop.core.errors import Interrupted, UserError

if TYPE_CHECKING:
    from argparse import Namespace, _ActionsContainer
    from collections.abc import Callable, Iterable
    from types import FrameType, ModuleType

    from workshop.commands.setup import Setup
    from workshop.core.process import SubprocessRunner

ERROR = 2
INTERRUPTED = 130
PROGRAM = "workshop"
PURPOSE = "Set up a machine for the course, run its services, and grade your answers."
COLUMNS = 79
MAX_JOBS = 64

_interrupted = threading.Event()


def _doctor_options(parser: ArgumentParser) -> None:
    _add_flag(parser, "--fix", "Apply each fix that is safe; ask before each of them.")
    _add_flag(parser, "--yes", "With --fix, do not ask.")
    _add_flag(parser, "--json", "Print one JSON document (schema workshop/doctor/v1).")
    _add_flag(parser, "--offline", "Ask no server: check only what is on this machine.")


def _doctor(arguments: Namespace) -> int:
    """Check whether this machine is ready for the course, and print a fix for each problem."""
    from workshop.commands import doctor

    options = doctor.Options(
        fix=arguments.fix,
        confirmed=arguments.yes,
        as_json=arguments.json,
        online=not arguments.offline,
    )
    return doctor.run(options, _runner())


def _bases_options(parser: ArgumentParser) -> None:
    kind = parser.add_mutually_exclusive_group()
    _add_flag(kind, "--stand-ins", "Build them from Debian packages instead of pulling them.")
    _add_flag(kind, "--pull", "Pull the newest ones, even of those that are present.")


def _bases(arguments: Namespace) -> int:
    """Pull or build every base image of the course in advance."""
    _setup().bases(ask_registry=not arguments.stand_ins, again=arguments.pull)
    return 0


def _up_options(parser: ArgumentParser) -> None:
    _add_flag(parser, "--tests", "Also build the test and debug images.")
    parser.add_argument(
        "--start", action=BooleanOptionalAction, default=True, help="Start the web services."
    )


def _up(arguments: Namespace) -> int:
    """Build every service, start the web services, and wait until they are healthy."""
    _setup().up(tests=arguments.tests, start=arguments.start)
    return 0


def _down_options(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--all", dest="everything", action="store_true", help="Also remove the to-do data."
    )


def _down(arguments: Namespace) -> int:
    """Stop and remove the containers that `up` started, but keep the to-do data."""
    _setup().down(everything=arguments.everything)
    return 0


def _list(_arguments: Namespace) -> int:
    """List the tasks with your points, and show which one is next."""
    from workshop.commands import grading

    return grading.list_tasks()


def _status(_arguments: Namespace) -> int:
    """Show your last task, its state, what is next, and whether the engine answers."""
    from workshop.commands import grading

    return grading.status(_runner)


def _start(arguments: Namespace) -> int:
    """Start a task: copy its starter files, and print its requirements."""
    from workshop.commands import grading

    return grading.start(arguments.task, arguments.path)


def _check_options(parser: ArgumentParser) -> None:
    _task_options(parser)
    _add_flag(parser, "--static", "Only check the files; build nothing.")
    _add_flag(parser, "--watch", "Check again whenever a file is saved; in a terminal, with keys.")
    parser.add_argument("--format", choices=("text", "json", "json-lines", "junit"), default="text")


def _check(arguments: Namespace) -> int:
    """Build, run and grade your answer to a task."""
    options = (arguments.task, arguments.path, arguments.format)
    if arguments.watch:
        from workshop.commands import watch

        return watch.watch(*options, static=arguments.static, runner=_runner)
    from workshop.commands import grading

    return grading.check(*options, static=arguments.static, runner=_runner)


def _hint(arguments: Namespace) -> int:
    """Print a hint for the first requirement that your answer does not meet."""
    from workshop.commands import grading

    return grading.hint(arguments.task, arguments.path, _runner)


def _solution_options(parser: ArgumentParser) -> None:
    _task_options(parser)
    _add_flag(parser, "--yes", "Show the solution even before your first check.")


def _solution(arguments: Namespace) -> int:
    """Compare your answer to a task with the reference solution."""
    from workshop.commands import grading

    return grading.solution(arguments.task, arguments.path, confirmed=arguments.yes)


def _grade_options(parser: ArgumentParser) -> None:
    parser.add_argument("folder", metavar="SUBMISSIONS", help="The folder of submissions.")
    parser.add_argument(
        "--task",
        action="append",
        required=True,
        metavar="TASK",
        help="The task to grade, or all; may be repeated.",
    )
    parser.add_argument("--out", default="marks", help="The folder for the marks (default: marks).")
    parser.add_argument("--roster", help="A CSV file with the learners: id, name, email, path.")
    parser.add_argument("--only", default="", metavar="LEARNER", help="Grade only this learner.")
    _add_flag(parser, "--dry-run", "Print what is recognised, and grade nothing.")
    _add_flag(parser, "--fresh", "Grade everything again, even what has not changed.")
    _add_flag(parser, "--require-isolation", "Grade only if the engine enforces every limit.")
    parser.add_argument(
        "--jobs", type=_count, default=0, help="Grade so many at once (default: one for each core)."
    )
    parser.add_argument(
        "--scheduler",
        type=_address,
        metavar="tcp://HOST:PORT",
        help="Grade on the workers of this Dask cluster; also tls://.",
    )


def _grade(arguments: Namespace) -> int:
    """Grade a whole class: what is missing or has changed since the last run."""
    from pathlib import Path

    from workshop.commands import cohort

    options = cohort.Options(
        Path(arguments.folder),
        cohort.parse_tasks(arguments.task),
        Path(arguments.out),
        Path(arguments.roster) if arguments.roster else None,
        arguments.only,
        fresh=arguments.fresh,
        isolated=arguments.require_isolation,
        jobs=arguments.jobs,
        scheduler=arguments.scheduler or "",
    )
    return cohort.dry_run(options) if arguments.dry_run else cohort.grade(options, _runner)


def _count(text: str) -> int:
    """Parse a number from 1 to 64."""
    if not text.isdecimal() or not 1 <= int(text) <= MAX_JOBS:
        raise ArgumentTypeError(f"not a number from 1 to {MAX_JOBS}: '{text}'")
    return int(text)


def _address(text: str) -> str:
    """Parse the address of a Dask scheduler."""
    protocol, _, rest = text.partition("://")
    host, _, port = rest.rpartition(":")
    if protocol not in {"tcp", "tls"} or not host or not port.isdecimal():
        raise ArgumentTypeError(f"not an address like tcp://HOST:8786 or tls://HOST:8786: '{text}'")
    return text


def _image_options(parser: ArgumentParser) -> None:
    parser.add_argument(
        "image", metavar="IMAGE", help="For example base-image-fastapi:dev, or ./image.tar."
    )
    parser.add_argument("other", metavar="OTHER", nargs="?", help="An image to compare it with.")
    parser.add_argument("--html", metavar="FILE", default="", help="Write a page with a map.")
    parser.add_argument(
        "--dockerfile", metavar="FILE", default="", help="Show the bytes of each line of this file."
    )
    parser.add_argument("--target", metavar="STAGE", default="", help="The stage that was built.")
    parser.add_argument("--format", choices=("text", "json"), default="text")


def _image(arguments: Namespace) -> int:
    """Show the size of each layer of an image and how much of it is wasted, or compare two."""
    from workshop.commands import image_report

    options = image_report.Options(
        arguments.image,
        arguments.other or "",
        arguments.format,
        arguments.html,
        arguments.dockerfile,
        arguments.target,
    )
    sys.stdout.write(image_report.describe(options, _runner))
    return 0


def _cache(arguments: Namespace) -> int:
    """Edit a copy of your answer, and show what a rebuild repeats and how long that takes."""
    from workshop.commands import trials

    return trials.show_cache(arguments.task, arguments.path, _runner)


def _slim_options(parser: ArgumentParser) -> None:
    _task_options(parser)
    _add_flag(parser, "--apply", "Write the changes into your files.")


def _slim(arguments: Namespace) -> int:
    """Try changes that make your image smaller; show those that work, with their gain."""
    from workshop.commands import trials

    return trials.slim(arguments.task, arguments.path, _runner, apply=arguments.apply)


def _serve_options(parser: ArgumentParser) -> None:
    parser.add_argument("--port", type=int, default=8800, help="The port to use (default: 8800).")


def _serve(arguments: Namespace) -> int:
    """Serve the lessons to your browser until you press Ctrl-C."""
    from workshop.site import build

    build.run_server(arguments.port, _runner())
    return 0


def _learn_options(parser: ArgumentParser) -> None:
    parser.add_argument("--port", type=int, default=8801, help="The port to use (default: 8801).")
    parser.add_argument("--host", default="127.0.0.1", help="Listen for other computers too.")
    _add_flag(parser, "--present", "Show a lesson step by step, in large text, without answers.")
    _add_flag(parser, "--no-browser", "Only print the address.")


def _learn(arguments: Namespace) -> int:
    """Open the desk: lessons, terminal, editor and checks in one page of your browser."""
    try:
        from desk import launch
    except ModuleNotFoundError as error:
        fix = "Install it with: pip install 'workshop[desk]'"
        raise UserError("workshop learn", f"{error.name} is not installed", fix) from None
    options = launch.Options(
        arguments.host,
        arguments.port,
        present=arguments.present,
        open_browser=not arguments.no_browser,
    )
    launch.run(options, _runner())
    return 0


def _pack_options(parser: ArgumentParser) -> None:
    parser.add_argument("--out", default="pack.tar", help="The archive (default: pack.tar).")
    parser.add_argument(
        "--arch",
        type=_list_of("amd64", "arm64"),
        metavar="LIST",
        help="Architectures of the images: amd64, arm64 (default: this machine's).",
    )
    parser.add_argument(
        "--systems",
        type=_list_of("linux", "macos", "windows"),
        default=("linux",),
        metavar="LIST",
        help="Systems of the learners: linux, macos, windows (default: linux).",
    )
    parser.add_argument(
        "--service",
        action="append",
        default=[],
        metavar="NAME",
        help="Pack only this service, such as degrees_api; may be repeated.",
    )
    _add_flag(parser, "--dry-run", "Print what would be packed and its size, and pack nothing.")
    parser.add_argument("--check", metavar="PACK", help="Verify every byte of a pack.")


def _pack(arguments: Namespace) -> int:
    """Pack all that a class needs into one archive, for a class without the internet."""
    from pathlib import Path

    from workshop.site import build

    classroom = _import_classroom("pack")
    if arguments.check:
        classroom.check(Path(arguments.check))
        return 0
    options = classroom.PackOptions(
        Path(arguments.out),
        arguments.arch or (),
        arguments.systems,
        tuple(arguments.service),
        dry_run=arguments.dry_run,
    )
    setup = _setup()
    classroom.pack(options, setup, lambda env: build.build(setup.run, env=env))
    return 0


def _classroom_options(parser: ArgumentParser) -> None:
    parser.add_argument("pack", metavar="PACK", help="The archive that workshop pack has made.")
    parser.add_argument(
        "--host", default="127.0.0.1", help="This computer's address in the classroom's network."
    )
    parser.add_argument("--port", type=int, default=8443, help="The port (default: 8443).")
    parser.add_argument(
        "--folder", default="classroom", help="The folder for its files (default: classroom)."
    )
    parser.add_argument(
        "--learners", metavar="FILE", help="The names of the learners, one on each line."
    )


def _classroom(arguments: Namespace) -> int:
    """Serve a pack to a class: images, packages, lessons, and a page to join."""
    from pathlib import Path

    learners = Path(arguments.learners) if arguments.learners else None
    options = (Path(arguments.pack), Path(arguments.folder), arguments.host, arguments.port)
    _import_classroom("classroom").serve(*options, learners, _runner())
    return 0


def _join_options(parser: ArgumentParser) -> None:
    parser.add_argument(
        "address", metavar="URL", nargs="?", default="", help="The address of the classroom."
    )
    parser.add_argument("--fingerprint", default="", help="The one on the classroom's page.")
    _add_flag(parser, "--leave", "Use the internet again, instead of a classroom.")


def _join(arguments: Namespace) -> int:
    """Use a classroom instead of the internet: its images and its packages."""
    from workshop.commands import join

    if arguments.leave:
        join.leave(_runner())
    else:
        join.join(arguments.address, arguments.fingerprint, _runner())
    return 0


def _import_classroom(command: str) -> ModuleType:
    try:
        from workshop.commands import classroom
    except ModuleNotFoundError as error:
        fix = "Install it with: pip install 'workshop[classroom]'"
        raise UserError(f"workshop {command}", f"{error.name} is not installed", fix) from None
    return classroom


def _list_of(*known: str) -> Callable[[str], tuple[str, ...]]:
    """Return a parser of `known` names with commas between them."""

    def parse(text: str) -> tuple[str, ...]:
        names = tuple(sorted({*text.split(",")}))
        for name in names:
            if name not in known:
                raise ArgumentTypeError(f"not one of {', '.join(known)}: '{name}'")
        return names

    return parse


def _task_options(parser: ArgumentParser) -> None:
    parser.add_argument("task", metavar="TASK", help="For example task-1.")
    parser.add_argument("path", metavar="PATH", nargs="?", help="Your folder, if not the default.")


def _add_flag(parser: _ActionsContainer, name: str, text: str) -> None:
    parser.add_argument(name, action="store_true", help=text)


class _Command(NamedTuple):
    """A command: the function that runs it, whose docstring is its help, and its options."""

    run: Callable[[Namespace], int]
    add_options: Callable[[ArgumentParser], None] = lambda _parser: None

    @property
    def help(self) -> str:
        return self.run.__doc__ or ""


COMMANDS = {
    "doctor": _Command(_doctor, _doctor_options),
    "bases": _Command(_bases, _bases_options),
    "up": _Command(_up, _up_options),
    "down": _Command(_down, _down_options),
    "list": _Command(_list),
    "status": _Command(_status),
    "start": _Command(_start, _task_options),
    "check": _Command(_check, _check_options),
    "hint": _Command(_hint, _task_options),
    "solution": _Command(_solution, _solution_options),
    "grade": _Command(_grade, _grade_options),
    "image": _Command(_image, _image_options),
    "cache": _Command(_cache, _task_options),
    "slim": _Command(_slim, _slim_options),
    "serve": _Command(_serve, _serve_options),
    "learn": _Command(_learn, _learn_options),
    "pack": _Command(_pack, _pack_options),
    "classroom": _Command(_classroom, _classroom_options),
    "join": _Command(_join, _join_options),
}


def main() -> int:
    """Run the command line; a `UserError` is one line on standard error and exit code 2."""
    _handle_signals()
    try:
        try:
            return _run(sys.argv[1:])
        finally:
            sys.stdout.flush()
    except UserError as error:
        print(error, file=sys.stderr)
        return ERROR
    except BrokenPipeError:
        # The reader has closed the pipe. Without this, Python fails to flush at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ERROR
    except BaseException:
        # Python turns an exception that interrupts the definition of a class into another one.
        if not _interrupted.is_set():
            raise
        print("Interrupted. Run the command again to continue.", file=sys.stderr)
        return INTERRUPTED


def _run(argv: list[str]) -> int:
    """Run the command in `argv`, and return its exit code."""
    if not argv:
        print(_format_help(), file=sys.stderr)
        return ERROR
    name, *arguments = argv
    if name in {"-h", "--help"}:
        print(_format_help())
        return 0
    if name == "--version":
        from importlib.metadata import version

        print(f"{PROGRAM} {version(PROGRAM)}")
        return 0
    if name not in COMMANDS:
        raise UserError(PROGRAM, f"no command '{name}'", _suggest(PROGRAM, name, COMMANDS))
    return COMMANDS[name].run(_parse(name, arguments))


def _parse(name: str, arguments: list[str]) -> Namespace:
    """Parse the arguments of a command; raise a `UserError` about an unknown one."""
    command = COMMANDS[name]
    parser = _Parser(
        prog=f"{PROGRAM} {name}",
        description=command.help,
        allow_abbrev=False,
        # A fixed width: reading the terminal's takes longer than everything else here.
        formatter_class=partial(HelpFormatter, width=COLUMNS),
    )
    command.add_options(parser)
    # Intermixed: an option may come between two positional arguments.
    parsed, unknown = parser.parse_known_intermixed_args(arguments)
    if unknown:
        thing, _, _ = unknown[0].partition("=")
        kind = "no option" if thing.startswith("-") else "unexpected argument"
        fix = _suggest(parser.prog, thing, parser.format_usage().split())
        raise UserError(parser.prog, f"{kind} '{thing}'", fix)
    return parsed


class _Parser(ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        raise UserError(self.prog, message, f"See {self.prog} --help")


def _suggest(program: str, wrong: str, known: Iterable[str]) -> str:
    """Suggest the `known` argument that is closest to `wrong`, or else `--help`."""
    import difflib

    near = difflib.get_close_matches(wrong, [name.strip("[]") for name in known], n=1)
    return f"Did you mean '{near[0]}'?" if near else f"See {program} --help"


def _format_help() -> str:
    import textwrap

    lines = [f"usage: {PROGRAM} COMMAND [OPTIONS]", "", PURPOSE, ""]
    width = max(map(len, COMMANDS)) + 4
    for name, command in COMMANDS.items():
        first, after = f"  {name}".ljust(width), " " * width
        lines += textwrap.wrap(
            command.help,
            COLUMNS,
            initial_indent=first,
            subsequent_indent=after,
            break_on_hyphens=False,
        )
    return "\n".join([*lines, "", f"Run '{PROGRAM} COMMAND --help' for more information."])


def _setup() -> Setup:
    from workshop.commands.setup import Setup

    return Setup.create(_runner())


def _runner() -> SubprocessRunner:
    """Return a runner whose children end before this program on a signal.

    Otherwise this program would wait for the threads that read from them.
    """
    from workshop.core.process import SubprocessRunner

    run = SubprocessRunner()
    _handle_signals(run.stop)
    _share_proxy()
    # Python ignores an exception that interrupts, for example, the end of an object's life.
    if _interrupted.is_set():
        raise Interrupted
    return run


def _share_proxy() -> None:
    """Set every variable that a program may read, if one of them names a proxy."""
    from workshop.core import proxies

    if found := proxies.read(os.environ):
        os.environ.update(found.variables)


def _handle_signals(stop: Callable[[], bool] = lambda: True) -> None:
    """Call `stop` on SIGINT and SIGTERM, and raise `Interrupted` if it returns true."""

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        _interrupted.set()
        if stop():
            raise Interrupted

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupt)
