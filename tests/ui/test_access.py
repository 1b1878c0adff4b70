"""Every page can be read and used without seeing it well, in either theme; and a second project is joined."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.ui.conftest import Look, Server, unreachable
from tests.ui.test_people import ADA, ADAS, VIC, VICS, Peopled, call, join, peopled, sign_in

__all__ = ["peopled"]

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.mark.slow
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_axe_finds_nothing_serious(peopled: Peopled, look: Look, scheme: str, width: int) -> None:
    """The login and every page behind it have names, roles and contrast that axe-core has nothing serious against."""
    page, _ = look(
        peopled.server, "/", viewport={"width": width, "height": 844}, color_scheme=scheme, reduced_motion="reduce"
    )  # fmt: skip
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    found = {"login": unreachable(page)}
    sign_in(page, ADA, ADAS)
    expect(page.get_by_label("Password", exact=True)).to_have_count(0)
    for path in (
        "/",
        "/traces",
        f"/traces/{peopled.trace}",
        "/query",
        "/settings/keys",
        "/settings/members",
        "/account",
    ):
        page.goto(peopled.server.url + path)
        page.get_by_role("heading", level=1).first.wait_for()
        page.wait_for_load_state("networkidle")
        found[path] = unreachable(page)
    assert {page: told for page, told in found.items() if told} == {}


def test_an_account_joins_a_second_project(empty: Server, look: Look) -> None:
    """Who has an account and is invited to another project joins with the password they have, and may then switch."""
    call(empty, "PUT", "/projects/acme")
    made, _ = call(empty, "POST", "/invitations", {"email": VIC, "role": "viewer"}, **{"X-Watchkeeper-Project": "acme"})
    join(empty, VIC, "viewer", VICS)
    page, _ = look(empty, made["url"].removeprefix(empty.url))
    expect(page.get_by_role("heading", level=1)).to_have_text("Join acme")
    expect(page.get_by_label("Your name")).to_have_count(0)
    page.get_by_label("Password", exact=True).fill("not this one at all")
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_label("Password", exact=True).fill(VICS)
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_label("Project")).to_have_value("acme")
    page.get_by_label("Project").select_option("default")
    expect(page.get_by_label("Project")).to_have_value("default")
