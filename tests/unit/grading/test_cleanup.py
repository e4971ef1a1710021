from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import fakes

from workshop.grading import cleanup

if TYPE_CHECKING:
    from pathlib import Path

DONE = {"docker rm": "", "docker image rm": "", "docker compose": ""}


def dead_pid() -> int:
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    return done.pid


def abandoned(folder: Path, **said) -> Path:
    file = folder / f"{dead_pid()}-check.json"
    empty = {"containers": [], "images": [], "projects": [], "folders": []}
    file.write_text(json.dumps({**empty, **said}))
    return file


def test_what_is_noted_is_tidied_up(tmp_path: Path):
    engine, script = fakes.docker(DONE)
    kept = cleanup.ledger(tmp_path / "runs", "check")
    (tmp_path / "folder").mkdir()
    kept.note("containers", "one")
    kept.note("images", "two")
    kept.note("projects", "three")
    kept.note("folders", str(tmp_path / "folder"))
    kept.tidy(engine)
    assert script.calls("docker rm --force --volumes one")
    assert script.calls("docker image rm --force two")
    assert script.calls("docker compose --project-name three down --volumes")
    assert not (tmp_path / "folder").exists()
    assert not list((tmp_path / "runs").iterdir())


def test_a_ledger_is_whole_at_any_time_also_where_many_write(tmp_path: Path):
    kept = cleanup.ledger(tmp_path, "check")
    with ThreadPoolExecutor(8) as threads:
        noted = threads.map(lambda n: kept.note("containers", f"name-{n}" * 20), range(200))
        for _ in noted:
            (file,) = tmp_path.glob("*.json")
            json.loads(file.read_text())
    assert len(json.loads(file.read_text())["containers"]) == 200


def test_nothing_noted_asks_nothing_of_the_engine(tmp_path: Path):
    engine, script = fakes.docker()
    cleanup.ledger(tmp_path, "check").tidy(engine)
    assert script.argvs == []


def test_a_check_that_was_killed_is_tidied_up_by_the_next(tmp_path: Path):
    engine, script = fakes.docker(DONE)
    file = abandoned(tmp_path, containers=["one"])
    cleanup.sweep(tmp_path, engine)
    assert script.calls("docker rm one")
    assert not file.exists()


def test_a_check_under_way_is_left_alone(tmp_path: Path):
    engine, script = fakes.docker(DONE)
    cleanup.ledger(tmp_path, "check").note("containers", "one")
    cleanup.sweep(tmp_path, engine)
    assert script.argvs == []
    assert list(tmp_path.iterdir())


def test_a_damaged_ledger_is_removed(tmp_path: Path):
    engine, script = fakes.docker(DONE)
    abandoned(tmp_path).write_text("{")
    cleanup.sweep(tmp_path, engine)
    assert script.argvs == []
    assert not list(tmp_path.iterdir())
