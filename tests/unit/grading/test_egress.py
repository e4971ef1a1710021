"""A failed build names the server that it asked for in vain."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from workshop.engine import BuildError
from workshop.grading.egress import Egress


def explain(output: str, *refused: str, excess: str = "") -> str:
    failed = BuildError("image x", "step RUN x failed", "fix")
    failed.line, failed.output = 7, output
    found = Egress(list, SimpleNamespace(refused=refused, excess=excess)).explain(failed)
    assert found is None or found.line == 7
    return found.actual if found else ""


@pytest.mark.parametrize(
    ("output", "refused"),
    [
        ("urlopen error Tunnel connection failed: 403 Forbidden", ["a.test"]),
        ("curl: (56) CONNECT tunnel failed, response 403", ["a.test"]),
        ("no answer from a.test", ["b.test", "a.test:8080", "b.test"]),
    ],
)
def test_a_refused_server_is_named(output, refused):
    assert explain(output, *refused).startswith("the build asked a.test")


def test_a_server_that_did_no_harm_is_not_named():
    assert not explain("SyntaxError: invalid syntax", "a.test")
    assert not explain("Tunnel connection failed: 403 Forbidden")


@pytest.mark.parametrize(
    "output",
    [
        "curl: (6) Could not resolve host: a.test",
        "socket.gaierror: [Errno -3] Temporary failure in name resolution",
        "connect: Network is unreachable",
        "npm error code EAI_AGAIN",
    ],
)
def test_a_connection_past_the_proxy_is_named(output):
    assert "without the proxy" in explain(output)


def test_an_excess_is_named_first():
    assert explain("403", "a.test", excess="sent too much") == "the build sent too much"
