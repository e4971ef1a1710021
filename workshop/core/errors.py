"""Why a command ends early: what the user can put right, or what the user wants."""

from __future__ import annotations


class UserError(Exception):
    """Something that the user can put right: said in one line, and the exit code is 2."""

    def __init__(self, thing: str, found: str, fix: str) -> None:
        """Name the `thing`, what was `found` there (and what was wanted), and the `cure`."""
        self.thing, self.found, self.fix = thing, found, fix
        super().__init__(f"{thing}: {found}. {fix}")


class Interrupted(BaseException):
    """The user wants this to end, by Ctrl-C or by ending the process.

    No `KeyboardInterrupt`: libraries catch that one and answer in their own words.
    """
