"""The start of the desk: its port, its address, and its end."""

from __future__ import annotations

import socket

import pytest

from desk import launch
from workshop.core.errors import UserError

EVERY = "0.0.0.0"  # noqa: S104 - tested


def test_a_port_in_use_is_left_for_the_next_one():
    with socket.create_server((launch.LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]
        with launch._listen(launch.LOOPBACK, port) as found:
            assert port < found.getsockname()[1] < port + launch.PORTS


def test_other_computers_cannot_connect_without_a_warning(capsys):
    with launch._listen(launch.LOOPBACK, 0) as found:
        assert found.getsockname()[0] == "127.0.0.1"
    assert capsys.readouterr().out == ""
    with launch._listen(EVERY, 0):
        assert "Warning: with --host 0.0.0.0, anyone in your network" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("host", "port"), [("127.0.0.1", 65_536), ("127.0.0.1", -1), ("203.0.113.7", 0)]
)
def test_an_address_that_cannot_be_had_is_an_error(host, port):
    with pytest.raises(UserError, match=r"see workshop learn|Use a port"):
        launch._listen(host, port)


@pytest.mark.parametrize(
    ("host", "names"),
    [("127.0.0.1", set()), ("192.0.2.1", {"192.0.2.1"}), ("::1", {"[::1]"}), (EVERY, {"*"})],
)
def test_the_desk_answers_to_the_names_in_its_address(host, names):
    assert names <= launch._other_hosts(host)
    assert ("*" in launch._other_hosts(host)) is (host == EVERY)
