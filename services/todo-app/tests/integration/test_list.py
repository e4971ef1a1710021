import re

import pytest
from visitor import Visitor, status, titles


def test_a_new_list_says_that_it_is_empty(visitor):
    response = visitor.client.get("/")
    assert response.status_code == 200
    assert response.mimetype == "text/html"
    assert "Nothing to do yet." in response.text
    assert titles(response.text, "open") == titles(response.text, "done") == []


def test_adding_redirects_and_shows_the_item(visitor):
    response = visitor.add("  Buy   milk ")
    assert [redirect.status_code for redirect in response.history] == [303]
    assert response.status_code == 200
    assert titles(response.text, "open") == ["Buy milk"]
    assert status(response.text) == "Added “Buy milk”."
    assert "<title>(1) To do</title>" in response.text


def test_a_status_is_shown_once(visitor):
    visitor.add("Buy milk")
    assert status(visitor.page) == ""


def test_items_are_counted_and_kept_in_order(visitor):
    for title in ("one", "two", "three"):
        visitor.add(title)
    page = visitor.press("complete", "two").text
    assert titles(page, "open") == ["one", "three"]
    assert titles(page, "done") == ["two"]
    assert "<strong>2</strong> open, <strong>1</strong> done" in page


def test_a_completed_item_is_done_until_it_is_reopened(visitor):
    visitor.add("Buy milk")
    page = visitor.press("complete", "Buy milk").text
    assert (titles(page, "open"), titles(page, "done")) == ([], ["Buy milk"])
    assert status(page) == "Completed “Buy milk”."
    assert "All done." in page
    page = visitor.press("reopen", "Buy milk").text
    assert (titles(page, "open"), titles(page, "done")) == (["Buy milk"], [])
    assert status(page) == "Reopened “Buy milk”."


def test_a_deleted_item_is_gone_and_undo_is_offered_once(visitor):
    visitor.add("Buy milk")
    page = visitor.press("delete", "Buy milk").text
    assert titles(page, "open") == []
    assert status(page) == "Deleted “Buy milk”."
    assert 'action="/undo"' in page
    assert 'action="/undo"' not in visitor.page


@pytest.mark.parametrize(("before", "group"), [((), "open"), (("complete",), "done")])
def test_undo_restores_the_item_in_its_old_position(visitor, before, group):
    visitor.add("Buy milk")
    visitor.add("Buy bread")
    for title in ("Buy milk", "Buy bread"):
        for verb in before:
            visitor.press(verb, title)
    visitor.press("delete", "Buy milk")
    page = visitor.send("/undo").text
    assert titles(page, group) == ["Buy milk", "Buy bread"]
    assert status(page) == "Restored “Buy milk”."


def test_undo_without_a_deletion_shows_a_message(visitor):
    visitor.add("Buy milk")
    page = visitor.send("/undo").text
    assert status(page) == "There is nothing to undo."
    assert titles(page, "open") == ["Buy milk"]


@pytest.mark.parametrize("verb", ["complete", "reopen", "delete"])
def test_an_item_deleted_in_another_window_shows_a_message(visitor, verb):
    visitor.add("Buy milk")
    number = visitor.id_of("Buy milk")
    visitor.press("delete", "Buy milk")
    response = visitor.send(f"/items/{number}/{verb}")
    assert response.status_code == 200
    assert status(response.text) == "This item was deleted in another window."


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Enter something to do, then press Add."),
        ("   ", "Enter something to do, then press Add."),
        ("x" * 201, "The title has 201 characters; the maximum is 200."),
    ],
)
def test_an_invalid_title_is_shown_again_with_the_reason(visitor, text, message):
    response = visitor.add(text)
    assert response.status_code == 422
    assert re.search(rf'<p id="title-error"[^>]*>{re.escape(message)}', response.text)
    assert f'name="title" value="{text}"' in response.text
    assert 'aria-invalid="true"' in response.text
    assert titles(visitor.page, "open") == []


@pytest.mark.parametrize("title", ["<script>alert(1)</script>", "<b>\"bold\" & 'brave'</b>"])
def test_html_in_a_title_is_shown_as_text(visitor, title):
    for page in (visitor.add(title).text, visitor.press("delete", title).text):
        assert "<script>alert" not in page
        assert "<b>" not in page
        assert title in status(page)


def test_html_in_an_invalid_title_is_shown_as_text(visitor):
    response = visitor.add('"><script>alert(1)</script>' + "x" * 200)
    assert response.status_code == 422
    assert "<script>alert" not in response.text


@pytest.mark.parametrize("title", ["Купить хлеб 🥖", "买牛奶", "שלום", "naïve “quoted”"])
def test_titles_in_every_script_are_kept_unchanged(visitor, title):
    assert titles(visitor.add(title).text, "open") == [title]


def test_two_sessions_see_the_same_list(app, visitor):
    other = Visitor(app)
    visitor.add("Buy milk")
    assert titles(other.page, "open") == ["Buy milk"]
    other.press("complete", "Buy milk")
    assert titles(visitor.page, "done") == ["Buy milk"]


def test_only_the_session_that_deleted_an_item_can_undo_it(app, visitor):
    visitor.add("Buy milk")
    visitor.press("delete", "Buy milk")
    page = Visitor(app).send("/undo").text
    assert status(page) == "There is nothing to undo."
    assert titles(page, "open") == []


def test_items_remain_after_a_restart_of_the_app(make_app, app, database_url, visitor):
    visitor.add("Buy milk")
    app.extensions["todo_engine"].dispose()
    again = make_app(database_url, empty=False)
    assert titles(Visitor(again).page, "open") == ["Buy milk"]
