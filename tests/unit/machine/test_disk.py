from __future__ import annotations

import pytest
from fakes import NOWHERE

from workshop.core.errors import UserError
from workshop.engine import Info
from workshop.machine import disk


def test_a_disk_with_room_is_no_trouble(tmp_path):
    disk.check(Info("26", str(tmp_path), ours=True), 0)


def test_a_disk_without_room_is_named_with_what_is_free_and_what_is_needed(tmp_path):
    with pytest.raises(UserError) as caught:
        disk.check(Info("26", str(tmp_path), ours=True), 10**18)
    assert caught.value.thing == f"disk under {tmp_path}"
    assert caught.value.found.endswith(" GB free, 1000000000 GB are needed")
    assert "docker system prune" in caught.value.fix


def test_a_disk_that_is_elsewhere_is_not_judged():
    disk.check(Info("26", NOWHERE, ours=False), 10**18)


def test_a_first_time_needs_more_than_another():
    assert disk.FIRST_TIME > disk.AGAIN > 0
