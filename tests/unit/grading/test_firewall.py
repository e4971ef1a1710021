"""Firewall rules are inserted and deleted for one evaluation."""

from __future__ import annotations

import pytest

from workshop.core.process import ProcessResult
from workshop.grading import firewall

LISTED = """-P INPUT ACCEPT
-A INPUT -i docker0 -p tcp -m comment --comment "workshop:1-one" -j REJECT --reject-with x
-A INPUT -i docker0 -p tcp -m comment --comment "workshop:1-one-more" -j REJECT
-A DOCKER-USER -i docker0 -m comment --comment workshop:1-one -j REJECT
-A DOCKER-USER -j RETURN
"""


class Iptables:
    """Records the calls, and lists some rules."""

    def __init__(self, code: int = 0) -> None:
        self.code, self.calls = code, []

    def __call__(self, argv, *, timeout):
        assert timeout
        self.calls.append(argv[3:])
        return ProcessResult(self.code, LISTED, LISTED)


@pytest.fixture(autouse=True)
def packages(monkeypatch):
    monkeypatch.setattr(firewall, "_ports_of_packages", lambda: frozenset({"3141"}))


def test_ports_of_this_machine_are_rejected_but_for_the_package_index():
    run = Iptables()
    assert firewall.block("1-one", run)
    rules = [" ".join(call) for call in run.calls]
    assert all(rule.startswith("--insert ") and "workshop:1-one" in rule for rule in rules)
    assert sum("INPUT" in rule and "REJECT" in rule for rule in rules) == 2
    # Inserted last, so it comes first.
    assert "--destination-port 3141" in rules[-1]
    assert rules[-1].endswith("--jump ACCEPT")


def test_a_refusal_is_reported():
    assert not firewall.block("1-one", Iptables(code=4))


def test_only_the_rules_of_that_name_are_deleted():
    run = Iptables()
    firewall.unblock("1-one", run)
    deleted = [call for call in run.calls if call[0] == "--delete"]
    assert [" ".join(call[1:]) for call in deleted] == [
        "INPUT -i docker0 -p tcp -m comment --comment workshop:1-one -j REJECT --reject-with x",
        "DOCKER-USER -i docker0 -m comment --comment workshop:1-one -j REJECT",
    ]


def test_an_address_of_this_machine_is_recognised():
    assert firewall._is_here("127.0.0.1")
    assert not firewall._is_here("192.0.2.77")
    assert not firewall._is_here("no-such-host.invalid")
