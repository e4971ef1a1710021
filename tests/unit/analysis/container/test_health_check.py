from __future__ import annotations

import pytest

from workshop.analysis.container.health_check import command
from workshop.analysis.image.image import Image


@pytest.mark.parametrize(
    ("test", "words"),
    [
        (["CMD", "curl", "-f", "localhost"], ("curl", "-f", "localhost")),
        (["CMD-SHELL", "curl localhost"], ("/bin/sh", "-c", "curl localhost")),
        (["NONE"], ()),
        ([], ()),
    ],
)
def test_each_form_of_a_health_check_is_executed_as_the_engine_does(test, words):
    assert command(Image("x", {"Healthcheck": {"Test": test}})) == words


def test_an_image_without_a_health_check_has_no_command():
    assert command(Image("x")) == ()


def test_a_shell_of_the_image_runs_the_shell_form():
    config = {"Healthcheck": {"Test": ["CMD-SHELL", "true"]}, "Shell": ["/bin/bash", "-ec"]}
    assert command(Image("x", config)) == ("/bin/bash", "-ec", "true")
