"""What the set of planets promises."""

from concurrent.futures import ThreadPoolExecutor

from deathstar.planets import KNOWN, Planets


def test_it_starts_with_the_known_planets() -> None:
    """Without names, all known planets are there."""
    assert Planets().names() == list(KNOWN)


def test_names_are_found_in_any_case_and_shown_as_given() -> None:
    """Case does not tell two planets apart."""
    planets = Planets(["Kef Bir"])
    assert planets.find("KEF bir") == "Kef Bir"
    assert planets.find("Hoth") is None


def test_a_destroyed_planet_is_gone() -> None:
    """The second shot misses, and the other planets stay."""
    planets = Planets(["Hoth", "Endor"])
    assert planets.destroy("hoth")
    assert not planets.destroy("Hoth")
    assert planets.names() == ["Endor"]


def test_of_many_shots_at_once_each_planet_takes_one() -> None:
    """Eight threads shoot at the same 200 planets: every planet is destroyed exactly once."""
    names = [f"planet {number}" for number in range(200)]
    planets = Planets(names)
    with ThreadPoolExecutor(8) as pool:
        hits = list(pool.map(planets.destroy, names * 8))
    assert sum(hits) == 200
    assert planets.names() == []
