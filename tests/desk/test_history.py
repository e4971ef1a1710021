"""What has changed since the check, or the build, before."""

from __future__ import annotations

import asyncio

from desk.checks import Checks
from desk.desk import Desk
from desk.history import FILE, History
from desk.sockets import MAX_EVENTS
from workshop.analysis.dockerfile import parser
from workshop.reports.dockerfile_lines import match_lines

HISTORY = [
    {"layer": 0, "made_by": "ADD file:0 in /"},
    {"layer": None, "made_by": "ARG NAME=a"},
    {"layer": 1, "made_by": "RUN apt-get update && echo $NAME"},
    {"layer": 2, "made_by": "COPY --chown=app app.py a/"},
    {"layer": None, "made_by": 'CMD ["python"]'},
]
DOCKERFILE = """FROM scratch
ARG NAME=a

RUN apt-get update \\
    && echo $NAME
COPY --from=build --chown=app app.py $NAME/
CMD ["python"]
"""


def lines_of(text: str) -> dict[int, int] | None:
    return match_lines(HISTORY, parser.parse(text).stages[-1].instructions)


def test_the_last_two_reports_outlive_the_server(tmp_path):
    for number in range(3):
        History(tmp_path).add("a", {"number": number})
    assert [one["number"] for one in History(tmp_path).read("a")] == [1, 2]
    assert History(tmp_path).read("b") == []


def test_a_damaged_file_is_no_history(tmp_path):
    for text in ("{", "[]", '{"a": 1}'):
        (tmp_path / FILE).write_text(text)
        assert History(tmp_path).read("a") == []
    assert History(tmp_path).add("a", {}) == [{}]


def test_a_check_is_compared_with_the_one_before(tmp_path):
    history = History(tmp_path)
    checks = Checks(tmp_path, history, lambda _event: None)
    history.add("check t", {"outcomes": {"a": "failed", "b": "passed", "c": "passed"}})
    assert checks.changes("t") == {}
    history.add("check t", {"outcomes": {"a": "passed", "b": "failed", "c": "passed"}})
    assert checks.changes("t") == {"a": "fixed", "b": "new"}


def test_each_layer_has_its_line():
    assert lines_of(DOCKERFILE) == {1: 4, 2: 6}


def test_a_dockerfile_that_has_changed_since_the_build_has_no_lines():
    assert lines_of(DOCKERFILE.replace("update", "upgrade")) is None
    assert lines_of(DOCKERFILE.replace("app.py", "main.py")) is None
    assert lines_of(DOCKERFILE.replace("CMD", "USER app\nCMD")) is None
    assert lines_of(DOCKERFILE + "USER a\n" * 9) is None
    # What is above the instructions only moves the lines.
    assert lines_of(f"# A comment\n{DOCKERFILE}") == {1: 5, 2: 7}


def test_a_page_that_does_not_read_gets_the_end_instead_of_everything(tmp_path):
    desk = Desk(tmp_path)
    queue = asyncio.Queue(MAX_EVENTS)
    desk.events.add(queue)
    for number in range(MAX_EVENTS):
        desk.send({"number": number})
    assert queue.get_nowait() == {"number": 0}
    desk.send({})
    desk.send({})
    assert queue.get_nowait() is None
