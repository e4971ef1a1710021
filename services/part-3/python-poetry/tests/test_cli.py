"""What ``greeter-cli`` prints, as a function and as the installed command."""

import os
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import cowsay
import pytest

from greeter.cli import GREETING, cli


def test_the_dinosaur_says_the_greeting(capsys: pytest.CaptureFixture[str]) -> None:
    """The function prints cowsay's own T. rex around the greeting, and nothing else."""
    cli()

    assert capsys.readouterr().out == cowsay.get_output_string("trex", GREETING) + "\n"


def test_the_greeting_is_the_one_the_lesson_shows() -> None:
    """The words are fixed: learners compare them with the lesson."""
    assert GREETING == "Greetings from somenergia.coop!"


def test_the_project_declares_the_command() -> None:
    """The package's metadata names the command and the function behind it."""
    (script,) = entry_points(group="console_scripts", name="greeter-cli")

    assert script.load() is cli


@pytest.mark.parametrize(
    "command",
    [
        [str(Path(sys.executable).parent / "greeter-cli")],
        [sys.executable, "-m", "greeter.cli"],
    ],
    ids=["installed command", "module"],
)
def test_both_ways_to_start_it_greet(command: list[str], tmp_path: Path) -> None:
    """Started from any folder, without PYTHONPATH, it greets and ends with status 0."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}

    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert GREETING in done.stdout
