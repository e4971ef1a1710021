"""The image sizes in the READMEs are those of the images."""

from __future__ import annotations

import re

import pytest

from workshop.stack import image_sizes, versions
from workshop.stack.images import IMAGES

ROW = re.compile(r"\| (\S+) \| `(\S+)` \| `(\S+)` \| (\d+) \| (\d+) \|")
TOLERANCE = 0.05


@pytest.mark.parametrize("readme", image_sizes.READMES, ids=lambda path: path.parent.name)
def test_a_readme_has_the_measured_sizes(built, engine, readme):
    for image in IMAGES:
        if image.service.startswith("task-"):
            built(image.name)
    if not engine.standin_for("base-image-fastapi:dev"):
        pytest.skip("the README's figures were measured on stand-ins, these bases are real")
    pins = versions.read(image_sizes.ROOT / "versions.toml")
    measured = ROW.findall(image_sizes.measure(engine, [base.image for base in pins.base]))
    printed = ROW.findall(readme.read_text())
    assert [row[:3] + row[4:] for row in printed] == [row[:3] + row[4:] for row in measured]
    for told, real in zip(printed, measured, strict=True):
        assert int(told[3]) == pytest.approx(int(real[3]), rel=TOLERANCE)
