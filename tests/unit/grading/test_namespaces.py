"""The proxy answers in the network namespace of a build step, and nowhere else."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from workshop.grading import namespaces
from workshop.grading.egress import PORT, Egress
from workshop.grading.limits import Quota
from workshop.grading.proxy import Proxy

pytestmark = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0 or not shutil.which("unshare"),
    reason="only root on Linux can join a network namespace",
)
# The step itself: it asks until the proxy answers, or five seconds have passed.
STEP = f"""
import socket, sys, time
deadline = time.monotonic() + 5
while True:
    try:
        asked = socket.create_connection(("127.0.0.1", {PORT}), 5)
        break
    except OSError:
        if time.monotonic() > deadline:
            sys.exit("nothing listens")
asked.sendall(b"CONNECT a.test:443 HTTP/1.1\\r\\n\\r\\n")
print(asked.recv(100).split()[1].decode())
"""


@pytest.fixture
def step():
    """A process with its own network namespace, which waits for a line to begin."""
    program = 'ip link set lo up; read -r line; exec "$@"'
    argv = ("unshare", "--net", "sh", "-c", program, "sh", sys.executable, "-c", STEP)
    with subprocess.Popen(argv, stdin=-1, stdout=-1, stderr=subprocess.STDOUT, text=True) as found:
        deadline = time.monotonic() + 10
        while not namespaces.find([found.pid]) and time.monotonic() < deadline:
            time.sleep(0.01)
        yield found
        found.kill()


def test_a_step_is_answered_by_the_proxy_of_its_submission(step):
    proxy = Proxy(lambda _origin: False, Quota(9, 9, 999))
    with Egress(lambda: [step.pid], proxy):
        output, _ = step.communicate("begin\n", timeout=20)
    assert (output.strip(), proxy.refused) == ("403", ["a.test"])


def test_a_step_without_a_proxy_reaches_nothing(step):
    output, _ = step.communicate("begin\n", timeout=20)
    assert output.strip() == "nothing listens"


def test_this_process_stays_in_its_own_namespace(step):
    before = Path("/proc/thread-self/ns/net").readlink()
    with namespaces.listen(step.pid, PORT) as listening:
        assert listening.getsockname()[1] == PORT
        assert Path("/proc/thread-self/ns/net").readlink() == before
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.1", PORT), 1)
        with pytest.raises(OSError, match="in use"):
            namespaces.listen(step.pid, PORT)


def test_a_process_that_has_ended_has_no_namespace(step):
    step.kill()
    step.wait()
    assert namespaces.find([step.pid, os.getpid()]) == {}
    with pytest.raises(OSError, match="No such"):
        namespaces.listen(step.pid, PORT)


def test_the_proxy_of_an_evaluation_without_builds_ends_at_once():
    with Egress(list, SimpleNamespace(serve=None)):
        pass
