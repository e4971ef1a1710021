"""Rules that hold for all pages of docs/."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from harness import ROOT

from workshop.site import lessons
from workshop.site.lessons import CONSOLE, FILE, NOT_RUN
from workshop.stack import versions
from workshop.tasks import course

DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
# Without the reference, which is generated from versions.toml and from the checks.
WRITTEN = [page for page in PAGES if page.parent.name != "reference"]
PINS = versions.read(ROOT / "versions.toml")
IMAGE = re.compile(r"\b(?:python|ubuntu|debian|registry|alpine|node|postgres|redis):[\w.-]+")
PACKAGE = re.compile(r"\b[A-Za-z][\w.-]*==[\w.*]+")
RUFF = str(Path(sys.executable).parent / "ruff")


def unknown_pins(text: str) -> list[str]:
    """Return the images and packages whose version is not in versions.toml."""
    known = {base.image for base in PINS.base} | {old.image for old in PINS.original}
    known |= {f"poetry=={PINS.poetry.version}", PINS.standin.pip}
    return [pin for pin in IMAGE.findall(text) + PACKAGE.findall(text) if pin not in known]


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: str(page.relative_to(DOCS)))
def test_every_pin_of_a_page_is_in_versions_toml(page):
    assert unknown_pins(page.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOCS)))
def test_no_line_of_a_page_starts_with_docker_in_upper_case(page):
    lines = page.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.startswith("Docker ")] == []


@pytest.mark.parametrize("task", course.TASKS)
def test_every_check_links_to_an_existing_lesson(task):
    links = {course.task(task).lesson, *(check.lesson for check in course.task(task).checks)}
    assert [link for link in sorted(links) if not (DOCS / f"lessons/{link}.md").is_file()] == []


def test_at_most_one_block_in_ten_is_not_run():
    pages = lessons.pages()
    run, left_out = (sum(page.count(kind) for page in pages) for kind in (CONSOLE, NOT_RUN))
    assert left_out <= (run + left_out) / 10


def test_every_container_is_removed_or_named():
    """The test of a lesson can only remove containers that have a name."""
    unnamed = [
        f"docs/{page.name}.md, line {command.line}"
        for page in lessons.pages()
        for block in page.blocks
        for command in block.commands
        if re.search(r"\bdocker (?:container )?(?:run|create)\b", command.text)
        and not re.search(r" --(?:rm|name)\b", command.text)
    ]
    assert unnamed == []


def test_no_page_publishes_port_5000():
    """On macOS, AirPlay uses this port."""
    texts = {page: page.read_text(encoding="utf-8") for page in PAGES}
    assert [page for page, text in texts.items() if re.search(r"[ :]5000:\d", text)] == []


def lint(program: str, name: str) -> str:
    """Return what ruff finds in a program of a page; empty if it finds nothing."""
    output = ""
    for command in (["check", "--ignore=INP001"], ["format", "--check"]):
        done = subprocess.run(
            [RUFF, *command, f"--stdin-filename={name}", "-"],
            input=program,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        output += done.stdout if done.returncode else ""
    return output


def test_the_programs_of_the_pages_pass_the_linter():
    found = {
        f"docs/{page.name}.md, line {block.line}": lint("\n".join([*block.body, ""]), block.title)
        for page in lessons.pages()
        for block in page.blocks
        if block.title.endswith(".py") and block.kind == FILE and not block.included
    }
    assert {place: output for place, output in found.items() if output} == {}


@pytest.mark.parametrize("program", ["import os\n", "print( 1 )\n"])
def test_a_bad_program_is_found(program: str):
    assert lint(program, "marks.py")


@pytest.mark.parametrize("pin", ["python:3.12", "ubuntu:latest-x", "flask==2.2.2", "poetry==1.8"])
def test_an_unknown_pin_is_found(pin):
    assert unknown_pins(f"Use `{pin}` for this.") == [pin]
