"""The report as text. What a browser does with it is in tests/browser/test_report.py."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser

from unit.cohort import classes

from workshop.cohort.answer import AnswerFile
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
    assert "<b>0</b> learners" in text
    assert "<b>0</b> tasks" in text


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


def listing(*files: AnswerFile, checks=(), folder) -> str:
    """Return what the report of one learner says about the files."""
    text = report([classes.row("anna", *checks, files=files)], folder)
    return text.rpartition('<details class="learner"')[2].partition("</article>")[0]


def test_the_lines_of_an_answer_are_linked_with_the_messages_that_blame_them(tmp_path):
    checks = [
        classes.check(1, "failed", title="Is <small>", line=2),
        classes.check(2, "failed", title="Is quick", line=2, file=""),
        classes.check(3, "failed", title="Ignores .git", line=None, file=".dockerignore"),
        classes.check(4, "failed", title="Ends", line=9),
        classes.check(5, "failed", title="Starts", file="other"),
    ]
    files = [AnswerFile("Dockerfile", "FROM x\r\nRUN <b>\n"), AnswerFile(".dockerignore", "a")]
    text = listing(*files, checks=checks, folder=tmp_path)
    assert "<span>FROM x\n</span>" in text
    blamed = re.search(r'<b id="(.*?)">(.*?)</b>', text, re.DOTALL)
    assert blamed
    assert blamed[2].startswith("RUN &lt;b&gt;")
    messages = re.findall(r'<a href="#(.*?)">✗ (.*?)</a>', blamed[2])
    assert [title for _, title in messages] == ["Is &lt;small&gt;", "Is quick"]
    assert all(f'<div class="failure" id="{id_}">' in text for id_, _ in messages)
    where = re.findall(r'<dd><a href="#(.*?)">(.*?)</a></dd>', text)
    assert [place for _, place in where] == [
        *("Dockerfile, line 2", "Dockerfile, line 2", ".dockerignore", "Dockerfile, line 9")
    ]
    assert where[0][0] == where[1][0] == blamed[1]
    assert all(f'id="{id_}"' in text for id_, _ in where)
    assert "<dd>other, line 3</dd>" in text


def test_a_file_that_is_not_shown_says_why(tmp_path):
    files = [
        AnswerFile("a", "", "missing"),
        AnswerFile("b", ""),
        AnswerFile("c", "FROM x\n" * 450, "the first 64 of its 900 kB"),
    ]
    text = listing(*files, folder=tmp_path)
    assert "<code>a</code>: missing" in text
    assert "<code>b</code>: empty" in text
    assert "450 lines, the first 64 of its 900 kB" in text
    assert "and 50 more lines" in text
    assert text.count("<span>FROM x\n</span>") == html_report.MOST_SOURCE_LINES
    assert "Grade with --fresh" in listing(folder=tmp_path)


def test_a_line_ends_only_where_docker_ends_it_and_hides_nothing(tmp_path):
    text = "RUN evil\rFROM x\nRUN \x0b\x1b[1ma\u2028\u202eb\n\n"
    checks = [classes.check(1)]
    found = listing(AnswerFile("Dockerfile", text), checks=checks, folder=tmp_path)
    assert re.findall(r"<span>(.*?)\n</span>", found) == ["RUN evil\u240dFROM x", "RUN ab", ""]


def test_the_limits_are_named_if_they_were_tried(tmp_path):
    assert 'id="limits"' not in report([classes.row()], tmp_path)
    limits = {"build memory": True, "<b>": False}
    html_report.write([classes.row()], tmp_path, limits)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "build memory: held" in text
    assert "&lt;b&gt;: did not hold" in text


def test_similar_answers_are_named_and_identical_ones_are_not_named_again(tmp_path):
    words = " ".join(f"word{number}" for number in range(60))
    answers = {"a": words, "b": words, "c": f"{words} more", "d": "FROM x"}
    digests = {"b": "digest-of-a"}
    rows = [
        classes.row(
            id_,
            files=(AnswerFile("Dockerfile", text),),
            digest=digests.get(id_, f"digest-of-{id_}"),
        )
        for id_, text in answers.items()
    ]
    found = summary.summarise(rows)
    assert found.alike == [summary.Alike("task-5", ("a", "b"))]
    assert found.similar == [summary.Similar("task-5", ("a", "c"), 98)]
    assert "<b>task-5</b>, 98 %:" in report(rows, tmp_path)


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
    assert (first.id, first.learners, first.actual, first.of_actual) == (
        "check-2",
        ("a", "b", "c"),
        "y",
        2,
    )
    assert second.learners == ("a",)
    assert second.checks == ("Requirement 1",)


def test_causes_are_counted_by_learner_and_before_the_checks_that_they_fail():
    known = {"cause": "localhost-only", "hint": "Add --host 0.0.0.0."}
    rows = [
        classes.row("a", *(classes.check(number, "failed", **known) for number in (1, 2))),
        classes.row("b", classes.check(1), classes.check(2, "failed", **known)),
        # The cause of a later kit, and a check with the id of a cause.
        classes.row("c", classes.check(1, "failed", cause="of-tomorrow"), classes.check(2)),
        classes.row("d", classes.check(1, "failed", id="localhost-only", hint="Other.")),
    ]
    (task,) = summary.summarise(rows).tasks
    first, *others = task.causes
    assert (first.id, first.title, first.learners) == (
        *("localhost-only", "The server listens on 127.0.0.1 only"),
        ("a", "b"),
    )
    assert first.checks == ("Requirement 1", "Requirement 2")
    assert first.fix == "Add --host 0.0.0.0."
    assert first.source.startswith("https://")
    assert [(cause.id, cause.learners, cause.source) for cause in others] == [
        ("check-1", ("c",), ""),
        ("localhost-only", ("d",), ""),
    ]


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
