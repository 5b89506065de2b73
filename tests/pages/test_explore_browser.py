"""Test the explorer's page in a browser."""

import json
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from helpers_explorer import Explorer

import zpfit.pages.explore

SET = "paper_2021_cs"


@pytest.fixture(scope="module")
def explorer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Explorer]:
    running = Explorer(SET, cwd=tmp_path_factory.mktemp("explorer"))
    yield running
    code, errors = running.end(signal.SIGTERM)
    assert code == 0, errors
    assert "Traceback" not in errors


BROWSER_OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("there is no chromium")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=BROWSER_OPTIONS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Any, explorer: Explorer) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "requestfailed",
        # Requests that are pending when the page closes are not failures.
        lambda request: complaints.extend(
            [f"{request.url}: {request.failure}"] * (request.failure != "net::ERR_ABORTED")
        ),
    )
    page.goto(explorer.url)
    page.wait_for_selector("#plot .heatmaplayer image")
    yield page
    assert not complaints
    context.close()


def changed(page: Any, selector: str, action: Callable[[], None], attribute: str = "") -> str:
    """Act on the page, wait until the element changes, and return its new content."""
    words = f"e => {'e.getAttribute(name)' if attribute else 'e.textContent'}"
    read = words.replace("name", json.dumps(attribute))
    before = page.locator(selector).first.evaluate(read)
    action()
    page.wait_for_function(
        f"([s, t]) => ({read})(document.querySelector(s)) !== t", arg=[selector, before]
    )
    return page.locator(selector).first.evaluate(read)


def test_sliders_move_numbers_and_slice(page: Any):
    picture = "#plot .heatmaplayer image"
    titles = page.locator("#plot .xtitle, #plot .ytitle").all_text_contents()
    assert [title.replace("\u200b", "") for title in titles] == ["mZ\u2032 (MeV)", "CVe"]
    page.wait_for_selector("#measurements tbody td:first-child sub", state="attached")
    names = page.locator("#measurements td:first-child span, #exclusions td:first-child span")
    assert not [text for text in names.all_text_contents() if "_" in text]
    assert names.first.get_attribute("title").startswith("a_e_cs_2018: ")
    slider = page.get_by_role("slider", name="C_Ae axial coupling")
    slider.focus()
    verdict = changed(page, "#verdict", lambda: page.keyboard.press("PageUp"))
    assert "χ²" in verdict
    changed(page, picture, lambda: page.keyboard.press("Home"), "href")
    assert page.locator("#p-C_Ae").get_attribute("aria-valuetext").strip() == "−0.1"
    page.wait_for_function(
        "() => document.getElementById('verdict').textContent.includes('excluded by')"
    )


@pytest.mark.slow
def test_typed_numbers_are_checked(page: Any):
    number = page.get_by_label("m_Zp, as a number")
    changed(page, "#verdict", lambda: number.fill("55"))
    number.fill("-3")
    assert number.get_attribute("aria-invalid") == "true"
    assert "between" in page.locator("#sliders .reason").first.text_content()
    number.fill("40")
    assert number.get_attribute("aria-invalid") is None


@pytest.mark.slow
def test_hovering_and_clicking_the_slice(page: Any):
    box = page.locator("#plot .nsewdrag").first.bounding_box()
    x, y = box["x"] + 0.2 * box["width"], box["y"] + 0.1 * box["height"]
    page.mouse.move(x, y)
    page.wait_for_selector("#plot .hoverlayer .hovertext")
    shown = page.locator("#plot .hoverlayer").first.text_content().replace("\u200b", "")
    assert "mZ\u2032 = " in shown
    assert "m_Zp" not in shown
    before = page.get_by_label("m_Zp, as a number").input_value()
    page.mouse.click(x, y)
    page.wait_for_function(
        "before => document.querySelector('#sliders input[type=number]').value !== before",
        arg=before,
    )


@pytest.mark.slow
def test_the_address_brings_a_point_back(page: Any, explorer: Explorer):
    words = "#model=B-L&data=paper_2021_rb&x=g_prime&y=m_Zp&view=who&p.m_Zp=33&p.g_prime=2e-5"
    page.goto("about:blank")
    page.goto(explorer.url + words)
    page.wait_for_selector("#legend li")
    assert page.get_by_label("m_Zp, as a number").input_value() == "33"
    assert page.locator("#likelihood").input_value() == "paper_2021_rb"
    assert page.locator("#x").input_value() == "g_prime"
    page.locator("#options select").last.select_option("zS_vS")
    page.wait_for_selector("#p-zS_vS")
    page.wait_for_function("() => decodeURIComponent(location.hash).includes('zS_vS')")
    page.click("#command")
    page.wait_for_function(
        "() => document.getElementById('copied').textContent.includes('zpfit evaluate')"
    )
    copied = page.locator("#copied").text_content()
    assert "--likelihood paper_2021_rb" in copied
    assert "zS_vS" in copied


@pytest.mark.slow
def test_nothing_sticks_out_on_a_telephone_in_the_dark(page: Any):
    bright = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size({"width": 400, "height": 800})
    page.wait_for_function("() => document.documentElement.scrollWidth <= 400")
    assert page.evaluate("() => getComputedStyle(document.body).backgroundColor") != bright


def test_the_tables_need_no_markup_of_others():
    # Names come from files, so the page sets them as text.
    folder = Path(zpfit.pages.explore.__file__).parent / "page"
    for path in folder.glob("*.js"):
        assert "innerHTML" not in path.read_text(encoding="utf-8")
