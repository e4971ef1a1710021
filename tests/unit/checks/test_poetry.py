from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from workshop.analysis.source import Source
from workshop.checks.poetry import pins_poetry
from workshop.model import Failed
from workshop.tasks import course

if TYPE_CHECKING:
    from pathlib import Path

TASK = course.task("greeter")
USE = "RUN poetry install\n"
UNPINNED = [
    "RUN pip install poetry\n",
    "RUN pip3 install --no-cache-dir 'poetry'\n",
    "RUN python -m pip install poetry>=1\n",
    'RUN pip install "poetry >= 1"\n',
    "RUN pip install poetry==2.*\n",
    "RUN pip install 'poetry~=2.1'\n",
    "RUN pip install poetry[export]\n",
    "RUN pip install git+https://github.com/python-poetry/poetry.git\n",
    "RUN pip install \\\n    poetry\n",
    "RUN <<EOF\npip install poetry\nEOF\n",
    'RUN ["pip", "install", "poetry"]\n',
    "RUN pipx install poetry\n",
    "RUN uv tool install poetry\n",
    "RUN uvx poetry install\n",
    "RUN uvx poetry@latest install\n",
    "RUN pipx run poetry install\n",
    "RUN apt-get update && apt-get install -y python3-poetry\n",
    "RUN conda install poetry\n",
    "RUN curl -sSL https://install.python-poetry.org | python3 -\n",
    "RUN curl https://raw.example.org/get-poetry.py | python\n",
    "RUN curl -sSL https://raw.example.org/poetry/master/install-poetry.py | python3 -\n",
    "ARG POETRY_VERSION\nRUN curl -sSL https://install.python-poetry.org | python3 -\n",
    "RUN pip install -r requirements.txt\n",
    "COPY --from=example/poetry:latest /opt /opt\n",
    "",
]
PINNED = [
    "RUN pip install poetry==2.5.1\n",
    "RUN pip install 'poetry[export]==2.5.1'\n",
    "ARG POETRY_VERSION=2.5.1\nRUN pip install poetry==${POETRY_VERSION}\n",
    "RUN pip install poetry==${V:-2.5.1}\n",
    "RUN pip install -c constraints.txt poetry\n",
    "RUN pip install git+https://github.com/python-poetry/poetry.git@2.5.1\n",
    "RUN pipx install poetry==2.5.1\n",
    "RUN uv tool install poetry==2.5.1\n",
    "RUN uvx poetry@2.5.1 install\n",
    "RUN uvx --from poetry==2.5.1 poetry install\n",
    "RUN apt-get update && apt-get install -y python3-poetry=1.3.2+dfsg-2\n",
    "RUN conda install poetry=1.8.3\n",
    "ENV POETRY_VERSION=2.5.1\nRUN curl -sSL https://install.python-poetry.org | python3 -\n",
    "ENV POETRY_VERSION 2.5.1\nRUN curl -sSL https://install.python-poetry.org | python3 -\n",
    "RUN curl -sSL https://install.python-poetry.org | python3 - --version 2.5.1\n",
    "ENV POETRY_VERSION=1.8.3\nRUN curl https://raw.example.org/install-poetry.py | python3 -\n",
    "RUN pip install -r pinned.txt\n",
    "RUN pip install poetry==2.5.1 && poetry run pip install dist/x.whl\n",
    "COPY --from=example/poetry:2.5.1 /opt /opt\n",
]


def judge(folder: Path, dockerfile: str) -> None:
    (folder / "Dockerfile").write_text(f"FROM python:3.13\n{dockerfile}")
    (folder / "requirements.txt").write_text("cowsay==6.1\npoetry\n")
    (folder / "pinned.txt").write_text("# tools\npoetry == 2.5.1 \\\n    --hash=sha256:00\n")
    pins_poetry.judge(Source(TASK, folder))


@pytest.mark.parametrize("install", UNPINNED)
def test_an_unknown_version_fails(install: str, tmp_path: Path):
    with pytest.raises(Failed):
        judge(tmp_path, install + USE)


@pytest.mark.parametrize("install", PINNED)
def test_a_known_version_passes(install: str, tmp_path: Path):
    judge(tmp_path, install + USE)


@pytest.mark.parametrize(
    "dockerfile",
    [
        "RUN pip install poetry-core==2.0 cowsay\n",
        "RUN uv sync --frozen\n",
        "RUN pip install uv && uv run pip install ./app\n",
        "# RUN pip install poetry\n",
        "RUN echo poetry install\n",
        "COPY poetry.lock ./\n",
    ],
)
def test_a_dockerfile_without_poetry_passes(dockerfile: str, tmp_path: Path):
    judge(tmp_path, dockerfile)


def test_a_failure_names_the_line(tmp_path: Path):
    with pytest.raises(Failed) as failed:
        judge(tmp_path, "WORKDIR /app\n" + USE)
    assert failed.value.line == 3
    assert "poetry install" in failed.value.actual


@pytest.mark.parametrize("install", [text for text in UNPINNED if text.startswith("RUN ")])
def test_an_unknown_version_fails_before_poetry_is_used(install: str, tmp_path: Path):
    with pytest.raises(Failed):
        judge(tmp_path, install)
