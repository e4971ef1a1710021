"""The servers of packages are those that pip and the base images name."""

from __future__ import annotations

import pytest
from fakes import Script

from workshop.engine import Engine
from workshop.grading import package_hosts
from workshop.grading.cache import Cache
from workshop.grading.package_hosts import PackageHosts
from workshop.grading.proxy import Origin

INDEX = "https://index.test:8443/simple"
SOURCES = """
# deb http://commented.test/debian x main
deb [signed-by=/x] http://mirror.test/debian bookworm main
URIs: https://security.test/debian-security
"""


@pytest.fixture
def hosts(monkeypatch, tmp_path):
    monkeypatch.setattr(package_hosts, "_index", lambda: INDEX)
    files = frozenset({Origin("https", "files.test", 443)})
    monkeypatch.setattr(package_hosts, "_files", lambda _index: files)
    monkeypatch.setattr(package_hosts, "base_images", lambda: {"debian:x"})
    script = Script({"docker image inspect": "sha256:1", "docker run": SOURCES})
    return script, PackageHosts(Engine(script), Cache(tmp_path), lambda: "sources")


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        (Origin("https", "index.test", 8443), True),
        (Origin("https", "files.test", 443), True),
        (Origin("http", "mirror.test", 80), True),
        (Origin("https", "security.test", 443), True),
        (Origin("https", "index.test", 443), False),
        (Origin("http", "index.test", 8443), False),
        (Origin("https", "mirror.test", 443), False),
        (Origin("http", "commented.test", 80), False),
        (Origin("https", "sub.index.test", 8443), False),
    ],
)
def test_a_server_is_allowed_by_scheme_host_and_port(hosts, origin, allowed):
    assert hosts[1].allows(origin) is allowed


def test_the_images_are_asked_once(hosts, tmp_path):
    script, found = hosts
    found.allows(Origin("http", "a.test", 80))
    found.allows(Origin("http", "a.test", 80))
    another = PackageHosts(Engine(script), Cache(tmp_path), lambda: "sources")
    assert another.allows(Origin("http", "mirror.test", 80))
    assert sum(argv[:2] == ["docker", "run"] for argv in script.argvs) == 1


def test_the_index_page_names_the_servers_of_files(monkeypatch):
    page = '<a href="https://files.test/a.whl#sha256=x">a</a> <a href="../b.whl">b</a>'
    asked = []

    class Answer:
        def __enter__(self):
            return self

        def __exit__(self, *_error):
            pass

        def read(self):
            return page.encode()

    def urlopen(request, timeout):
        assert timeout
        asked.append(request.full_url)
        return Answer()

    monkeypatch.setattr(package_hosts, "urlopen", urlopen)
    package_hosts._files.cache_clear()
    found = package_hosts._files(INDEX)
    assert asked == [f"{INDEX}/pip/"]
    assert found == {Origin("https", "files.test", 443), Origin("https", "index.test", 8443)}
    package_hosts._files.cache_clear()
