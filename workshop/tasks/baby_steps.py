"""Baby steps: a first image, which prints a message with cowsay."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workshop.analysis.container.cowsay import read_bubble
from workshop.analysis.image.permissions import resolve_path
from workshop.checks import config, content, dockerfile, program
from workshop.model import Failed, Recipe, Task, check

if TYPE_CHECKING:
    from collections.abc import Callable

    from workshop.analysis.container.app import Run
    from workshop.analysis.image.image import Image
    from workshop.analysis.source import Source

FILE = "Dockerfile"
MESSAGE = "somenergia.coop"
OTHER = "other"
COMMAND = ("cowsay", "-f", "tux", "hello")
PENGUIN = "|o_o |"


def _require_word(word: str, expected: str) -> Callable[[Source], None]:
    """Return a check of the text that fails if no instruction contains or copies in `word`."""

    def check_text(source: Source) -> None:
        steps = source.final().instructions
        if not any(word in step.text or step.keyword in {"COPY", "ADD"} for step in steps):
            raise Failed(f"no instruction contains {word}", expected)

    return check_text


@check(
    points=1,
    text=_require_word("cowsay", "RUN apt-get install with cowsay"),
    why="An image contains only its base image and what the Dockerfile adds.",
    hint="RUN apt-get update && apt-get install -y cowsay (update downloads the package lists).",
)
def installs_cowsay(image: Image) -> None:
    """cowsay is installed."""
    if not image.find("**/cowsay"):
        raise Failed("no file named cowsay", "/usr/games/cowsay, where Ubuntu installs it")


@check(
    points=2,
    text=_require_word("/usr/games", "ENV PATH with /usr/games"),
    why="The shell searches for programs in PATH, and /usr/games is not part of it.",
    hint='ENV PATH="/usr/games:${PATH}" adds a directory and keeps the others.',
)
def cowsay_on_path(image: Image) -> None:
    """cowsay is on PATH."""
    path = image.env.get("PATH", "")
    if not any(resolve_path(image.tree, f"{folder}/cowsay") for folder in path.split(":")):
        found = image.find("**/bin/cowsay") or image.find("**/games/cowsay")
        place = f"cowsay is /{found[0]}" if found else "cowsay is not installed"
        raise Failed(f"PATH={path}, and {place}", "a directory in PATH that contains cowsay")


@check(
    points=1,
    blame=("CMD", "ENTRYPOINT"),
    why="CMD contains the program and its arguments, here the message.",
    hint=f'End CMD with "{MESSAGE}". To print another message: docker run IMAGE cowsay hello',
)
def prints_message(run: Run) -> None:
    """The message is somenergia.coop or the output of fortune."""
    message = program.read_speech_bubble(run).words
    # The output of fortune is not part of the command.
    if MESSAGE not in message and message in " ".join(run.command.split()):
        raise Failed(f"the message is: {message}", MESSAGE)


def _prints_penguin(run: Run) -> None:
    bubble = read_bubble(run.output)
    if bubble is None or bubble.words != "hello" or PENGUIN not in bubble.animal:
        raise Failed(
            f"exit code {run.code}, and the output ends with:\n{run.output[-300:]}",
            "a penguin that says hello",
        )


TASK = Task(
    "baby-steps",
    "build an image that prints a message with cowsay",
    "part-3/baby-steps",
    folder="services/part-3/baby-steps",
    answer=(FILE,),
    withheld=("README.md", ".dockerignore"),
    recipes=(Recipe(), Recipe(OTHER, command=COMMAND)),
    checks=(
        dockerfile.files_exist(FILE),
        dockerfile.base_image("ubuntu"),
        config.builds,
        installs_cowsay,
        cowsay_on_path,
        program.prints(
            program.read_speech_bubble,
            name="prints-speech-bubble",
            title="Prints a speech bubble",
            hint=f'CMD ["cowsay", "{MESSAGE}"], or another animal with -f',
        ),
        prints_message,
        program.command_can_be_overridden(
            _prints_penguin,
            COMMAND,
            prints="a penguin that says hello",
            hint="Put the whole command into CMD, without ENTRYPOINT, and add /usr/games to PATH.",
            of=OTHER,
        ),
        content.no_files(
            "no-package-lists",
            "No layer contains apt package lists",
            r"^var/lib/apt/lists/",
            "End the RUN that installs packages with && rm -rf /var/lib/apt/lists/*",
        ),
    ),
)
