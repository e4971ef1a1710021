from __future__ import annotations

from workshop.core.errors import Interrupted, UserError


def test_trouble_is_one_line_of_thing_finding_and_cure():
    assert (
        str(UserError("the disk", "it is full", "Free some")) == "the disk: it is full. Free some"
    )


def test_what_catches_errors_does_not_catch_the_users_wish_to_end():
    assert not issubclass(Interrupted, (Exception, KeyboardInterrupt))
