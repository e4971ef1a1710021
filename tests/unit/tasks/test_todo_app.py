from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from workshop.analysis.source import Source
from workshop.model import Failed
from workshop.tasks import course
from workshop.tasks.todo_app.serving import exposes_server_port

if TYPE_CHECKING:
    from pathlib import Path

TASK = course.task("todo-app")


def judge(folder: Path, steps: str) -> None:
    (folder / "Dockerfile").write_text(f"FROM python:3.13 AS production\n{steps}\n")
    assert exposes_server_port.text
    exposes_server_port.text(Source(TASK, folder))


@pytest.mark.parametrize(
    "steps",
    [
        'CMD ["gunicorn", "--bind", "0.0.0.0:8000", "x"]',
        "CMD gunicorn --bind=0.0.0.0:8000 'x:create_app()'",
        'ENTRYPOINT ["gunicorn"]\nCMD ["-b", ":8000", "x"]',
        'CMD ["sh", "-c", "exec gunicorn -b [::]:8000 x"]',
        "ENV PORT=8000\nCMD gunicorn -b 0.0.0.0:$PORT x",
        "CMD gunicorn -b 0.0.0.0:${PORT:-8000} x",
        "CMD flask run --host 0.0.0.0 --port 8000",
        'CMD ["flask", "run", "--port=8000"]',
        "CMD flask run -h 0.0.0.0 -p 8000",
    ],
)
def test_the_port_in_the_command_is_exposed(steps: str, tmp_path: Path):
    judge(tmp_path, f"EXPOSE 8000\n{steps}")
    judge(tmp_path, f"EXPOSE 5000 8000\n{steps}")
    with pytest.raises(Failed, match=r"5000/tcp.*8000"):
        judge(tmp_path, f"EXPOSE 5000\n{steps}")


@pytest.mark.parametrize(
    "steps",
    [
        'CMD ["gunicorn", "x"]',
        'CMD ["./start.sh"]',
        "CMD gunicorn -b 0.0.0.0:$PORT x",
        "CMD gunicorn --bind unix:/run/app.sock x",
        "CMD it's",
        "CMD curl http://example.org:9000/ && exec gunicorn x",
        "CMD gunicorn -b 0.0.0.0:8000 -b 0.0.0.0:5000 x",
        "",
    ],
)
def test_without_a_known_port_any_port_may_be_exposed(steps: str, tmp_path: Path):
    judge(tmp_path, f"EXPOSE 5000\n{steps}")


def test_some_port_must_be_exposed(tmp_path: Path):
    with pytest.raises(Failed, match="no EXPOSE"):
        judge(tmp_path, "CMD gunicorn x")
