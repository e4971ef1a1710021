"""One variable that names a proxy is enough, and no password is printed."""

from __future__ import annotations

import pytest

from workshop.core import proxies

LOCAL = "localhost,127.0.0.1,::1"


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"])
def test_one_variable_sets_every_other(name):
    found = proxies.read({name: "http://proxy:3128"})
    assert found.variables == {
        "HTTP_PROXY": "http://proxy:3128",
        "HTTPS_PROXY": "http://proxy:3128",
        "NO_PROXY": LOCAL,
        "http_proxy": "http://proxy:3128",
        "https_proxy": "http://proxy:3128",
        "no_proxy": LOCAL,
    }


def test_two_proxies_stay_different():
    found = proxies.read({"HTTP_PROXY": "http://a:1", "HTTPS_PROXY": "http://b:2"})
    assert (found.http, found.https) == ("http://a:1", "http://b:2")


def test_lower_case_wins():
    found = proxies.read({"HTTPS_PROXY": "http://a:1", "https_proxy": "http://b:2"})
    assert found.https == "http://b:2"


def test_servers_of_this_machine_need_no_proxy():
    found = proxies.read({"HTTPS_PROXY": "proxy:3128", "NO_PROXY": " .example.org,localhost "})
    assert found.exceptions == (".example.org", "localhost", "127.0.0.1", "::1")
    assert found.https == "http://proxy:3128"


@pytest.mark.parametrize("environ", [{}, {"NO_PROXY": "*"}, {"HTTPS_PROXY": ""}])
def test_no_variable_is_no_proxy(environ):
    assert proxies.read(environ) is None


def test_an_address_has_a_host_and_a_port():
    assert proxies.address("http://ada:secret@proxy:3128") == ("proxy", 3128)
    assert proxies.find_fault("http://ada:secret@proxy:3128") == ""


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://proxy:3128", "http://proxy:3128"),
        ("http://ada:p@ss@proxy:3128", "http://...@proxy:3128"),
    ],
)
def test_a_password_is_not_shown(url, shown):
    assert proxies.without_password(url) == shown
