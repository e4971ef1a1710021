from __future__ import annotations

import json
import os
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
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def stale_record(folder: Path, **names) -> Path:
    file = folder / f"{dead_pid()}-check.json"
    empty = {"containers": [], "images": [], "projects": [], "folders": []}
    file.write_text(json.dumps({**empty, **names}))
    return file


def test_removes_every_recorded_resource(tmp_path: Path):
    engine, script = fakes.docker(DONE)
    record = cleanup.new_record(tmp_path / "runs", "check")
    (tmp_path / "folder").mkdir()
    record.record("containers", "one")
    record.record("images", "two")
    record.record("projects", "three")
    record.record("folders", str(tmp_path / "folder"))
    record.remove(engine)
    assert script.calls("docker rm --force --volumes one")
    assert script.calls("docker image rm --force two")
    assert script.calls("docker compose --project-name three down --volumes")
    assert not (tmp_path / "folder").exists()
    assert not list((tmp_path / "runs").iterdir())


def test_the_record_file_is_complete_at_any_time_with_many_writers(tmp_path: Path):
    record = cleanup.new_record(tmp_path, "check")
    with ThreadPoolExecutor(8) as threads:
        names = threads.map(lambda n: record.record("containers", f"name-{n}" * 20), range(200))
        for _ in names:
            (file,) = tmp_path.glob("*.json")
            json.loads(file.read_text())
    assert len(json.loads(file.read_text())["containers"]) == 200


def test_an_empty_record_runs_no_docker_command(tmp_path: Path):
    engine, script = fakes.docker()
    cleanup.new_record(tmp_path, "check").remove(engine)
    assert script.argvs == []


def test_the_next_check_cleans_up_after_a_killed_one(tmp_path: Path):
    engine, script = fakes.docker(DONE)
    file = stale_record(tmp_path, containers=["one"])
    cleanup.remove_stale(tmp_path, engine)
    assert script.calls("docker rm one")
    assert not file.exists()


def test_what_an_engine_that_is_gone_could_not_remove_is_removed_later(tmp_path: Path):
    answers = {**DONE, "docker rm": [fakes.NO_ENGINE, ""]}
    engine, script = fakes.docker(answers)
    record = cleanup.new_record(tmp_path, "check")
    record.record("containers", "one")
    record.record("images", "two")
    record.remove(engine)
    assert len(list(tmp_path.iterdir())) == 1
    cleanup.remove_stale(tmp_path, engine)
    assert len(script.calls("docker rm one")) == len(script.calls("docker image rm two")) == 2
    assert not list(tmp_path.iterdir())


def test_the_draft_of_a_killed_check_is_removed(tmp_path: Path):
    engine, script = fakes.docker()
    stale, running = (tmp_path / f"{pid}-check.draft" for pid in (dead_pid(), os.getpid()))
    stale.touch()
    running.touch()
    cleanup.remove_stale(tmp_path, engine)
    assert [*tmp_path.iterdir()] == [running]
    assert script.argvs == []


def test_a_running_check_keeps_its_resources(tmp_path: Path):
    engine, script = fakes.docker(DONE)
    cleanup.new_record(tmp_path, "check").record("containers", "one")
    cleanup.remove_stale(tmp_path, engine)
    assert script.argvs == []
    assert list(tmp_path.iterdir())


def test_a_damaged_record_file_is_removed(tmp_path: Path):
    engine, script = fakes.docker(DONE)
    stale_record(tmp_path).write_text("{")
    cleanup.remove_stale(tmp_path, engine)
    assert script.argvs == []
    assert not list(tmp_path.iterdir())
