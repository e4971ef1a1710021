"""Why a command ends early: what the user can put right, or what the user wants."""

from __future__ import annotations


class Trouble(Exception):  # noqa: N818 - it is the user's trouble, not a fault of the kit
    """Something that the user can put right: said in one line, and the exit code is 2."""

    def __init__(self, thing: str, found: str, cure: str) -> None:
        """Name the `thing`, what was `found` there (and what was wanted), and the `cure`."""
        self.thing, self.found, self.cure = thing, found, cure
        super().__init__(f"{thing}: {found}. {cure}")


class Interrupted(BaseException):
    """The user wants this to end, by Ctrl-C or by ending the process.

    No `KeyboardInterrupt`: libraries catch that one and answer in their own words.
    """
