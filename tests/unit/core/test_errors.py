from __future__ import annotations

from workshop.core.errors import Interrupted, UserError


def test_user_error_is_one_line():
    error = UserError("the disk", "it is full", "Free some")
    assert str(error) == "the disk: it is full. Free some"


def test_except_exception_does_not_catch_an_interrupt():
    assert not issubclass(Interrupted, (Exception, KeyboardInterrupt))
