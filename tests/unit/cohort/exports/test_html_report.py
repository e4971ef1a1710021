"""The report as text. What a browser does with it is in tests/browser/test_report.py."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser

from unit.cohort import classes

from workshop.cohort.exports import html_report, summary

# Elements that the templates have; everything else in a page would be a learner's.
ELEMENTS = """
html head meta title link style body a header h1 h2 h3 h4 h5 p nav ul ol li main form label input
select option section div table thead tbody tr th td button span details summary figure figcaption
svg rect text line b code article blockquote dl dt dd pre script
"""


class Page(HTMLParser):
    """The elements and attributes of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]


def report(rows, folder) -> str:
    (path,) = html_report.write(rows, folder)
    assert path.name == "report.html"
    return path.read_text(encoding="utf-8")


def test_hostile_text_adds_no_element_and_no_attribute(tmp_path):
    page = Page(report(classes.hostile(), tmp_path))
    assert page.elements <= set(ELEMENTS.split())
    assert not [name for name, _ in page.attributes if name.startswith("on") or name == "style"]
    links = [value for name, value in page.attributes if name in {"href", "src"}]
    assert {link[0] for link in links if link != "data:,"} == {"#"}


def test_the_policy_allows_the_style_and_the_script_of_the_page_alone(tmp_path):
    text = report([classes.row()], tmp_path)
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)
    assert policy
    allowed = policy[1].replace("&#39;", "'")
    assert allowed.startswith("default-src 'none'; ")
    assert "unsafe" not in allowed
    for element in ("style", "script"):
        (content,) = re.findall(rf"<{element}>(.*?)</{element}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{element}-src 'sha256-{digest}'" in allowed


def test_an_empty_class_has_a_page(tmp_path):
    text = report([], tmp_path)
    assert "There is no submission yet." in text
    assert "0 learners, 0 tasks" in text


def test_the_matrix_shows_the_outcome_of_every_check(tmp_path):
    row = classes.row(
        "anna",
        classes.check(1),
        classes.check(2, "failed"),
        classes.check(3, "skipped"),
        classes.check(4, "error", actual="no disk"),
        flags=("late",),
    )
    text = report([row], tmp_path)
    assert re.findall(r'<td class="([pfsen])">', text) == ["p", "f", "s", "e"]
    assert text.count('<td class="num" data-value="-1">?</td>') == 2
    assert "not graded: the engine stopped" in text
    assert "<pre>no disk</pre>" in text
    assert "<td>late</td>" in text


def test_several_tasks_have_a_table_of_totals(tmp_path):
    rows = [
        classes.row("anna", override=3.5),
        classes.row("anna", task="task-1"),
        classes.row("ben", task="task-1"),
        classes.ungradable("uma"),
        classes.row("uma", task="task-1"),
    ]
    text = report(rows, tmp_path)
    assert "<h3>All tasks</h3>" in text
    assert '<td class="num" data-value="2">2 + ?</td>' in text
    assert '<td class="num" data-value="5.5">5.5</td>' in text
    assert text.count('<td class="num" data-value="-2"></td>') == 1


def test_a_verdict_with_a_source_shows_it_and_without_shows_none(tmp_path):
    document = {"checks": [], "source": {"Dockerfile": "FROM scratch\nRUN <b>"}}
    text = report([classes.row(document=document)], tmp_path)
    assert "<summary>Dockerfile</summary>\n<pre>FROM scratch\nRUN &lt;b&gt;</pre>" in text
    assert "scratch" not in report([classes.row()], tmp_path)


def test_a_distribution_counts_every_percentage_once():
    rows = [
        classes.row(f"s{points}", override=points, max_score=100)
        for points in (0.0, 9.0, 10.0, 99.0, 100.0, 120.0)
    ]
    rows.append(classes.ungradable())
    (task,) = summary.summarise(rows).tasks
    found = task.distribution
    assert found.bins == (2, 1, 0, 0, 0, 0, 0, 0, 0, 3)
    assert (found.graded, found.ungraded, found.median) == (6, 1, 54.5)


def test_the_most_frequent_failure_comes_first_with_what_was_found_most():
    rows = [
        classes.row("a", classes.check(1, "failed", actual="x"), classes.check(2, "failed")),
        classes.row("b", classes.check(1), classes.check(2, "failed", actual="y")),
        classes.row("c", classes.check(1), classes.check(2, "failed", actual="y")),
    ]
    (task,) = summary.summarise(rows).tasks
    first, second = task.causes
    assert [column.failed for column in task.columns] == [1, 3]
    assert (first.check, first.learners, first.actual, first.of_actual) == (
        "check-2",
        ("a", "b", "c"),
        "y",
        2,
    )
    assert second.learners == ("a",)


def test_alike_submissions_have_the_same_digest_and_task():
    rows = [
        classes.row("a", digest="1"),
        classes.row("b", digest="1"),
        classes.row("c", digest="2"),
        classes.row("d", digest="1", task="task-1"),
        classes.row("e", digest=""),
        classes.row("f", digest=""),
    ]
    assert summary.summarise(rows).alike == [summary.Alike("task-5", ("a", "b"))]
