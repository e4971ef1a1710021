import pytest
from sqlalchemy.engine import make_url

from todo_app.database import open_database
from todo_app.items import InvalidTitleError, Items

UNKNOWN_ID = 12345


@pytest.fixture
def items(sqlite_url):
    engine = open_database(make_url(sqlite_url))
    yield Items(engine)
    engine.dispose()


def shown(items):
    return [(item.title, item.done) for item in items.all()]


def test_a_new_list_is_empty(items):
    assert items.all() == []


def test_items_are_kept_in_the_order_they_were_added(items):
    for title in ("one", "two", "three"):
        items.add(title)
    assert shown(items) == [("one", False), ("two", False), ("three", False)]


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("  Buy milk ", "Buy milk"),
        ("Buy \t\r\n milk", "Buy milk"),
        ("Buy\0milk", "Buy milk"),
        ("Купить 🥛", "Купить 🥛"),
        ("x" * 200, "x" * 200),
        (" " + "x" * 200 + " ", "x" * 200),
        ("🥛" * 200, "🥛" * 200),
    ],
)
def test_a_title_is_kept_without_extra_spaces(items, text, title):
    assert items.add(text).title == title
    assert shown(items) == [(title, False)]


@pytest.mark.parametrize("text", ["", " ", "\t\r\n", "\0", "\u00a0"])
def test_an_empty_title_is_rejected(items, text):
    with pytest.raises(InvalidTitleError, match=r"^Enter something to do, then press Add\.$"):
        items.add(text)
    assert items.all() == []


def test_a_title_that_is_too_long_is_rejected_with_both_lengths(items):
    with pytest.raises(InvalidTitleError, match=r"has 201 characters; the maximum is 200\."):
        items.add("x" * 201)
    assert items.all() == []


def test_completing_and_reopening_change_only_one_item(items):
    milk = items.add("milk")
    items.add("bread")
    assert items.complete(milk.id).done is True
    assert shown(items) == [("milk", True), ("bread", False)]
    assert items.reopen(milk.id).done is False
    assert shown(items) == [("milk", False), ("bread", False)]


@pytest.mark.parametrize(("change", "done"), [("complete", True), ("reopen", False)])
def test_a_second_call_changes_nothing(items, change, done):
    milk = items.add("milk")
    for _ in range(2):
        assert getattr(items, change)(milk.id).done is done
    assert shown(items) == [("milk", done)]


def test_deleting_returns_the_item(items):
    items.add("bread")
    milk = items.add("milk")
    items.complete(milk.id)
    deleted = items.delete(milk.id)
    assert (deleted.id, deleted.title, deleted.done) == (milk.id, "milk", True)
    assert shown(items) == [("bread", False)]


@pytest.mark.parametrize("done", [False, True])
def test_a_restored_item_has_its_old_position(items, done):
    milk = items.add("milk")
    items.add("bread")
    items.delete(milk.id)
    for _ in range(2):
        assert items.restore(milk.id, "milk", done=done).id == milk.id
        assert shown(items) == [("milk", done), ("bread", False)]


def test_the_id_of_a_deleted_item_is_not_reused(items):
    milk = items.add("milk")
    items.delete(milk.id)
    assert items.add("bread").id > milk.id
    items.restore(milk.id, "milk", done=False)
    assert shown(items) == [("milk", False), ("bread", False)]


@pytest.mark.parametrize("change", ["complete", "reopen", "delete"])
def test_an_unknown_item_returns_none_and_changes_nothing(items, change):
    items.add("milk")
    assert getattr(items, change)(UNKNOWN_ID) is None
    assert shown(items) == [("milk", False)]
