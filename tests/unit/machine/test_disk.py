from __future__ import annotations

import pytest
from fakes import NOWHERE

from workshop.core.errors import UserError
from workshop.engine import Info
from workshop.machine import disk


def test_enough_free_space_is_no_error(tmp_path):
    disk.check(Info("26", str(tmp_path), ours=True), 0)


def test_a_full_disk_is_an_error_with_free_and_needed_space(tmp_path):
    with pytest.raises(UserError) as caught:
        disk.check(Info("26", str(tmp_path), ours=True), 10**18)
    assert caught.value.thing == f"disk under {tmp_path}"
    assert caught.value.found.endswith(" GB free, 1000000000 GB are needed")
    assert "docker system prune" in caught.value.fix


def test_the_disk_of_another_machine_is_not_checked():
    disk.check(Info("26", NOWHERE, ours=False), 10**18)


def test_the_first_time_needs_more_space():
    assert disk.FIRST_TIME > disk.AGAIN > 0
