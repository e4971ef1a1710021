"""What other programs print is read, or refused."""

from __future__ import annotations

import pytest

from benchmarks import classes, floor, rebuild, servers
from workshop.core.errors import UserError

WRK = """Running 4s test @ http://127.0.0.1:8000/
  1 threads and 8 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     9.30ms    3.43ms  40.30ms   73.66%
  863 requests in 1.00s, 137.03KB read
Requests/sec:    861.25
Transfer/sec:    136.75KB
"""
BUILDKIT = """\
#8 [base 1/3] FROM docker.io/library/python:3.13
#8 CACHED
#9 [wheel 2/3] RUN pip install poetry
#9 CACHED
#13 [wheel 3/3] RUN --network=none python -m build
#13 0.301 built
#13 DONE 0.5s
#14 [final 2/2] RUN true
#14 DONE 0.2s
"""


def test_the_rate_of_wrk_is_read():
    assert servers.read_rate("http://x/", WRK) == 861.25


@pytest.mark.parametrize(
    ("output", "found"),
    [
        (f"{WRK}  Non-2xx or 3xx responses: 12\n", "12 answers are not a success"),
        (WRK.replace("861.25", "0.00"), "wrk got no answer"),
        ("unable to connect to 127.0.0.1:8000\n", "wrk got no answer: unable to connect"),
    ],
)
def test_a_server_that_does_not_answer_is_an_error(output, found):
    with pytest.raises(UserError, match=found):
        servers.read_rate("http://x/", output)


def test_each_service_has_a_development_and_a_production_server():
    sides: dict[str, list[str]] = {}
    for server in servers.servers():
        sides.setdefault(server.service, []).append(server.side)
    assert len(sides) == 4
    assert all(found == ["development", "production"] for found in sides.values())


def test_the_longest_step_that_was_not_cached_is_found():
    assert floor.longest_step(BUILDKIT) == (0.5, "wheel 3/3")
    assert floor.longest_step(BUILDKIT.split("#13", maxsplit=1)[0]) == (0.0, "")


def test_an_edit_replaces_the_one_before(tmp_path):
    source = tmp_path / "cli.py"
    source.write_text("print(1)\n", encoding="utf-8")
    first, second = rebuild.edit(source), rebuild.edit(source)
    assert first != second
    assert source.read_text(encoding="utf-8") == f"print(1)\n{second}\n"


@pytest.mark.parametrize("text", ["4", "many", "-10", ""])
def test_a_class_that_is_too_small_is_an_error(monkeypatch, text):
    monkeypatch.setenv("BENCH_SUBMISSIONS", text)
    with pytest.raises(UserError, match=f"BENCH_SUBMISSIONS: it is '{text}'. Set it to a number"):
        classes.Sizes.read()


def test_each_learner_hands_in_an_answer_to_each_task(monkeypatch):
    monkeypatch.setenv("BENCH_SUBMISSIONS", "23")
    assert classes.Sizes.read().submissions == 20
