from __future__ import annotations

import pytest

from workshop.analysis.container.health_check import health_command
from workshop.analysis.image.image import Image


@pytest.mark.parametrize(
    ("test", "command"),
    [
        (["CMD", "curl", "-f", "localhost"], ("curl", "-f", "localhost")),
        (["CMD-SHELL", "curl localhost"], ("/bin/sh", "-c", "curl localhost")),
        (["NONE"], ()),
        ([], ()),
    ],
)
def test_each_form_of_a_health_check_has_the_command_that_docker_runs(test, command):
    assert health_command(Image("x", {"Healthcheck": {"Test": test}})) == command


def test_an_image_without_a_health_check_has_no_command():
    assert health_command(Image("x")) == ()


def test_the_shell_form_runs_in_the_shell_of_the_image():
    config = {"Healthcheck": {"Test": ["CMD-SHELL", "true"]}, "Shell": ["/bin/bash", "-ec"]}
    assert health_command(Image("x", config)) == ("/bin/bash", "-ec", "true")
