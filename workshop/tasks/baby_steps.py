"""Baby steps: a first image, in which an animal speaks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workshop.analysis.container.cowsay import read_bubble
from workshop.analysis.image.permissions import resolve_path
from workshop.checks import based_on, builds, leaves_nothing, says, speech_bubble, writes
from workshop.model import Failed, Recipe, Task, check

if TYPE_CHECKING:
    from workshop.analysis.container.app import Run
    from workshop.analysis.image.image import Image
    from workshop.analysis.source import Source

LESSON = "part-3/baby-steps"
FILE = "Dockerfile"
WORDS = "somenergia.coop"
OTHER = "other"
PENGUIN = "|o_o |"


def _mentions(source: Source, word: str) -> bool:
    """Whether the Dockerfile has the word, or brings files along that may have it."""
    steps = source.final().instructions
    return any(word in step.text or step.keyword in {"COPY", "ADD"} for step in steps)


def _installs_by_text(source: Source) -> None:
    if not _mentions(source, "cowsay"):
        raise Failed("no instruction that names cowsay", "RUN apt-get install with cowsay")


@check(
    points=1,
    lesson=LESSON,
    text=_installs_by_text,
    why="An image holds what its base holds, and what RUN adds to that.",
    hint="RUN apt-get update && apt-get install -y cowsay: the lists of packages come first.",
)
def cowsay_is_installed(image: Image) -> None:
    """The image holds cowsay."""
    if not image.find("**/cowsay"):
        raise Failed("no file called cowsay", "/usr/games/cowsay, where Ubuntu puts it")


def _path_by_text(source: Source) -> None:
    if not _mentions(source, "/usr/games"):
        raise Failed("no instruction that names /usr/games", "ENV PATH with /usr/games in it")


@check(
    points=2,
    lesson=LESSON,
    text=_path_by_text,
    why="A program is looked for in the folders of PATH, and /usr/games is none of them.",
    hint='ENV PATH="/usr/games:${PATH}" adds a folder, and keeps the others.',
)
def cowsay_is_found(image: Image) -> None:
    """cowsay is found through PATH."""
    path = image.env.get("PATH", "")
    if not any(resolve_path(image.tree, f"{folder}/cowsay") for folder in path.split(":")):
        there = image.find("**/bin/cowsay") or image.find("**/games/cowsay")
        actual = f"PATH={path}, and cowsay is {'/' + there[0] if there else 'nowhere'}"
        raise Failed(actual, "a folder of PATH that holds cowsay")


@check(
    points=1,
    lesson=LESSON,
    blame=("CMD", "ENTRYPOINT"),
    why="CMD holds the program and its arguments: here, what is to be said.",
    hint=f'End CMD with "{WORDS}". Other words fit after the image: docker run IMAGE cowsay hello',
)
def says_its_words(run: Run) -> None:
    """The words are somenergia.coop, or a fortune's."""
    words = speech_bubble(run).words
    # A fortune is in no command: who asked for one has other words each time.
    if WORDS not in words and words in " ".join(run.command.split()):
        raise Failed(f"the words are: {words}", WORDS)


@check(
    points=2,
    lesson=LESSON,
    name="takes-another-command",
    title="docker run IMAGE cowsay -f tux hello lets a penguin say hello",
    blame=("ENTRYPOINT", "CMD"),
    why="What follows the image's name replaces CMD; ENTRYPOINT would stay in front of it.",
    hint="Put the whole command into CMD, without ENTRYPOINT, and let PATH name /usr/games.",
)
def takes_another_command(run: Run) -> None:
    """Another command takes the place of CMD."""
    bubble = read_bubble(run.output)
    if bubble is None or bubble.words != "hello" or PENGUIN not in bubble.animal:
        raise Failed(
            f"it ended with exit code {run.code}, and printed:\n{run.output[-300:]}",
            "a penguin that says hello",
        )


TASK = Task(
    "baby-steps",
    "build an image in which a cow speaks",
    LESSON,
    folder="services/part-3/baby-steps",
    answer=(FILE,),
    withheld=("README.md", ".dockerignore"),
    recipes=(Recipe(), Recipe(OTHER, command=("cowsay", "-f", "tux", "hello"))),
    checks=(
        writes(FILE, lesson=LESSON),
        based_on("ubuntu", LESSON),
        builds(LESSON),
        cowsay_is_installed,
        cowsay_is_found,
        says(
            speech_bubble,
            LESSON,
            title="An animal says something in a speech bubble",
            hint=f'CMD ["cowsay", "{WORDS}"], or another animal with -f',
        ),
        says_its_words,
        takes_another_command._replace(of=OTHER),
        leaves_nothing(
            "no-package-lists",
            "No layer holds the package lists of apt",
            r"^var/lib/apt/lists/",
            LESSON,
            "End the RUN that installs with && rm -rf /var/lib/apt/lists/*",
        ),
    ),
)
