"""The page as a person meets it, in a real browser on a real server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.ui.conftest import Look, Server, running, send

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

HOSTILE = (
    '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script> \u202egnp.exe '
    "**[x](javascript:window.hacked=1)**"
)
KEY = "sk-" + "proj-A1b2C3d4E5f6G7h8I9j0"
HUGE = "lorem ipsum " * 17_000


class Fed:
    """A server with a handful of traces whose figures are known."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.good = send(server, "Where is my order?", "It **left** on Monday.", took_ms=1500)
        self.failed = send(
            server, "Delete my account", None, user="bob", took_ms=400, error="Error code: 429 - rate limit reached"
        )
        self.unpriced = send(server, "Guten Tag", "Hallo.", service="mail-triage", user="eve", model="house-model-7b")
        self.hostile = send(server, HOSTILE, HOSTILE, user=HOSTILE[:60], name=HOSTILE[:90])
        told = "Write to ada@example.com or bob@example.com"
        self.masked = send(server, f"{told}, my key is {KEY}.", "I will.", user="mia")
        self.huge = send(server, HUGE, "Too long.", user="long")


@pytest.fixture(scope="module")
def fed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fed]:
    """Feed one server for the tests that only read."""
    folder: Path = tmp_path_factory.mktemp("ui")
    with running(folder) as server:
        yield Fed(server)


def row(page: Page, trace_id: str) -> str:
    """Return the text of a trace's row."""
    return page.locator(f"[data-trace='{trace_id}']").inner_text().replace("\n", " ")


def test_empty_state_turns_green(empty: Server, look: Look) -> None:
    """The first visit shows what to paste, and a check that turns green by itself and leads to the first trace."""
    page, seen = look(empty, "/traces")
    check = page.get_by_test_id("first-span")
    expect(check).to_contain_text("Waiting for the first span")
    expect(page.get_by_label("app.py").locator("pre")).to_contain_text("wk.init(service=")
    trace_id = send(empty, "Is anybody watching?", "Always.")
    expect(check).to_contain_text("The first span is here")
    page.get_by_role("link", name="Open the first trace").click()
    expect(page).to_have_url(f"{empty.url}/traces/{trace_id}")
    expect(page.get_by_role("treeitem")).to_have_count(3)
    assert seen.complaints == []


def test_a_lost_server_is_said(look: Look, tmp_path: Path) -> None:
    """When the server goes away the page says so, keeps what it shows, and offers to retry."""
    with running(tmp_path) as server:
        trace_id = send(server, "Hello", "Hi")
        page, _ = look(server, "/traces")
        page.wait_for_selector(f"[data-trace='{trace_id}']")
    expect(page.get_by_role("alert")).to_contain_text("does not answer")
    expect(page.get_by_role("button", name="Retry now")).to_be_visible()
    assert "Hello" in row(page, trace_id)


def test_an_unknown_trace_is_said(fed: Fed, look: Look) -> None:
    """A trace that is not there gives the server's own words and a way to try again."""
    page, _ = look(fed.server, f"/traces/{'0' * 31}1")
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_role("button", name="Try again")).to_be_visible()


def test_failed_call_shows_its_error(fed: Fed, look: Look) -> None:
    """A failed span carries its error's type and message above everything else."""
    page, _ = look(fed.server, f"/traces/{fed.failed}")
    fault = page.get_by_role("note", name="Error")
    expect(fault).to_contain_text("RateLimitError")
    expect(fault).to_contain_text("429 - rate limit reached")
    assert page.get_by_text("2 failed spans").is_visible()


def test_unpriced_is_a_word(fed: Fed, look: Look) -> None:
    """A call without a known price says so; it is never shown as $0."""
    page, _ = look(fed.server, "/traces")
    page.wait_for_selector(f"[data-trace='{fed.unpriced}']")
    assert "unpriced" in row(page, fed.unpriced)
    assert "$0" not in row(page, fed.unpriced)


def test_what_was_masked_is_told(fed: Fed, look: Look) -> None:
    """A span says how many values of which kind were masked and where that is explained; its trace bears a mark."""
    page, seen = look(fed.server, f"/traces/{fed.masked}")
    badge = page.get_by_role("note", name="3 values masked")
    expect(badge).to_have_text("3 values masked: e-mail 2, key 1")
    expect(badge).to_have_attribute("title", re.compile("docs/capture.md"))
    page.goto(f"{fed.server.url}/traces")
    mark = page.locator(f"[data-trace='{fed.masked}']").get_by_role("img", name="masked")
    expect(mark).to_have_attribute("aria-label", "6 values masked or dropped on arrival")
    expect(page.locator(f"[data-trace='{fed.good}']").get_by_role("img", name="masked")).to_have_count(0)
    assert seen.complaints == []


def test_row_has_latency_tokens_and_cost(fed: Fed, look: Look) -> None:
    """The list shows model, latency, tokens and cost of a trace without scrolling sideways."""
    page, _ = look(fed.server, "/traces", viewport={"width": 1280, "height": 800})
    page.wait_for_selector(f"[data-trace='{fed.good}']")
    text = row(page, fed.good)
    found = [
        part for part in ("gpt-4o-mini", "1.50 s", "1,000 / 200", "$0.000270", "Where is my order?") if part in text
    ]
    box = page.locator(".list").evaluate("box => box.scrollWidth <= box.clientWidth")
    assert (found, box) == (["gpt-4o-mini", "1.50 s", "1,000 / 200", "$0.000270", "Where is my order?"], True)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("status=error", "failed"),
        ("service=mail-triage", "unpriced"),
        ("model=house-model-7b", "unpriced"),
        ("user=bob", "failed"),
        ("q=LEFT", "good"),
    ],
)
def test_filters_narrow_the_list(fed: Fed, look: Look, query: str, expected: str) -> None:
    """Each filter, given in the address, leaves exactly the traces it names."""
    page, _ = look(fed.server, f"/traces?{query}")
    page.wait_for_selector("[data-trace]")
    shown = page.locator("[data-trace]").evaluate_all("rows => rows.map(row => row.dataset.trace)")
    assert [getattr(fed, expected)] == shown


def test_filters_live_in_the_address(fed: Fed, look: Look) -> None:
    """A filter that was picked is in the address, survives a reload, and Escape clears it."""
    page, _ = look(fed.server, "/traces")
    page.wait_for_selector("[data-trace]")
    page.get_by_label("Status", exact=True).select_option("error")
    expect(page.locator("[data-trace]")).to_have_count(1)
    page.reload()
    expect(page.locator("[data-trace]")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.locator("[data-trace]")).to_have_count(6)
    assert f"{fed.server.url}/traces" == page.url


def test_keys_move_and_open(fed: Fed, look: Look) -> None:
    """j goes down, k goes up, Enter opens the trace, / focuses the search."""
    page, _ = look(fed.server, "/traces")
    page.wait_for_selector("[data-trace]")
    page.keyboard.press("/")
    expect(page.get_by_label("Search names, inputs and outputs")).to_be_focused()
    page.keyboard.press("Escape")
    for key in ("j", "j", "j", "k"):
        page.keyboard.press(key)
    second = page.locator("[data-trace]").nth(1).get_attribute("data-trace")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{fed.server.url}/traces/{second}")


def test_new_traces_come_by_themselves(empty: Server, look: Look) -> None:
    """While live, a trace that arrives appears on top without a reload."""
    send(empty, "first", "one")
    page, _ = look(empty, "/traces")
    expect(page.locator("[data-trace]")).to_have_count(1)
    later = send(empty, "second", "two")
    expect(page.locator("[data-trace]")).to_have_count(2)
    assert later == page.locator("[data-trace]").first.get_attribute("data-trace")


def test_trace_page_shows_tree_and_messages(fed: Fed, look: Look) -> None:
    """The trace opens as a tree beside the selected call's conversation, tokens and priced buckets."""
    page, _ = look(fed.server, f"/traces/{fed.good}")
    expect(page.get_by_role("treeitem")).to_have_count(3)
    page.get_by_role("treeitem", name="llm chat").click()
    expect(page.get_by_role("article", name="user message")).to_contain_text("Where is my order?")
    expect(page.get_by_role("article", name="assistant message").locator("strong")).to_have_text("left")
    page.get_by_role("tab", name="Details").click()
    panel = page.get_by_role("tabpanel")
    expect(panel).to_contain_text("$0.000270")
    expect(panel).to_contain_text("computed from the price table")
    page.get_by_role("tab", name="Raw").click()
    expect(panel).to_contain_text("gen_ai.usage.input_tokens")


def test_overview_equals_the_api(fed: Fed, look: Look) -> None:
    """The overview's tiles show the API's own figures."""
    page, _ = look(fed.server, "/")
    page.wait_for_selector("[data-tile]")
    figures = fed.server.api("/overview")
    tiles = {
        tile.get_attribute("data-tile"): tile.locator(".figure").inner_text()
        for tile in page.locator("[data-tile]").all()
    }
    nano = int(figures["cost_nano_usd"])
    expected = {
        "Requests": f"{figures['requests']:,}",
        "Error rate": f"{100 * figures['errors'] / figures['requests']:.1f}%",
        "Cost": f"${nano / 1e9:.5f}",
        "Unpriced calls": str(figures["unpriced"]),
    }
    assert expected == {name: tiles[name] for name in expected}


def test_amounts_are_in_the_currency_that_was_asked_for(look: Look, tmp_path: Path) -> None:
    """With a display currency the list, the tile and the trace show it, and where one looks the day of the rate."""
    prices = tmp_path / "prices.toml"
    prices.write_text('[[rate]]\ncurrency = "EUR"\nfrom = 2026-01-01\nusd = "1.25"\n')
    with running(tmp_path, WATCHKEEPER_CURRENCY="EUR", WATCHKEEPER_PRICES=str(prices)) as server:
        trace_id = send(server, "Where is my order?", "It left.")
        page, seen = look(server, "/traces")
        expect(page.locator(f"[data-trace='{trace_id}']")).to_contain_text("€0.")
        expect(page.get_by_title("EUR at the rate of 2026-01-01").first).to_be_visible()
        page.goto(f"{server.url}/")
        expect(page.locator("[data-tile='Cost'] .figure")).to_contain_text("€0.")
        expect(page.locator("[data-tile='Cost'] .note")).to_contain_text("€")
        assert seen.complaints == []


def test_hostile_text_is_inert(fed: Fed, look: Look) -> None:
    """Markup, scripts and bidi tricks in names and messages are shown as text and run nothing."""
    page, seen = look(fed.server, "/traces")
    page.wait_for_selector(f"[data-trace='{fed.hostile}']")
    page.goto(f"{fed.server.url}/traces/{fed.hostile}")
    page.get_by_role("treeitem", name="llm chat").click()
    expect(page.get_by_role("article", name="user message")).to_contain_text("<img src=x onerror=")
    verdict = page.evaluate("[window.hacked ?? 0, document.querySelectorAll('#root img, #root script').length]")
    assert (verdict, seen.foreign, seen.complaints) == ([0, 0], [], [])


def test_huge_message_is_cut_until_asked(fed: Fed, look: Look) -> None:
    """A message of 200 kB shows its beginning, and all of it on request."""
    page, _ = look(fed.server, f"/traces/{fed.huge}")
    page.get_by_role("treeitem", name="llm chat").click()
    bubble = page.get_by_role("article", name="user message")
    # The agent's span, which is shown first, has the same message: wait for the call's own.
    expect(page.get_by_role("article", name="system message")).to_be_visible()
    page.get_by_role("button", name="Show all 204 kB").click()
    expect(page.get_by_role("button", name="Show all")).to_have_count(0)
    assert len(HUGE) - 10 <= len(bubble.inner_text())


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_pages_are_quiet_and_stay_home(fed: Fed, look: Look, scheme: str) -> None:
    """No page logs an error in either theme, and none asks anything of another origin."""
    page, seen = look(fed.server, "/", color_scheme=scheme)
    page.wait_for_selector("[data-tile] .figure")
    for path, ready in (
        ("/traces", "[data-trace]"),
        (f"/traces/{fed.good}", "[role=treeitem]"),
        ("/query", "textarea"),
    ):
        page.goto(fed.server.url + path)
        page.wait_for_selector(ready)
    page.get_by_role("button", name="Cost by model").click()
    page.wait_for_selector("table[aria-label=Result] td")
    assert (seen.complaints, seen.foreign) == ([], [])


def test_theme_is_remembered(fed: Fed, look: Look) -> None:
    """The chosen theme outlives a reload."""
    page, _ = look(fed.server, "/query")
    page.get_by_role("button", name="Switch to light theme").click()
    page.reload()
    expect(page.get_by_role("button", name="Switch to dark theme")).to_be_visible()
    assert page.evaluate("document.documentElement.dataset.theme") == "light"


def test_phone_needs_no_sideways_scrolling(fed: Fed, look: Look) -> None:
    """On a phone every page fits the width of the screen."""
    page, _ = look(fed.server, "/", viewport={"width": 390, "height": 844})
    page.wait_for_selector("[data-tile] .figure")
    wide = {}
    for path, ready in (
        ("/", "[data-tile] .figure"),
        ("/traces", "[data-trace]"),
        (f"/traces/{fed.good}", "[role=treeitem]"),
    ):
        page.goto(fed.server.url + path)
        page.wait_for_selector(ready)
        wide[path] = page.evaluate("document.documentElement.scrollWidth")
    assert dict.fromkeys(wide, 390) == wide
