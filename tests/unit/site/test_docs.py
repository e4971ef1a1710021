"""Every page of docs/ keeps the rules that no single page can see to."""

from __future__ import annotations

import re

import pytest
from harness import ROOT

from workshop.site import lessons
from workshop.site.lessons import CONSOLE, NOT_RUN
from workshop.stack import versions
from workshop.tasks import course

DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
# Those of the reference are made from versions.toml itself, or from the names of checks.
WRITTEN = [page for page in PAGES if page.parent.name != "reference"]
PINS = versions.read(ROOT / "versions.toml")
IMAGE = re.compile(r"\b(?:python|ubuntu|debian|registry|alpine|node|postgres|redis):[\w.-]+")
PACKAGE = re.compile(r"\b[A-Za-z][\w.-]*==[\w.*]+")


def pins_unknown(text: str) -> list[str]:
    """The images and packages with a version that are written into a page by hand."""
    known = {base.image for base in PINS.base} | {old.image for old in PINS.original}
    known |= {f"poetry=={PINS.poetry.version}", PINS.standin.pip}
    return [pin for pin in IMAGE.findall(text) + PACKAGE.findall(text) if pin not in known]


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: str(page.relative_to(DOCS)))
def test_a_page_names_no_pin_that_is_not_in_versions_toml(page):
    assert pins_unknown(page.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOCS)))
def test_no_line_of_a_page_starts_with_docker_in_upper_case(page):
    assert [
        n for n in page.read_text(encoding="utf-8").splitlines() if n.startswith("Docker ")
    ] == []


@pytest.mark.parametrize("task", course.TASKS)
def test_every_check_links_to_a_lesson_that_is_there(task):
    links = {course.task(task).lesson, *(check.lesson for check in course.task(task).checks)}
    assert [link for link in sorted(links) if not (DOCS / f"lessons/{link}.md").is_file()] == []


def test_at_most_one_block_in_ten_is_not_run():
    pages = lessons.pages()
    run, left_out = (sum(page.count(kind) for page in pages) for kind in (CONSOLE, NOT_RUN))
    assert left_out <= (run + left_out) / 10


def test_every_command_of_a_container_removes_it_or_names_it():
    """Else nobody could remove it when the lesson ends."""
    nameless = [
        f"docs/{page.name}.md, line {command.line}"
        for page in lessons.pages()
        for block in page.blocks
        for command in block.commands
        if re.search(r"\bdocker (?:container )?(?:run|create)\b", command.text)
        and not re.search(r" --(?:rm|name)\b", command.text)
    ]
    assert nameless == []


def test_no_page_publishes_port_5000():
    """On macOS, AirPlay listens there."""
    texts = {page: page.read_text(encoding="utf-8") for page in PAGES}
    assert [page for page, text in texts.items() if re.search(r"[ :]5000:\d", text)] == []


@pytest.mark.parametrize("pin", ["python:3.12", "ubuntu:latest-x", "flask==2.2.2", "poetry==1.8"])
def test_a_pin_from_elsewhere_is_caught(pin):
    assert pins_unknown(f"Take `{pin}` for this.") == [pin]
