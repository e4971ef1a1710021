"""The page of the benchmarks shows what is stored: values, ratios, limits, and where from."""

from __future__ import annotations

import json
import re

import pytest
from benchmark_result import RESULT

from workshop.core.errors import UserError
from workshop.site import benchmarks, measurements
from workshop.site.measurements import Benchmark, Figure, Result, Row

FIGURE = Figure(name="edited", title="A build", unit="s", sides=("original", "kit"), at_most=0.5)
BENCHMARK = Benchmark(
    name="rebuild", title="Rebuilds", text="How fast.", minutes=1, rounds=3, figure=(FIGURE,)
)


def row(original=(2.0,), kit=(1.0,), subject="greeter") -> Row:
    return Row(figure="edited", subject=subject, values={"original": original, "kit": kit})


def figure(**changes) -> Figure:
    return FIGURE.model_copy(update=changes)


@pytest.fixture
def page(tmp_path):
    """The page of one benchmark, with changes to its stored result; None stores none."""

    def make(changes: dict | None) -> str:
        if changes is not None:
            text = json.dumps({**RESULT, **changes})
            (tmp_path / "rebuild.json").write_text(text, encoding="utf-8")
        return "\n\n".join(benchmarks.parts([BENCHMARK], tmp_path))

    return make


def test_a_section_has_a_chart_a_table_and_the_machine(page):
    text = page({})
    assert "## Rebuilds\n\nHow fast.\n\n### A build\n" in text
    assert "![A build](benchmarks/rebuild-edited.svg)" in text
    assert "|  | original, s | kit, s | ratio | limit |\n|---|--:|--:|--:|--:|\n" in text
    assert "| greeter | 2.00 (1.00-3.00) | 0.500 | 0.250 | at most 0.5: met |" in text
    assert "- A note.\n" in text
    assert (
        "Measured on 2026-11-28 at 08:30 UTC, in 61.5 s, with commit `abc123`; rounds: 3. "
        "2 cores (A processor), 8 GB of memory, Debian 12, Python 3.11.2, Docker Engine 26.1.5. "
        "Load before and after: 0.1, 1.9."
    ) in text


def test_the_summary_has_every_limit(page):
    assert "| A build | greeter | 0.250 | at most 0.5 | met |" in page({})


def test_changed_code_is_mentioned(page):
    assert "with commit `abc123` and later changes;" in page({"modified": True})


def test_a_benchmark_without_a_result_says_so(page):
    assert page(None) == f"## Rebuilds\n\nHow fast.\n\n{benchmarks.NOT_MEASURED}"


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"rows": []}, "rows: Tuple should have at least 1 item"),
        ({"schema": "workshop/benchmark/v0"}, "schema: Input should be"),
        ({"seconds": "long"}, "seconds: Input should be a valid number"),
        ({"rows": [{**RESULT["rows"][0], "figure": "new"}]}, "new of greeter: the catalogue has"),
        ({"rows": [{**RESULT["rows"][0], "values": {"kit": [1.0]}}]}, "values for kit, and not"),
        (
            {"rows": [{**RESULT["rows"][0], "values": {"original": [1.0], "kit": []}}]},
            "and not for original, kit",
        ),
    ],
)
def test_a_stored_result_that_does_not_fit_is_an_error(page, changes, found):
    with pytest.raises(UserError, match=found):
        page(changes)


@pytest.mark.parametrize(
    ("limits", "kit", "limit", "is_met"),
    [
        ({"at_most": 0.5}, 1.0, "at most 0.5", True),
        ({"at_most": 0.5}, 1.1, "at most 0.5", False),
        ({"at_most": {}, "at_least": 2}, 4.0, "at least 2", True),
        ({"at_most": {}, "at_least": 2}, 3.0, "at least 2", False),
        ({"at_most": {"greeter": 0.1}}, 1.0, "at most 0.1", False),
        ({"at_most": {"deathstar": 0.1}}, 1.0, "", None),
    ],
)
def test_a_limit_is_for_the_ratio(limits, kit, limit, is_met):
    line = benchmarks.line_of(figure(**limits), row(kit=(kit,)))
    assert (line.limit, line.is_met) == (limit, is_met)


def test_the_limit_of_a_single_side_is_for_its_median():
    single = figure(sides=("original",), at_most=2.5)
    line = benchmarks.line_of(single, row(original=(1.0, 2.0, 9.0)))
    assert (line.cells, line.is_met) == (("2.00 (1.00-9.00)",), True)


def test_nothing_has_no_ratio_to_something():
    assert benchmarks.line_of(FIGURE, row(original=(0.0,))).cells[-1] == "inf"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (12345.6, "12,346"),
        (599.6, "600"),
        (99.96, "100"),
        (59.04, "59.0"),
        (1.5, "1.50"),
        (0.24, "0.240"),
        (0.00123, "0.00123"),
        (0.00001, "0.0000"),
        (0, "0.00"),
    ],
)
def test_a_number_has_three_digits(value, text):
    assert benchmarks.number(value) == text


def test_a_chart_describes_itself_for_those_who_cannot_see_it():
    chart = benchmarks.draw(FIGURE, [row()])
    assert "<title>A build: original, kit. greeter: 2.00 s, 1.00 s</title>" in chart


def test_a_result_survives_its_file(tmp_path):
    result = Result.model_validate(RESULT)
    (tmp_path / "rebuild.json").write_text(result.to_json(), encoding="utf-8")
    assert measurements.read(BENCHMARK, tmp_path) == result


CATALOGUE = measurements.catalogue()


@pytest.mark.parametrize("benchmark", CATALOGUE, ids=lambda one: one.name)
def test_a_benchmark_of_the_catalogue_has_its_module(benchmark):
    module = measurements.FOLDER / f"{benchmark.name}.py"
    last = f'command.main("{benchmark.name}", measure)'
    assert last in module.read_text(encoding="utf-8"), "the module runs the benchmark of its name"


def test_every_benchmark_is_in_the_catalogue():
    modules = {
        path.stem
        for path in measurements.FOLDER.glob("*.py")
        if "command.main(" in path.read_text(encoding="utf-8")
    }
    assert modules == {benchmark.name for benchmark in CATALOGUE}


def test_the_readme_lists_every_benchmark_in_the_order_of_the_page():
    readme = (measurements.FOLDER / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| [a-z`]", readme, re.MULTILINE)
    assert rows == [benchmark.name for benchmark in CATALOGUE]


def test_all_benchmarks_together_take_at_most_25_minutes():
    assert sum(benchmark.minutes for benchmark in CATALOGUE) <= 25


def test_every_stored_result_is_in_the_catalogue():
    stored = {path.stem for path in measurements.RESULTS.glob("*.json")}
    assert stored <= {benchmark.name for benchmark in CATALOGUE}


def test_there_is_a_chart_for_every_measured_figure_and_no_other_one():
    drawn = {f"benchmarks/{path.name}" for path in charts_folder().glob("*.svg")}
    assert drawn == set(benchmarks.chart_pages())


def charts_folder():
    return measurements.ROOT / "docs/reference" / benchmarks.CHARTS


# A measured time or size, in digits or in words. How long a lesson takes is an estimate.
TYPED = re.compile(
    r"\b(took|takes?|measured|starts? in|about|around|roughly|nearly|almost)\b[^.|]{0,60}?"
    r"(\b\d[\d.,]* ?(s|ms|min|seconds?|minutes?|[kMG]B)\b"
    r"|(about|around|roughly|nearly|almost) \w+( \w+)? (seconds?|minutes?|hours?|[kMG]B)\b)"
)
ESTIMATE = "**It takes**"


def texts():
    """The texts that people write: not the generated ones, nor examples of output."""
    folder = measurements.ROOT
    yield from (folder / name for name in ("README.md", "CONTRIBUTING.md"))
    yield from (folder / name / "README.md" for name in ("desk", "benchmarks"))
    yield from folder.glob("services/*/README.md")
    yield from folder.glob("museum/**/*.md")
    pages = (path for path in folder.glob("docs/**/*.md") if path.parent.name != "reference")
    yield from (path for path in pages if path.name != "scorecard.md")


def typed_figures(text):
    lines = (line for line in text.splitlines() if not line.startswith(ESTIMATE))
    return [found[0] for line in lines if (found := TYPED.search(line))]


@pytest.mark.parametrize(
    "text",
    [
        "It takes half a second, then it took 2.3 s to start.",
        "The first run takes about three minutes on two cores.",
        "The image is about 600 MB in size.",
        "| an engine | measured: it starts in 140 ms |",
    ],
)
def test_a_typed_figure_is_found(text):
    assert typed_figures(text)


def test_nobody_types_a_measured_figure():
    found = {str(path): typed_figures(path.read_text(encoding="utf-8")) for path in texts()}
    assert {path: figures for path, figures in found.items() if figures} == {}, (
        "describe it in words, and link to docs/reference/benchmarks.md"
    )
