"""The sample of learners' Dockerfiles is complete, and its comparison with the grader works."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING

import pytest
from agreement.agreement import SAMPLE, Labelled, compare, read_sample, report, static_checks

from workshop.tasks import course

if TYPE_CHECKING:
    from pathlib import Path

FILES = read_sample()
COMMIT = re.compile(r"[0-9a-f]{40}")
MIN_FILES = 40
KEYS = {"repo", "path", "commit", "dockerignore", "task", "met", "unmet", "reasons"}
INSTRUCTION = re.compile(r"(?mi)^\W*(?:FROM|RUN|COPY|ADD|CMD|ENTRYPOINT|ENV|ARG|USER|WORKDIR)\s")
EXAMPLE = "FROM python:3.13-slim\nCOPY . .\nUSER app\n"


def test_the_sample_has_enough_different_files():
    places = [(file.repo, file.path) for file in FILES]
    assert len(places) == len({*places}) >= MIN_FILES


@pytest.mark.parametrize("file", FILES, ids=[file.repo for file in FILES])
def test_a_file_of_the_sample_has_a_place_and_labels(file: Labelled):
    assert re.fullmatch(r"[\w.-]+/[\w.-]+", file.repo)
    assert COMMIT.fullmatch(file.commit)
    assert not file.dockerignore or COMMIT.fullmatch(file.dockerignore)
    assert file.task in course.TASKS
    assert file.labels
    assert file.labels.keys() <= static_checks(file.task).keys()
    assert file.reasons.keys() <= file.labels.keys()


def test_the_sample_contains_labels_only():
    text = SAMPLE.read_text(encoding="utf-8")
    assert not INSTRUCTION.search(text)
    for row in tomllib.loads(text)["file"]:
        assert row.keys() <= KEYS
        assert not {*row["met"]} & {*row["unmet"]}
        assert all("\n" not in reason for reason in row.get("reasons", {}).values())


def test_both_labels_are_frequent():
    labels = [is_met for file in FILES for is_met in file.labels.values()]
    assert min(labels.count(True), labels.count(False)) > len(labels) / 3


def test_a_label_is_compared_with_the_static_check(tmp_path: Path):
    (tmp_path / "owner/name").mkdir(parents=True)
    (tmp_path / "owner/name/Dockerfile").write_text(EXAMPLE)
    labels = {"base-image": True, "contains-no-secrets": True, "runs-as-non-root": False}
    reasons = {"runs-as-non-root": "No user."}
    file = Labelled("owner/name", "Dockerfile", "", "", "task-5", labels, reasons)
    found = list(compare(file, tmp_path))
    assert [item.agrees for item in found] == [True, False, False]
    lines = list(report(found))
    assert "   1 of   3  all: 33.3 %" in lines
    assert "  grader: COPY copies the whole folder, including .env" in lines
    assert "  reader: unmet. No user." in lines
    (tmp_path / "owner/name/.dockerignore").write_text(".*\n")
    assert [item.agrees for item in compare(file, tmp_path)] == [True, True, False]
