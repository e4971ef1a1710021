from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from workshop.analysis.source import Source
from workshop.checks.content import contains_no_secrets
from workshop.model import Failed
from workshop.tasks import course

if TYPE_CHECKING:
    from pathlib import Path

TASK = course.task("greeter")
ALL = ".env\n.git\n.venv\n"


def judge(folder: Path, copy: str, ignored: str = "") -> None:
    (folder / "Dockerfile").write_text(f"FROM python:3.13-slim\nWORKDIR /app\n{copy}\n")
    (folder / ".dockerignore").write_text(ignored)
    assert contains_no_secrets.text
    contains_no_secrets.text(Source(TASK, folder))


@pytest.mark.parametrize(
    "copy",
    [
        *(
            "COPY . .",
            "COPY ./ ./",
            "COPY / /app",
            "ADD . /app/",
            "COPY * ./",
            'COPY [".", "/app"]',
        ),
        *("COPY --chown=app . .", "COPY src . ./", "ARG FOLDER=.\nCOPY ${FOLDER} ./"),
    ],
)
@pytest.mark.parametrize("missing", [".env", ".git", ".venv"])
def test_a_copy_of_the_folder_needs_every_secret_ignored(copy: str, missing: str, tmp_path: Path):
    judge(tmp_path, copy, ALL)
    with pytest.raises(Failed, match=rf"\{missing}"):
        judge(tmp_path, copy, ALL.replace(f"{missing}\n", ""))


@pytest.mark.parametrize(
    ("copy", "secret"),
    [
        ("COPY .env ./", ".env"),
        ("COPY pyproject.toml ./.env /app/", ".env"),
        ("COPY .git/ .git/", ".git"),
        ("COPY .venv/pyvenv.cfg /app/", ".venv"),
        ("COPY .e* ./", ".env"),
        ("COPY [^run]* app/", ".env"),
        ("COPY .?nv ./", ".env"),
    ],
)
def test_a_secret_may_not_be_copied_by_its_name_or_a_pattern(
    copy: str, secret: str, tmp_path: Path
):
    judge(tmp_path, copy, ALL)
    with pytest.raises(Failed, match=rf"\{secret}"):
        judge(tmp_path, copy)


@pytest.mark.parametrize(
    "copy",
    [
        *("COPY src src", "COPY .env.template ./", "COPY *.py ./", "COPY .envrc .gitignore ./"),
        *("COPY --from=python:3.13 . /other", "COPY --exclude=.* . .", "ADD https://x.org/.env ./"),
        *("COPY <<.env /settings\nA=1\n.env", "COPY [!a] ./", "RUN --mount=target=/src true"),
    ],
)
def test_other_copies_contain_no_secrets(copy: str, tmp_path: Path):
    judge(tmp_path, copy)


def test_only_the_stages_of_the_final_image_count(tmp_path: Path):
    judge(tmp_path, "FROM python:3.13-slim AS other\nCOPY . .\nFROM python:3.13-slim")
    with pytest.raises(Failed):
        judge(tmp_path, "FROM python:3.13-slim AS other\nCOPY . .\nFROM other")
