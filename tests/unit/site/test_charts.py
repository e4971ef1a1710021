"""Bar charts are valid SVG, in proportion to their values."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from workshop.site.charts import COLOURS, WIDTH, Bar, Group, draw_bars

SVG = "{http://www.w3.org/2000/svg}"


def draw(*bars: Bar, sides=("original", "kit"), name="greeter"):
    return ET.fromstring(draw_bars("A <title>", sides, [Group(name, bars)]))  # noqa: S314 - our own


def rectangles(chart):
    """The bars, without the squares of the legend."""
    return [one for one in chart.iter(f"{SVG}rect") if one.get("height") != "12"]


def texts(chart):
    return [one.text for one in chart.iter(f"{SVG}text")]


def test_a_bar_is_as_long_as_its_value_beside_the_longest_one():
    chart = draw(Bar(2, 2, 2, "2 s"), Bar(1, 1, 1, "1 s"))
    longest, half = (float(bar.get("width")) for bar in rectangles(chart))
    assert longest == pytest.approx(2 * half, abs=1)


def test_the_longest_range_leaves_room_for_its_value():
    chart = draw(Bar(1, 0.5, 4, "1 s"), Bar(2, 2, 2, "2 s"))
    (line,) = chart.iter(f"{SVG}path")
    start = float(line.get("d").split()[0][1:])
    length = float(line.get("d").split("h")[1].split("m")[0])
    assert start + length < WIDTH - 100
    first, second = (float(bar.get("width")) for bar in rectangles(chart))
    assert second == pytest.approx(2 * first, abs=1)
    assert second == pytest.approx(length * 2 / 3.5, abs=1)


def test_a_long_name_has_room_left_of_the_bars():
    name = "base-image-fastapi-ubuntu-fat:test"
    chart = draw(Bar(1, 1, 1, "1 s"), name=name)
    (label,) = (one for one in chart.iter(f"{SVG}text") if one.text == name)
    assert float(label.get("x")) >= 7 * len(name)
    (bar,) = rectangles(chart)
    assert float(bar.get("x")) + float(bar.get("width")) < WIDTH - 100


def test_one_measurement_has_no_range():
    assert not list(draw(Bar(1, 1, 1, "1 s")).iter(f"{SVG}path"))


def test_a_chart_has_a_legend_names_and_values():
    chart = draw(Bar(2, 2, 2, "2 s"), Bar(1, 1, 1, "1 s"))
    assert texts(chart) == ["original", "kit", "greeter", "2 s", "1 s"]
    assert chart.find(f"{SVG}title").text == "A <title>"


def test_special_characters_are_escaped():
    bars = [Bar(1, 1, 1, text) for text in ("<1 s", "&")]
    assert texts(draw(*bars, sides=("a & b", "<c>"), name="<x>")) == [
        *("a & b", "<c>", "<x>"),
        *("<1 s", "&"),
    ]


def test_a_single_side_needs_no_legend():
    chart = draw(Bar(1, 1, 1, "1 s"), sides=("image",))
    assert texts(chart) == ["greeter", "1 s"]
    assert {bar.get("fill") for bar in rectangles(chart)} == {COLOURS[-1]}


def test_values_of_zero_are_drawn():
    assert [bar.get("width") for bar in rectangles(draw(Bar(0, 0, 0, "0 s")))] == ["0"]
