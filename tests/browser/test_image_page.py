"""The page of `workshop image --html`, in a real browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from browser.test_report import opened, tab_to
from browser.test_site import SCHEMES, faults, too_wide
from tars import file, folder, hardlink, oci, tar

from workshop.analysis.image.difference import compare
from workshop.analysis.image.docker_save import read
from workshop.reports.dockerfile_lines import measure_lines
from workshop.reports.image_page import format_page

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page

MB = 10**6
ATTACK = "<script>window.attacked = 1</script><img src=x onerror=window.attacked=1>"
BASE = tar(
    folder("usr"),
    *(file(f"usr/lib/lib{number:03}.so", 40_000 + 9000 * number) for number in range(120)),
    file("usr/bin/python3", 6 * MB),
    hardlink("usr/bin/python", "usr/bin/python3"),
    file("etc/old", 2 * MB),
)
OWN = tar(file("app/main.py", 300_000), file("app/data/big.bin", 9 * MB), file("etc/.wh.old"))


def pages() -> dict[str, str]:
    """Return the pages to open, by name."""
    steps = [{"created_by": "ADD root.tar /"}, {"created_by": "RUN /bin/sh -c " + "make it " * 60}]
    before, after = read(oci(BASE)), read(oci(BASE, OWN, history=steps))
    hostile = read(
        oci(
            tar(file(f"a/{ATTACK}", 2 * MB), file("b/" + "w" * 200, MB), file("\u202ec", MB)),
            *(tar(file(f"{n}", 90_000 + n)) for n in range(30)),
            history=[{"created_by": f"RUN {ATTACK}"}],
        )
    )
    difference = compare(before, after)
    return {
        "image": format_page("my-app", after, measure_lines(after), difference, "my-base"),
        "hostile": format_page(
            ATTACK, hostile, measure_lines(hostile), compare(after, hostile), ATTACK
        ),
        "empty": format_page("empty", read(oci()), []),
    }


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[str, Path]:
    made = tmp_path_factory.mktemp("pages")
    written = {}
    for name, text in pages().items():
        written[name] = made / f"{name}.html"
        written[name].write_text(text, encoding="utf-8")
    return written


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("name", ["image", "hostile", "empty"])
def test_a_page_is_accessible_fits_and_executes_nothing_of_an_image(
    name, scheme, chromium, files, axe
):
    with opened(chromium, files[name], scheme) as (page, events):
        assert page.locator("h1").count() == 1
        assert faults(page, axe) == []
        page.set_viewport_size({"width": 390, "height": 844})
        assert faults(page, axe) == []
        assert too_wide(page) == []
        assert page.evaluate("window.attacked") is None
        assert events == []


def boxes(page: Page) -> list[dict]:
    return page.locator(".map > [data-depth='0']").evaluate_all(
        "all => all.map((box) => ({ ...box.getBoundingClientRect().toJSON(), title: box.title }))"
    )


@pytest.mark.parametrize("width", [1280, 390])
def test_the_areas_of_the_map_are_the_bytes_and_no_two_overlap(width, chromium, files):
    with opened(chromium, files["image"]) as (page, events):
        page.set_viewport_size({"width": width, "height": 844})
        page.wait_for_function(
            "() => { const map = document.querySelector('.map');"
            " const ends = [...map.children].map((box) => box.offsetLeft + box.offsetWidth);"
            " return Math.abs(Math.max(...ends) - map.clientWidth) <= 1; }"
        )
        found = boxes(page)
        areas = {box["title"].partition(":")[0]: box["width"] * box["height"] for box in found}
        assert set(areas) == {"usr", "app"}
        # 6 MB and 69 MB of libraries; 9.3 MB.
        usr = 6 + sum(40_000 + 9000 * number for number in range(120)) / MB
        assert areas["usr"] / areas["app"] == pytest.approx(usr / 9.3, rel=0.02)
        one, other = found
        is_beside = one["right"] <= other["left"] + 1 or other["right"] <= one["left"] + 1
        is_below = one["bottom"] <= other["top"] + 1 or other["bottom"] <= one["top"] + 1
        assert is_beside or is_below
        assert events == []


def test_the_keyboard_opens_a_folder_and_leads_back(chromium, files):
    with opened(chromium, files["image"]) as (page, events):
        tab_to(page, '.map button[title^="usr:"]')
        page.keyboard.press("Enter")
        assert page.locator(".trail button").all_inner_texts() == ["/", "usr"]
        assert "usr" in page.evaluate("document.activeElement.textContent")
        assert any(box["title"].startswith("bin: 6.0 MB") for box in boxes(page))
        assert page.locator("[title='bin/python3: 6.0 MB']").count() == 1
        assert page.locator("[role=status]").inner_text().startswith("/usr: ")
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Space")
        assert page.locator(".trail button").all_inner_texts() == ["/"]
        assert events == []
