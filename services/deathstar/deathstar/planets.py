"""The remaining planets, kept in memory."""

from collections.abc import Iterable

KNOWN = ("Alderaan", "Dantooine", "Naboo", "Tatooine", "Tython", "Yavin4")


class Planets:
    """Planets by name, ignoring case: Naboo and nABOO are the same planet."""

    def __init__(self, names: Iterable[str] = KNOWN) -> None:
        """Start with these names; responses use this spelling."""
        self._by_key = {name.casefold(): name for name in names}

    def names(self) -> list[str]:
        """Return the names of the remaining planets, in their original order."""
        return list(self._by_key.values())

    def find(self, name: str) -> str | None:
        """Return the planet's name in its original spelling, or None if there is no such planet."""
        return self._by_key.get(name.casefold())

    def destroy(self, name: str) -> bool:
        """Remove the planet and return whether it existed."""
        # Pop without checking first, so that only one of two simultaneous requests succeeds.
        return self._by_key.pop(name.casefold(), None) is not None
