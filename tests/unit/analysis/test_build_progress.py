"""BuildKit's raw JSON progress, as `docker build --progress rawjson` prints it."""

from __future__ import annotations

import base64
import json

import pytest

from workshop.analysis.build_progress import find_started, read_steps
from workshop.analysis.image.rebuild import find_installed


def at(second: int, fraction: str = "") -> str:
    return f"2026-11-28T08:00:{second:02}{fraction}Z"


def vertex(digest: str, name: str, **facts) -> dict:
    return {"digest": digest, "name": name, **facts}


def log(digest: str, text: str) -> dict:
    return {"vertex": digest, "data": base64.b64encode(text.encode()).decode()}


def progress(*messages: dict) -> str:
    return "\n".join(["#0 a line of another kind", *map(json.dumps, messages), "{ broken"])


STEPS = progress(
    {"vertexes": [vertex("a", "[internal] load build definition from Dockerfile")]},
    {"vertexes": [vertex("a", "", started=at(1), completed=at(2)), vertex("b", "[1/3] FROM x")]},
    {"vertexes": [vertex("c", "[2/3] RUN pip install", started=at(3, ".25"))]},
    {"logs": [log("c", "Successfully installed Fla")]},
    {"logs": [log("c", "sk-3.1 a_b-1\n")]},
    {"vertexes": [vertex("c", "[2/3] RUN pip install", completed=at(5, ".123456789"))]},
    {"vertexes": [vertex("d", "[3/3] COPY", started=at(5), completed=at(5), cached=True)]},
    {"vertexes": [vertex("e", "another build's RUN", started=at(0))]},
    {"logs": [log("e", "Successfully installed late-1")]},
)


def test_each_step_has_its_seconds_and_whether_it_was_cached():
    steps = read_steps(STEPS)
    assert [(step.name[:9], step.cached) for step in steps] == [
        ("[internal", False),
        ("[1/3] FRO", False),
        ("[2/3] RUN", False),
        ("[3/3] COP", True),
        ("another b", False),
    ]
    assert [step.seconds for step in steps] == pytest.approx([1, 0, 1.873456789, 0, 0], abs=1e-6)


def test_a_step_that_starts_is_named():
    line = json.dumps({"vertexes": [vertex("c", "[2/3] RUN x", started=at(3))]})
    assert find_started(line) == ["[2/3] RUN x"]
    assert find_started(STEPS.splitlines()[2]) == []
    assert find_started("no JSON") == []


def test_packages_are_found_in_the_log_of_their_step():
    assert find_installed(STEPS) == {"flask": "RUN pip install", "a-b": "RUN pip install"}
