"""Test the output of ``greeter-cli``, as a function and as the installed command."""

import os
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import cowsay
import pytest

from greeter.cli import GREETING, cli


def test_the_dinosaur_says_the_greeting(capsys: pytest.CaptureFixture[str]) -> None:
    """The function prints cowsay's T. rex with the greeting, and nothing else."""
    cli()

    assert capsys.readouterr().out == cowsay.get_output_string("trex", GREETING) + "\n"


def test_the_greeting_matches_the_lesson() -> None:
    """The text must not change: learners compare it with the lesson."""
    assert GREETING == "Greetings from somenergia.coop!"


def test_the_project_declares_the_command() -> None:
    """The package metadata maps the command to its function."""
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
def test_the_command_and_the_module_print_the_greeting(command: list[str], tmp_path: Path) -> None:
    """In any folder and without PYTHONPATH, it prints the greeting and exits with 0."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}

    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert GREETING in done.stdout
