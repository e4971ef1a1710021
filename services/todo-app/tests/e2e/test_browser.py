import pytest
from playwright.sync_api import expect

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
LONG = "Donaudampfschifffahrtsgesellschaft" * 5
TOUCH_TARGET_PIXELS = 44


def add(page, title):
    page.get_by_label("What is there to do?").fill(title)
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("status")).to_have_text(f"Added “{title}”.")


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def open_titles(page):
    return page.locator("#open .title")


def done_titles(page):
    return page.locator("#done .title")


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_an_item_is_added_completed_reopened_deleted_and_restored(open_page, scripts):
    page = open_page(java_script_enabled=scripts)
    expect(page.get_by_text("Nothing to do yet.")).to_be_visible()
    add(page, "Buy milk")
    expect(open_titles(page)).to_have_text(["Buy milk"])
    expect(page).to_have_title("(1) To do")
    press(page, "Complete: Buy milk")
    expect(done_titles(page)).to_have_text(["Buy milk"])
    expect(open_titles(page)).to_have_count(0)
    expect(page.get_by_text("All done.")).to_be_visible()
    press(page, "Reopen: Buy milk")
    expect(open_titles(page)).to_have_text(["Buy milk"])
    press(page, "Delete: Buy milk")
    expect(page.get_by_text("Nothing to do yet.")).to_be_visible()
    press(page, "Undo")
    expect(open_titles(page)).to_have_text(["Buy milk"])
    expect(page.get_by_role("status")).to_have_text("Restored “Buy milk”.")


def test_every_action_works_with_the_keyboard(open_page):
    page = open_page()
    expect(page.get_by_label("What is there to do?")).to_be_focused()
    page.keyboard.type("Buy milk")
    page.keyboard.press("Enter")
    expect(open_titles(page)).to_have_text(["Buy milk"])
    expect(page.get_by_label("What is there to do?")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Complete: Buy milk")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Reopen: Buy milk")).to_be_focused()
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Complete: Buy milk")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Undo")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Complete: Buy milk")).to_be_focused()


def test_the_focus_is_visible(open_page):
    page = open_page()
    add(page, "Buy milk")
    for name in ("Add", "Complete: Buy milk", "Delete: Buy milk"):
        page.keyboard.press("Tab")
        button = page.get_by_role("button", name=name, exact=True)
        expect(button).to_be_focused()
        expect(button).to_have_css("outline-style", "solid")


def test_an_invalid_title_stays_in_its_field_with_the_reason(open_page):
    page = open_page()
    field = page.get_by_label("What is there to do?")
    field.fill("x" * 201)
    field.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("The title has 201 characters")
    expect(field).to_have_value("x" * 201)
    expect(field).to_be_focused()
    expect(field).to_have_accessible_description(page.get_by_role("alert").inner_text())


def test_a_second_press_before_the_response_adds_nothing(open_page):
    page = open_page()
    page.get_by_label("What is there to do?").fill("Buy milk")
    page.get_by_role("button", name="Add", exact=True).dblclick()
    expect(page.get_by_role("status")).to_have_text("Added “Buy milk”.")
    page.reload()
    expect(open_titles(page)).to_have_text(["Buy milk"])


def test_html_in_a_title_is_shown_as_text(open_page):
    page = open_page()
    add(page, "<img src=x onerror=alert(1)>")
    expect(open_titles(page)).to_have_text(["<img src=x onerror=alert(1)>"])
    expect(page.locator("img")).to_have_count(0)


def test_the_page_fits_a_phone_and_has_large_touch_targets(open_page):
    page = open_page(**PHONE)
    add(page, "Buy milk")
    add(page, LONG)
    press(page, "Complete: Buy milk")
    add(page, "Buy bread")
    press(page, "Delete: Buy bread")
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= PHONE["viewport"]["width"]
    targets = page.locator("button, input:not([type=hidden]), a").all()
    # The field, Add, two buttons for each of the two items, Undo.
    assert len(targets) == 7
    for target in targets:
        box = target.bounding_box()
        assert box["height"] >= TOUCH_TARGET_PIXELS
        assert box["width"] >= TOUCH_TARGET_PIXELS


def luminance(page, selector, name):
    """Return the relative luminance (0 black, 1 white) of the element's colour property `name`."""
    script = "(element, name) => getComputedStyle(element).getPropertyValue(name)"
    colour = page.locator(selector).first.evaluate(script, name)
    parts = [int(part) / 255 for part in colour.strip("rgb()").split(",")]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(weight * p for weight, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_has_enough_contrast_in_both_schemes(open_page, scheme):
    page = open_page(color_scheme=scheme)
    add(page, "Buy milk")
    add(page, "Buy bread")
    press(page, "Complete: Buy milk")
    press(page, "Delete: Buy bread")
    field = page.get_by_label("What is there to do?")
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    on_page = luminance(page, "body", "background-color")
    assert (on_page > 0.5) is (scheme == "light")
    pairs = [
        *(("h1", "body"), ("label", "body"), ("#counts", "body"), ("input#title", "input#title")),
        *((".button", ".button"), ("#done .title", "#done"), (".message p", ".message")),
        *(("#status", ".toast"), (".undo", ".toast")),
    ]
    for text, behind in pairs:
        assert contrast(page, text, behind) >= 4.5, (text, scheme)
    field.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    assert contrast(page, ".error", "body") >= 4.5


def contrast(page, text, behind):
    """Return the contrast ratio, from 1 to 21, of a text and its background."""
    colours = luminance(page, text, "color"), luminance(page, behind, "background-color")
    return (max(colours) + 0.05) / (min(colours) + 0.05)


def test_an_unknown_page_links_back_to_the_list(address, browser):
    page = browser.new_page()
    page.goto(f"{address}/nowhere")
    page.get_by_role("link", name="Open the list").click()
    expect(page.get_by_label("What is there to do?")).to_be_visible()
    page.close()
