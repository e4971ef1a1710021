"""Test the command line against a real server."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from typer.testing import CliRunner, Result

from deathstar.cli import app


def free_port() -> int:
    """Return a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def running_api(*options: str, **env: str) -> Iterator[subprocess.Popen[str]]:
    """Run `deathstar api` in a separate process; kill it at the end if it still runs."""
    server = subprocess.Popen(
        [sys.executable, "-m", "deathstar", "api", *options],
        env=os.environ | env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield server
    finally:
        server.kill()
        server.communicate()


def wait_for(server: subprocess.Popen[str], url: str) -> None:
    """Wait until the server responds at url; fail after 60 s or if it exits."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.poll() is None:
        try:
            urllib.request.urlopen(f"{url}/health", timeout=1).close()
        except OSError:  # also a time-out while reading
            time.sleep(0.05)
        else:
            return
    server.kill()
    pytest.fail(f"no response at {url}: {server.communicate()[0]}")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Return the URL of a running API."""
    port = free_port()
    with running_api("--host", "127.0.0.1", "--port", str(port)) as server:
        wait_for(server, f"http://127.0.0.1:{port}")
        yield f"http://127.0.0.1:{port}"


def laser(planet: str, url: str) -> Result:
    """Run `deathstar laser`."""
    return CliRunner().invoke(app, ["laser", planet, "--url", url])


def test_the_laser_destroys_a_planet_once(url: str) -> None:
    """The first call exits with 0, the second with 1."""
    first, second = laser("alderaan", url), laser("alderaan", f"{url}/")
    assert (first.exit_code, first.stdout) == (0, "alderaan is destroyed.\n")
    assert (second.exit_code, second.stdout) == (1, "")
    assert second.stderr == "deathstar: there is no planet alderaan\n"


@pytest.mark.parametrize("name", ["", "a/b", "../health", "ö", "x" * 51])
def test_an_invalid_name_is_reported_as_no_such_planet(url: str, name: str) -> None:
    """Any name stays one segment of the URL path."""
    result = laser(name, url)
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 1


def test_only_one_of_many_requests_destroys_a_planet(url: str) -> None:
    """Of 20 simultaneous requests for one planet, one returns 204 and 19 return 404."""

    def shoot(_: int) -> int:
        request = urllib.request.Request(f"{url}/api/v1/planets/Tython", method="DELETE")
        try:
            with urllib.request.urlopen(request, timeout=20) as response:
                return response.status
        except urllib.error.HTTPError as error:
            error.close()
            return error.code

    with ThreadPoolExecutor(20) as pool:
        assert sorted(pool.map(shoot, range(20))) == [204] + 19 * [404]


def test_an_unreachable_api_exits_with_2() -> None:
    """One line on stderr shows the URL and how to start the API."""
    url = f"http://127.0.0.1:{free_port()}"
    result = laser("Naboo", url)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"deathstar: cannot reach the API at {url} (")
    assert result.stderr.endswith("); start it with 'deathstar api'\n")
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize("bad", ["localhost:8080", "file:///etc/passwd", "ftp://x"])
def test_a_url_with_another_scheme_exits_with_2(bad: str) -> None:
    """Only HTTP and HTTPS URLs are accepted."""
    result = laser("Naboo", bad)
    assert result.exit_code == 2
    assert result.stderr == f"deathstar: --url must start with http:// or https://, not {bad}\n"


def test_an_unexpected_status_exits_with_2() -> None:
    """The message shows a status that the API never returns."""

    class Teapot(BaseHTTPRequestHandler):
        def do_DELETE(self) -> None:
            self.send_response(418)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Teapot) as server:
        Thread(target=server.handle_request).start()
        url = f"http://127.0.0.1:{server.server_port}"
        result = laser("Naboo", url)
    assert result.exit_code == 2
    assert result.stderr == f"deathstar: the API at {url} returned status 418, expected 204\n"


def test_variables_set_host_and_port_and_sigterm_stops_the_server() -> None:
    """The API uses DEATHSTAR_HOST and DEATHSTAR_PORT; after SIGTERM it exits with 0."""
    port = free_port()
    with running_api(DEATHSTAR_HOST="127.0.0.1", DEATHSTAR_PORT=str(port)) as server:
        wait_for(server, f"http://127.0.0.1:{port}")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=20):
            server.send_signal(signal.SIGTERM)
            output, _ = server.communicate(timeout=20)
    assert server.returncode == 0
    assert f"Uvicorn running on http://127.0.0.1:{port}" in output
    assert "Traceback" not in output


def test_by_default_it_listens_on_port_8080_of_all_addresses() -> None:
    """The defaults suit a container."""
    with running_api() as server:
        wait_for(server, "http://127.0.0.1:8080")
        server.terminate()
        output, _ = server.communicate(timeout=20)
    assert "Uvicorn running on http://0.0.0.0:8080" in output


@pytest.mark.parametrize("port", ["0", "65536", "http"])
def test_an_invalid_port_is_rejected(port: str) -> None:
    """The message names the option."""
    result = CliRunner().invoke(app, ["api", "--port", port])
    assert result.exit_code == 2
    assert "--port" in result.stderr
