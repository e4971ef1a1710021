"""Test the set of planets."""

from concurrent.futures import ThreadPoolExecutor

from deathstar.planets import KNOWN, Planets


def test_it_starts_with_the_known_planets() -> None:
    """Without arguments, the set contains all known planets."""
    assert Planets().names() == list(KNOWN)


def test_names_are_found_in_any_case_and_keep_their_spelling() -> None:
    """Planets are looked up without regard to case."""
    planets = Planets(["Kef Bir"])
    assert planets.find("KEF bir") == "Kef Bir"
    assert planets.find("Hoth") is None


def test_a_destroyed_planet_is_gone() -> None:
    """The second call returns False, and the other planets remain."""
    planets = Planets(["Hoth", "Endor"])
    assert planets.destroy("hoth")
    assert not planets.destroy("Hoth")
    assert planets.names() == ["Endor"]


def test_concurrent_calls_destroy_each_planet_once() -> None:
    """Eight threads destroy the same 200 planets: each planet is destroyed exactly once."""
    names = [f"planet {number}" for number in range(200)]
    planets = Planets(names)
    with ThreadPoolExecutor(8) as pool:
        hits = list(pool.map(planets.destroy, names * 8))
    assert sum(hits) == 200
    assert planets.names() == []
