"""The commands of the kit: their output, their exit codes, and the files that they leave.

Each runs in a copy of the checkout, on a machine without an engine.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest
from fakes import programs
from harness import ROOT, Kit, until

from workshop.stack.settings import TODO_FOLDER

COMMANDS = ("doctor", "bases", "up", "down")


class Checkout(Kit):
    """A checkout, and an environment in which no command reaches an engine."""

    def files(self) -> set[str]:
        return {str(path.relative_to(self.folder)) for path in self.folder.rglob("*")}


@pytest.fixture
def kit(tmp_path) -> Checkout:
    folder = tmp_path / "checkout"
    # With its bytecode, so that it is not compiled each time.
    shutil.copytree(ROOT / "workshop", folder / "workshop")
    shutil.copy(ROOT / "versions.toml", folder)
    (folder / TODO_FOLDER).mkdir(parents=True)
    shutil.copy(ROOT / TODO_FOLDER / ".env.template", folder / TODO_FOLDER)
    kept = ("HOME", "LANG", "SYSTEMROOT", "TMPDIR", "VIRTUAL_ENV")
    env = {name: os.environ[name] for name in kept if name in os.environ}
    env |= {"PATH": programs(tmp_path / "bin"), "PYTHONDONTWRITEBYTECODE": "1"}
    return Checkout(folder, env | {"WORKSHOP_NO_INSTALL": "1"})


@pytest.fixture
def unreachable(kit, tmp_path) -> Checkout:
    """The same with a docker command whose engine does not run."""
    programs(
        tmp_path / "bin",
        docker='echo "Cannot connect to the Docker daemon at $DOCKER_HOST." >&2; exit 1',
    )
    return Checkout(kit.folder, kit.env | {"DOCKER_HOST": f"unix://{tmp_path}/none.sock"})


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command, kit):
    code, out, err = kit.run(command, "--help")
    assert (code, err) == (0, "")
    assert out.startswith(f"usage: workshop {command} [-h]")
    assert max(map(len, out.splitlines())) < 80


def test_help_lists_the_commands(kit):
    code, out, err = kit.run("--help")
    assert (code, err) == (0, "")
    for command in COMMANDS:
        assert re.search(rf"^ +{command} +[A-Z]\w+", out, re.MULTILINE)
    assert max(map(len, out.splitlines())) < 80


def test_no_command_prints_the_help_with_exit_code_2(kit):
    _, expected, _ = kit.run("--help")
    assert kit.run() == (2, "", expected)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ("ups", "workshop: no command 'ups'. Did you mean 'up'?"),
        ("xyz", "workshop: no command 'xyz'. See workshop --help"),
        ("--up", "workshop: no command '--up'. Did you mean 'up'?"),
        ("up --tess", "workshop up: no option '--tess'. Did you mean '--tests'?"),
        ("up --starts=1", "workshop up: no option '--starts'. Did you mean '--start'?"),
        ("up --test", "workshop up: no option '--test'. Did you mean '--tests'?"),
        ("up --xyz", "workshop up: no option '--xyz'. See workshop up --help"),
        ("down all", "workshop down: unexpected argument 'all'. Did you mean '--all'?"),
        ("down xyz", "workshop down: unexpected argument 'xyz'. See workshop down --help"),
    ],
)
def test_an_unknown_argument_is_an_error_with_a_suggestion(arguments, line, kit):
    assert kit.run(*arguments.split()) == (2, "", line + "\n")


def test_an_invalid_option_is_one_line_and_exit_code_2(kit):
    code, out, err = kit.run("up", "--tests=no")
    assert (code, out) == (2, "")
    assert re.fullmatch(r"workshop up: .*--tests.*\. See workshop up --help\n", err)


@pytest.mark.parametrize("arguments", [["--help"], ["up", "--help"], ["down"]])
def test_a_closed_pipe_is_no_error(arguments, unreachable):
    with unreachable.start(*arguments) as child:
        child.stdout.close()
        err = child.stderr.read()
    assert err == ""


SLOW = ("httpx", "pydantic", "rich", "typer", "yaml")


@pytest.mark.parametrize("arguments", [["--help"], ["up", "--help"], ["ups"]])
def test_no_slow_package_is_imported_before_a_command_runs(arguments, kit):
    _, _, err = kit.run(*arguments, PYTHONPROFILEIMPORTTIME="1")
    loaded = {line.split("|")[-1].strip().partition(".")[0] for line in err.splitlines()}
    assert "argparse" in loaded
    assert loaded.isdisjoint(SLOW)


def test_a_user_error_is_one_line_and_exit_code_2(kit):
    (kit.folder / "versions.toml").write_text("[poetry\n", encoding="utf-8")
    code, out, err = kit.run("doctor")
    assert (code, out) == (2, "")
    assert re.fullmatch(r"versions\.toml: .*\. Restore it with: git checkout versions\.toml\n", err)


@pytest.mark.parametrize("command", ["up", "bases"])
def test_an_engine_that_may_not_be_installed_is_an_error(command, kit):
    before = kit.files()
    code, out, err = kit.run(command)
    assert (code, out) == (2, "")
    assert re.fullmatch(r"Docker engine: .*WORKSHOP_NO_INSTALL forbids .*\n", err)
    assert kit.files() == before


def test_an_engine_of_docker_host_that_does_not_answer_is_an_error(unreachable):
    before = unreachable.files()
    code, out, err = unreachable.run("up", WORKSHOP_NO_INSTALL="")
    assert (code, out) == (2, "")
    assert re.fullmatch(r"Docker engine: none answers, .*DOCKER_HOST.*none\.sock.*\n", err)
    assert unreachable.files() == before


def test_down_does_nothing_without_an_engine(unreachable):
    before = unreachable.files()
    line = "No Docker engine answers, so no service is running\n"
    assert unreachable.run("down") == (0, line, "")
    assert unreachable.files() == before


def test_a_problem_of_the_doctor_is_exit_code_1(unreachable):
    before = unreachable.files()
    code, out, err = unreachable.run("doctor", "--offline")
    assert (code, err) == (1, "")
    lines = out.splitlines()
    (bad,) = [number for number, line in enumerate(lines) if line.startswith("PROBLEM  Docker eng")]
    assert "DOCKER_HOST" in lines[bad]
    assert {line[:9] for line in lines[:-2]} <= {"ok       ", "WARNING  ", "PROBLEM  ", " " * 9}
    assert lines[-2] == ""
    assert lines[-1].startswith("3 problems")
    assert unreachable.files() == before


def test_a_bad_settings_file_is_an_error_before_any_docker_command(kit, tmp_path):
    programs(tmp_path / "bin", docker=f"touch {tmp_path}/called")
    (kit.folder / ".env").write_text("A = 1\n", encoding="utf-8")
    code, out, err = kit.run("up")
    assert (code, out) == (2, "")
    assert err.startswith(".env, line 1: ")
    assert err.count("\n") == 1
    assert not (tmp_path / "called").exists()


READY = """
case "$1" in
info) echo '{"ServerVersion": "26", "DockerRootDir": "/no/such/folder", "Labels": null}';;
image) echo 1;;
esac
[ "$1" != build ] && exit
"""


@pytest.mark.parametrize(
    ("number", "script"),
    [(signal.SIGTERM, ""), (signal.SIGINT, READY)],
    ids=["looking for an engine", "building"],
)
def test_an_interrupt_ends_the_command_and_its_children(number, script, kit, tmp_path):
    pid = tmp_path / "pid"
    wait = f"echo $$ > {pid}.part; /bin/mv {pid}.part {pid}; exec /bin/sleep 20"
    programs(tmp_path / "bin", docker=script + wait)
    with kit.start("up") as child:
        until(pid.exists, "a running docker", 20)
        start = time.monotonic()
        child.send_signal(number)
        _, err = child.communicate(timeout=30)
    assert time.monotonic() - start < 10
    assert child.returncode == 130
    assert err == "Interrupted. Run the command again to continue.\n"
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text(encoding="utf-8")), 0)


# Python raises another exception in place of the first one, and ignores the second.
HIDDEN = """
import gc, os, signal, sys
from workshop import cli

class Trap:
    def {method}(self, *_names):
        os.kill(os.getpid(), signal.SIGINT)

def command(_arguments):
    trap = Trap()
    type("Owner", (), {"trap": trap})
    del trap
    gc.collect()
    cli._runner()
    print("not interrupted")
    return 0

cli.COMMANDS["trap"] = cli._Command(command)
sys.argv = ["workshop", "trap"]
sys.exit(cli.main())
"""


@pytest.mark.parametrize("method", ["__set_name__", "__del__"])
def test_an_interrupt_that_python_hides_ends_the_command(method):
    script = HIDDEN.replace("{method}", method)
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (130, "")
    assert "Interrupted. Run the command again to continue.\n" in done.stderr
