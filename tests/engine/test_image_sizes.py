"""The READMEs show the measured image sizes."""

from __future__ import annotations

import re

import pytest

from workshop.stack import image_sizes, versions
from workshop.stack.images import IMAGES

ROW = re.compile(r"\| (\S+) \| `(\S+)` \| `(\S+)` \| (\d+) \| (\d+) \|")
TOLERANCE = 0.05


@pytest.mark.parametrize("readme", image_sizes.READMES, ids=lambda path: path.parent.name)
def test_a_readme_shows_the_measured_sizes(built, engine, readme):
    for image in IMAGES:
        if image.service.startswith("task-"):
            built(image.name)
    if not engine.standin_for("base-image-fastapi:dev"):
        pytest.skip("the README has sizes on stand-in bases, and this machine has real ones")
    pins = versions.read(image_sizes.ROOT / "versions.toml")
    measured = ROW.findall(image_sizes.measure(engine, [base.image for base in pins.base]))
    printed = ROW.findall(readme.read_text())
    assert [row[:3] + row[4:] for row in printed] == [row[:3] + row[4:] for row in measured]
    for row, real in zip(printed, measured, strict=True):
        assert int(row[3]) == pytest.approx(int(real[3]), rel=TOLERANCE)
