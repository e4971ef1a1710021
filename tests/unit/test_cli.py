"""The words of the kit: what they print, the code they end with, and what they leave behind.

Each runs in a checkout of the test's own, on a machine where no engine can be had.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from fakes import programs
from harness import ROOT, until

from workshop.stack.settings import TODO_FOLDER

if TYPE_CHECKING:
    from pathlib import Path

WORDS = ("doctor", "bases", "up", "down")


@dataclass(frozen=True)
class Kit:
    """A checkout, and an environment in which no word of the kit reaches an engine."""

    folder: Path
    env: dict[str, str]

    def start(self, *words: str, **env: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            (sys.executable, "-m", "workshop", *words),
            cwd=self.folder,
            env={**self.env, **env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str, **env: str) -> tuple[int, str, str]:
        """The exit code, and the two outputs."""
        with self.start(*words, **env) as child:
            out, err = child.communicate(timeout=60)
        assert "Traceback" not in out + err
        return child.returncode, out, err

    def files(self) -> set[str]:
        return {str(path.relative_to(self.folder)) for path in self.folder.rglob("*")}


@pytest.fixture
def kit(tmp_path) -> Kit:
    folder = tmp_path / "checkout"
    # With its bytecode, so that it need not be compiled each time.
    shutil.copytree(ROOT / "workshop", folder / "workshop")
    shutil.copy(ROOT / "versions.toml", folder)
    (folder / TODO_FOLDER).mkdir(parents=True)
    shutil.copy(ROOT / TODO_FOLDER / ".env.template", folder / TODO_FOLDER)
    kept = ("HOME", "LANG", "SYSTEMROOT", "TMPDIR", "VIRTUAL_ENV")
    env = {name: os.environ[name] for name in kept if name in os.environ}
    env |= {"PATH": programs(tmp_path / "bin"), "PYTHONDONTWRITEBYTECODE": "1"}
    return Kit(folder, env | {"WORKSHOP_NO_INSTALL": "1"})


@pytest.fixture
def unreachable(kit, tmp_path) -> Kit:
    """The same with a docker command, whose engine is one that is not there."""
    programs(
        tmp_path / "bin",
        docker='echo "Cannot connect to the Docker daemon at $DOCKER_HOST." >&2; exit 1',
    )
    return Kit(kit.folder, kit.env | {"DOCKER_HOST": f"unix://{tmp_path}/none.sock"})


@pytest.mark.parametrize("word", WORDS)
def test_every_word_explains_itself(word, kit):
    code, out, err = kit.run(word, "--help")
    assert (code, err) == (0, "")
    assert out.startswith(f"usage: workshop {word} [-h]")
    assert max(map(len, out.splitlines())) < 80


def test_the_kit_names_its_words_with_what_they_do(kit):
    code, out, err = kit.run("--help")
    assert (code, err) == (0, "")
    for word in WORDS:
        assert re.search(rf"^ +{word} +[A-Z]\w+", out, re.MULTILINE)
    assert max(map(len, out.splitlines())) < 80


def test_without_a_word_it_helps_and_ends_with_2(kit):
    _, expected, _ = kit.run("--help")
    assert kit.run() == (2, "", expected)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("ups", "workshop: no word 'ups'. Did you mean 'up'?"),
        ("xyz", "workshop: no word 'xyz'. See workshop --help"),
        ("--up", "workshop: no word '--up'. Did you mean 'up'?"),
        ("up --tess", "workshop up: no option '--tess'. Did you mean '--tests'?"),
        ("up --starts=1", "workshop up: no option '--starts'. Did you mean '--start'?"),
        ("up --test", "workshop up: no option '--test'. Did you mean '--tests'?"),
        ("up --xyz", "workshop up: no option '--xyz'. See workshop up --help"),
        ("down all", "workshop down: 'all' is a word too many. Did you mean '--all'?"),
        ("down xyz", "workshop down: 'xyz' is a word too many. See workshop down --help"),
    ],
)
def test_what_it_does_not_know_it_names_beside_what_may_be_meant(words, line, kit):
    assert kit.run(*words.split()) == (2, "", line + "\n")


def test_an_option_used_wrongly_is_one_line_and_2(kit):
    code, out, err = kit.run("up", "--tests=no")
    assert (code, out) == (2, "")
    assert re.fullmatch(r"workshop up: .*--tests.*\. See workshop up --help\n", err)


@pytest.mark.parametrize("words", [["--help"], ["up", "--help"], ["down"]])
def test_a_reader_that_has_gone_is_no_trouble(words, unreachable):
    with unreachable.start(*words) as child:
        child.stdout.close()
        err = child.stderr.read()
    assert err == ""


SLOW = ("httpx", "pydantic", "rich", "typer", "yaml")


@pytest.mark.parametrize("words", [["--help"], ["up", "--help"], ["ups"]])
def test_no_slow_package_is_loaded_before_a_word_runs(words, kit):
    _, _, err = kit.run(*words, PYTHONPROFILEIMPORTTIME="1")
    loaded = {line.split("|")[-1].strip().partition(".")[0] for line in err.splitlines()}
    assert "argparse" in loaded
    assert loaded.isdisjoint(SLOW)


def test_trouble_is_one_line_and_2(kit):
    (kit.folder / "versions.toml").write_text("[poetry\n", encoding="utf-8")
    code, out, err = kit.run("doctor")
    assert (code, out) == (2, "")
    assert re.fullmatch(r"versions\.toml: .*\. Restore it with: git checkout versions\.toml\n", err)


@pytest.mark.parametrize("word", ["up", "bases"])
def test_without_a_docker_command_that_may_be_installed_it_says_so(word, kit):
    before = kit.files()
    code, out, err = kit.run(word)
    assert (code, out) == (2, "")
    assert re.fullmatch(r"Docker engine: .*WORKSHOP_NO_INSTALL forbids .*\n", err)
    assert kit.files() == before


def test_without_the_engine_that_docker_host_names_it_says_so(unreachable):
    before = unreachable.files()
    code, out, err = unreachable.run("up", WORKSHOP_NO_INSTALL="")
    assert (code, out) == (2, "")
    assert re.fullmatch(r"Docker engine: none answers, .*DOCKER_HOST.*none\.sock.*\n", err)
    assert unreachable.files() == before


def test_down_has_nothing_to_do_without_an_engine(unreachable):
    before = unreachable.files()
    assert unreachable.run("down") == (0, "No Docker engine answers: nothing of the kit runs\n", "")
    assert unreachable.files() == before


def test_the_doctor_ends_with_2_where_something_is_bad(unreachable):
    before = unreachable.files()
    code, out, err = unreachable.run("doctor")
    assert (code, err) == (2, "")
    lines = out.splitlines()
    (bad,) = [number for number, line in enumerate(lines) if line.startswith("BAD Docker engine")]
    assert "DOCKER_HOST" in lines[bad]
    assert lines[bad + 1].startswith("    ")
    assert [line for line in lines if line[:4] not in {"ok  ", "BAD ", "    "}] == []
    assert unreachable.files() == before


def test_a_bad_settings_file_is_said_before_anything_is_done(kit, tmp_path):
    programs(tmp_path / "bin", docker=f"touch {tmp_path}/asked")
    (kit.folder / ".env").write_text("A = 1\n", encoding="utf-8")
    code, out, err = kit.run("up")
    assert (code, out) == (2, "")
    assert err.startswith(".env, line 1: ")
    assert err.count("\n") == 1
    assert not (tmp_path / "asked").exists()


READY = """
case "$1" in
info) echo '{"ServerVersion": "26", "DockerRootDir": "/no/such/folder", "Labels": null}';;
image) echo 1;;
esac
[ "$1" != build ] && exit
"""


@pytest.mark.parametrize(
    ("number", "at"),
    [(signal.SIGTERM, ""), (signal.SIGINT, READY)],
    ids=["asking for an engine", "building"],
)
def test_an_interrupted_word_ends_at_once_with_130_and_leaves_no_child(number, at, kit, tmp_path):
    pid = tmp_path / "pid"
    wait = f"echo $$ > {pid}.part; /bin/mv {pid}.part {pid}; exec /bin/sleep 20"
    programs(tmp_path / "bin", docker=at + wait)
    with kit.start("up") as child:
        until(pid.exists, "a docker that runs", 20)
        start = time.monotonic()
        child.send_signal(number)
        _, err = child.communicate(timeout=30)
    assert time.monotonic() - start < 10
    assert child.returncode == 130
    assert err == ("Interrupted: what was under way was stopped. Run the command again to go on.\n")
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text(encoding="utf-8")), 0)
