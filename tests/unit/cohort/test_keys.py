"""A key stands for everything that a verdict depends on."""

from __future__ import annotations

import pytest
from classroom import submission
from fakes import NO_ENGINE, docker

from workshop.cohort.keys import Keys, read_keys
from workshop.core.errors import UserError

ANNA = submission("anna", "x")
KEYS = Keys("0.1", "26")


def test_identical_submissions_have_the_same_key():
    assert KEYS.key(ANNA) == KEYS.key(submission("ben", "x"))


@pytest.mark.parametrize(
    "other",
    [
        KEYS.key(submission("anna", "y")),
        KEYS.key(submission("anna", "x", "basic-python")),
        KEYS._replace(kit="0.2").key(ANNA),
        KEYS._replace(engine="27").key(ANNA),
    ],
)
def test_another_file_task_kit_or_engine_changes_the_key(other):
    assert KEYS.key(ANNA) != other


def test_the_key_of_the_facts_is_another_one():
    assert KEYS.facts(ANNA) == KEYS.facts(submission("ben", "x")) != KEYS.key(ANNA)
    assert KEYS.facts(ANNA) != KEYS._replace(engine="27").facts(ANNA)


def test_the_stand_ins_of_an_engine_are_a_part_of_the_keys():
    real, _ = docker({"docker image inspect": ""})
    standins, _ = docker({"docker image inspect": "debian"})
    assert read_keys(real) == read_keys(real) != read_keys(standins)


def test_without_an_engine_there_are_no_keys():
    engine, _ = docker(info=NO_ENGINE)
    with pytest.raises(UserError, match="no Docker engine answers"):
        read_keys(engine)
