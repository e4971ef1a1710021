"""The planets that are left, kept in memory."""

from collections.abc import Iterable

KNOWN = ("Alderaan", "Dantooine", "Naboo", "Tatooine", "Tython", "Yavin4")


class Planets:
    """Planets by name; Naboo and nABOO are the same planet."""

    def __init__(self, names: Iterable[str] = KNOWN) -> None:
        """Start with these names, each spelled as it is to be shown."""
        self._by_key = {name.casefold(): name for name in names}

    def names(self) -> list[str]:
        """Return the names of all planets that are left, in the order they were given."""
        return list(self._by_key.values())

    def find(self, name: str) -> str | None:
        """Return the planet's name as it is spelled here, or None if there is no such planet."""
        return self._by_key.get(name.casefold())

    def destroy(self, name: str) -> bool:
        """Remove the planet; return whether it was there."""
        # One step, no look before it: of two shots at one moment exactly one finds the planet.
        return self._by_key.pop(name.casefold(), None) is not None
