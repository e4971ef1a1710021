"""The host knows whether the kit may install an engine, and why not."""

from __future__ import annotations

import os
import platform

import fakes
import pytest

from workshop.machine import host


@pytest.fixture(autouse=True)
def with_apt(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", fakes.programs(tmp_path / "bin", apt_get="exit 0"))


@pytest.mark.parametrize("name", ["bookworm", "trixie"])
def test_root_on_debian_12_and_13_has_no_obstacle(name):
    host = fakes.host(release=f"debian {name}")
    assert (host.obstacle, host.codename) == ("", name)


@pytest.mark.parametrize(
    ("facts", "obstacle"),
    [
        ({"other_engine": "tcp://example:1"}, "DOCKER_HOST points to tcp://example:1"),
        ({"forbidden": True}, "WORKSHOP_NO_INSTALL forbids"),
        ({"release": "ubuntu noble"}, "only on Debian 12 and 13, not on ubuntu noble"),
        ({"release": "debian bullseye"}, "only on Debian 12 and 13, not on debian bullseye"),
        ({"system": "Darwin", "release": "Darwin 24"}, "not on Darwin 24"),
        ({"root": False}, "needs root"),
    ],
)
def test_an_obstacle_is_named(facts, obstacle):
    assert obstacle in fakes.host(**facts).obstacle


def test_no_apt_get_is_an_obstacle(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", fakes.programs(tmp_path / "empty"))
    assert fakes.host().obstacle == "installing one needs apt-get"


def test_the_users_setting_is_named_before_other_obstacles():
    assert "WORKSHOP_NO_INSTALL" in fakes.host(forbidden=True, root=False, release="x").obstacle


@pytest.mark.parametrize(
    ("value", "forbidden"), [(None, False), ("", False), ("0", False), ("1", True), ("yes", True)]
)
def test_workshop_no_install_forbids_unless_it_is_0_or_empty(value, forbidden):
    environ = {} if value is None else {"WORKSHOP_NO_INSTALL": value}
    assert host.detect(environ).forbidden is forbidden


def test_docker_host_selects_another_engine():
    assert host.detect({"DOCKER_HOST": "tcp://example:1"}).other_engine == "tcp://example:1"
    assert host.detect({}).other_engine == ""


@pytest.mark.parametrize(("number", "root"), [(0, True), (1000, False)])
def test_root_is_user_0(number, root, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: number)
    assert host.detect({}).root is root


@pytest.mark.parametrize(
    ("os_release", "release"),
    [
        ({"ID": "debian", "VERSION_CODENAME": "trixie", "VERSION": "13"}, "debian trixie"),
        ({"ID": "arch"}, "arch"),
    ],
)
def test_a_release_is_the_distribution_and_its_code_name(os_release, release, monkeypatch):
    monkeypatch.setattr(platform, "freedesktop_os_release", lambda: os_release)
    assert host.detect({}).release == release


def test_a_machine_without_os_release_is_named_by_its_system(monkeypatch):
    def nothing():
        raise FileNotFoundError

    monkeypatch.setattr(platform, "freedesktop_os_release", nothing)
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    monkeypatch.setattr(platform, "release", lambda: "24.1")
    assert (host.detect({}).system, host.detect({}).release) == ("Darwin", "Darwin 24.1")


def test_the_mtu_is_at_most_that_of_ethernet():
    assert 0 < host.detect({}).mtu <= host.MTU_OF_ETHERNET
