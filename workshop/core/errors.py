"""Exceptions that end a command: an error that the user can fix, or an interrupt."""

from __future__ import annotations


class UserError(Exception):
    """An error that the user can fix: printed in one line, with exit code 2."""

    def __init__(self, thing: str, found: str, fix: str) -> None:
        """Name the `thing`, what was `found` (and what was expected), and the `fix`."""
        self.thing, self.found, self.fix = thing, found, fix
        super().__init__(f"{thing}: {found}. {fix}")


class Interrupted(BaseException):
    """The user interrupted the command with Ctrl-C or SIGTERM.

    Not a `KeyboardInterrupt`: libraries catch that one and print their own messages.
    """
