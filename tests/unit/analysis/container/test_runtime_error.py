from __future__ import annotations

import pytest

from workshop.analysis.container.runtime_error import strip_output, strip_wrapping

RUNC = (
    "failed to create task for container: failed to create shim task: OCI runtime create failed: "
    "runc create failed: unable to start container process: "
)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (
            f'{RUNC}exec: "x": executable file not found in $PATH: unknown',
            'exec: "x": executable file not found in $PATH',
        ),
        (f'{RUNC}error mounting "a" to rootfs', 'error mounting "a" to rootfs'),
        ("unable to find user app: no matching entries in passwd file",) * 2,
        ("something else",) * 2,
    ],
)
def test_the_reason_is_left(message: str, reason: str):
    assert strip_wrapping(message) == reason
    assert strip_wrapping(f"docker: Error response from daemon: {message}") == reason


def test_the_advice_of_the_docker_command_is_removed():
    lines = [
        f'docker: Error response from daemon: {RUNC}exec: "x": permission denied: unknown',
        "",
        "Run 'docker run --help' for more information",
    ]
    assert strip_output(lines) == ['exec: "x": permission denied']


def test_the_output_of_a_program_is_unchanged():
    lines = ["exec: 1", "", "Traceback: mkdir"]
    assert strip_output(lines) == lines
