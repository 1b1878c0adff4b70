"""Keys and people as a person meets them, in a real browser on a real server."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Page, expect

from tests.ui.conftest import Look, Server, running, send

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

ADA, ADAS = "ada@example.com", "a lighthouse of four words"
VIC, VICS = "vic@example.com", "someone who only looks"


def call(server: Server, method: str, path: str, body: object = None, **headers: str) -> tuple[Any, str]:
    """Ask the API from outside the browser; return the answer and the cookie it set."""
    sent = None if body is None else json.dumps(body).encode()
    told = {"Content-Type": "application/json", "Origin": server.url, **headers}
    request = Request(f"{server.url}/api/v1{path}", sent, told, method=method)
    with urlopen(request, timeout=30) as answer:
        text = answer.read()
        return json.loads(text) if text else None, (answer.headers["Set-Cookie"] or "").partition(";")[0]


def invite(server: Server, email: str, role: str, cookie: str = "") -> str:
    """Make an invitation; return its link."""
    made, _ = call(server, "POST", "/invitations", {"email": email, "role": role}, Cookie=cookie)
    return str(made["url"])


def join(server: Server, email: str, role: str, password: str, cookie: str = "") -> str:
    """Make an account; return the cookie of its session."""
    token = invite(server, email, role, cookie).partition("#")[2]
    _, started = call(
        server, "POST", "/links/accept", {"token": token, "name": email[:3].title(), "password": password}
    )
    return started


def sign_in(page: Page, email: str, password: str) -> None:
    """Fill in the login form and send it."""
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()


class Peopled:
    """A server with one trace, an admin and a viewer."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.trace = send(server, "Where is my order?", "On its way.")
        self.admin = join(server, ADA, "admin", ADAS)
        self.viewer = join(server, VIC, "viewer", VICS, self.admin)


@pytest.fixture(scope="module")
def peopled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peopled]:
    """Share one server with accounts among the tests that sign in."""
    with running(tmp_path_factory.mktemp("people")) as server:
        yield Peopled(server)


def make_key(page: Page, name: str) -> str:
    """Make a key that sends and reads; return its secret."""
    page.get_by_role("button", name="New key").click()
    page.get_by_label("Name").fill(name)
    page.get_by_role("checkbox", name=re.compile("^Read")).check()
    page.get_by_role("button", name="Make the key").click()
    return taken(page)


def taken(page: Page) -> str:
    """Read the secret that is shown once, and put the dialog away."""
    secret = page.get_by_label("Secret key", exact=True).input_value()
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(page.get_by_label("Secret key", exact=True)).to_be_visible()
    page.get_by_role("button", name="I have stored it").click()
    return secret


def test_wrong_password_is_refused(peopled: Peopled, look: Look) -> None:
    """A wrong password is said where the form is, shows nothing of the server, and the right one still works."""
    page, _ = look(peopled.server, "/traces")
    sign_in(page, ADA, "not this one at all")
    expect(page.get_by_role("alert")).to_contain_text("is not right")
    assert page.locator("[data-trace]").count() == 0
    sign_in(page, ADA, ADAS)
    expect(page.locator(f"[data-trace='{peopled.trace}']")).to_be_visible()


def test_a_used_link_says_so(peopled: Peopled, look: Look) -> None:
    """A link that was used or never was says so, and leads to the start page."""
    page, _ = look(peopled.server, "/invite#not-a-token")
    expect(page.get_by_role("heading", level=1)).to_have_text("This link works no more")
    expect(page).to_have_url(f"{peopled.server.url}/invite")
    page.get_by_role("link", name="Go to the start page").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()


def test_owner_makes_a_key_and_sends_with_it(empty: Server, look: Look) -> None:
    """On the machine itself a key is made without a login, and a span sent with it arrives."""
    page, seen = look(empty, "/settings/keys")
    expect(page.get_by_text("There are no keys yet.")).to_be_visible()
    secret = make_key(page, "support-bot")
    expect(page.get_by_role("button", name="New key")).to_be_focused()
    assert secret not in page.content()
    row = page.get_by_role("row", name="support-bot")
    expect(row).to_contain_text("never")
    span = {
        "traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174", "name": "sent with a key",
        "startTimeUnixNano": str(empty.clock), "endTimeUnixNano": str(empty.clock + 1),
    }  # fmt: skip
    body = {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
    with urlopen(Request(f"{empty.url}/v1/traces", json.dumps(body).encode(), headers), timeout=30) as answer:
        assert answer.status == 200
    page.get_by_role("link", name="Traces").click()
    page.get_by_role("link", name="Open the first trace").click()
    expect(page.get_by_role("treeitem")).to_contain_text("sent with a key")
    assert (seen.complaints, seen.foreign) == ([], [])


def test_keys_are_rotated_and_revoked(empty: Server, look: Look) -> None:
    """Rotating gives a second secret while the first still works; revoking ends a key at once."""
    page, _ = look(empty, "/settings/keys")
    first = make_key(page, "grafana")
    page.get_by_role("button", name="Rotate grafana").click()
    page.get_by_role("button", name="Rotate it").click()
    second = taken(page)
    expect(page.get_by_text("rotated, ends in 24 h")).to_be_visible()
    kinds = [call(empty, "GET", "/session", Authorization=f"Bearer {secret}")[0]["kind"] for secret in (first, second)]
    page.get_by_role("row").filter(has_text="active").get_by_role("button", name="Revoke").click()
    page.get_by_role("button", name="Revoke it").click()
    expect(page.get_by_role("row").filter(has_text="active")).to_have_count(0)
    page.get_by_label("Show revoked and expired keys").check()
    expect(page.get_by_role("cell", name="revoked")).to_be_visible()
    kinds.append(call(empty, "GET", "/session", Authorization=f"Bearer {second}")[0]["kind"])
    assert kinds == ["key", "key", "none"]


def test_a_secret_can_be_copied_over_plain_http(empty: Server, look: Look) -> None:
    """Where the browser gives no clipboard, as over plain http, the secret still lands in it, dialog or not."""
    page, _ = look(empty, "/query")
    page.add_init_script("Object.defineProperty(window, 'isSecureContext', {value: false})")
    page.goto(f"{empty.url}/settings/keys")
    page.get_by_role("button", name="New key").click()
    page.get_by_label("Name").fill("support-bot")
    page.get_by_role("button", name="Make the key").click()
    page.get_by_role("button", name="Copy the secret key").click()
    expect(page.get_by_text("Copied")).to_be_visible()
    secret = page.get_by_label("Secret key", exact=True).input_value()
    page.get_by_role("button", name="I have stored it").click()
    page.get_by_role("button", name="New key").click()
    page.get_by_label("Name").press("Control+V")
    expect(page.get_by_label("Name")).to_have_value(secret)


def test_first_invitation_shuts_the_door(empty: Server, look: Look) -> None:
    """The first account is made through the link alone; from then on this machine needs its password to read."""
    trace = send(empty, "Is anybody watching?", "Always.")
    owner, _ = look(empty, "/settings/members")
    expect(owner.get_by_text("reading needs a login, on this machine too")).to_be_visible()
    owner.get_by_role("button", name="Invite").click()
    owner.get_by_label("Email").fill(ADA)
    expect(owner.get_by_role("radio", name="Admin")).to_be_checked()
    owner.get_by_role("button", name="Make the link").click()
    link = owner.get_by_label("Link", exact=True).input_value()
    guest, seen = look(empty, link.removeprefix(empty.url))
    expect(guest).to_have_url(f"{empty.url}/invite")
    guest.get_by_label("Your name").fill("Ada")
    guest.get_by_label("Password", exact=True).fill(ADAS)
    guest.get_by_role("button", name="Make the account").click()
    expect(guest.get_by_role("link", name="Settings")).to_be_visible()
    assert "#" not in guest.evaluate("history.go(-1) ?? location.href")
    owner.goto(f"{empty.url}/traces?status=ok&status=error")
    expect(owner.get_by_role("button", name="Sign in")).to_be_visible()
    owner.goto(f"{empty.url}/traces")
    sign_in(owner, ADA, ADAS)
    expect(owner.locator(f"[data-trace='{trace}']")).to_be_visible()
    assert (seen.complaints, seen.foreign) == ([], [])


def test_viewer_sees_no_admin_pages(peopled: Peopled, look: Look) -> None:
    """A viewer has no way to keys and members, and an address that was guessed says whose it is."""
    page, _ = look(peopled.server, "/settings/keys")
    sign_in(page, VIC, VICS)
    expect(page.get_by_text("This page is for admins of the project")).to_be_visible()
    page.get_by_role("button", name="Account:").click()
    expect(page.get_by_role("link", name="Your account")).to_be_visible()
    names = page.get_by_role("link").all_inner_texts()
    assert [name for name in names if name in {"Settings", "Keys", "Members"}] == []


def test_session_ended_elsewhere_leads_back(peopled: Peopled, look: Look) -> None:
    """When a session is ended elsewhere the page asks for a login, and afterwards shows what was looked at before."""
    address = f"/traces/{peopled.trace}?tab=details"
    page, _ = look(peopled.server, address)
    sign_in(page, VIC, VICS)
    expect(page.get_by_role("treeitem")).to_have_count(3)
    rows, _ = call(peopled.server, "GET", "/sessions", Cookie=peopled.viewer)
    for row in rows["items"]:
        if not row["current"]:
            call(peopled.server, "DELETE", f"/sessions/{row['id']}", Cookie=peopled.viewer)
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    assert page.get_by_text("Where is my order?").count() == 0
    sign_in(page, VIC, VICS)
    expect(page.get_by_role("treeitem")).to_have_count(3)
    assert page.url == peopled.server.url + address


def test_own_sessions_and_password(peopled: Peopled, look: Look) -> None:
    """A person sees where they are signed in, ends a session, and changes the password only with the old one."""
    page, _ = look(peopled.server, "/account")
    sign_in(page, ADA, ADAS)
    expect(page.get_by_label("Password", exact=True)).to_have_count(0)  # a page left sooner takes the login with it
    call(peopled.server, "POST", "/session", {"email": ADA, "password": ADAS}, **{"User-Agent": "elsewhere"})
    page.reload()
    end = page.get_by_role("button", name="End the session of elsewhere")
    end.click()
    expect(end).to_have_count(0)
    page.get_by_label("Current password", exact=True).fill("not this one at all")
    page.get_by_label("New password", exact=True).fill(ADAS)
    page.get_by_role("button", name="Change the password").click()
    expect(page.get_by_role("alert")).to_contain_text("old password is not right")
    page.get_by_role("button", name="Account:").click()
    page.get_by_role("navigation", name="Account").get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()


def test_members_are_looked_after(peopled: Peopled, look: Look) -> None:
    """The last admin stays one, a reset link is shown once, and an open link can be withdrawn."""
    page, _ = look(peopled.server, "/settings/members")
    sign_in(page, ADA, ADAS)
    page.get_by_label(f"Role of {ADA}").select_option("viewer")
    expect(page.get_by_role("alert")).to_contain_text("admin")
    page.get_by_role("button", name=f"Reset password of {VIC}").click()
    expect(page.get_by_label("Link", exact=True)).to_have_value(re.compile("/invite#"))
    page.get_by_role("button", name="Done").click()
    page.get_by_role("button", name=f"Withdraw the link for {VIC}").click()
    expect(page.get_by_role("table", name="Open links")).to_have_count(0)


def test_projects_are_switched_and_kept_apart(empty: Server, look: Look) -> None:
    """Who may see several projects switches between them, sees each one's traces alone, and is remembered there."""
    here = send(empty, "Where is my order?", "On its way.")
    call(empty, "PUT", "/projects/acme")
    page, seen = look(empty, "/traces")
    expect(page.locator(f"[data-trace='{here}']")).to_be_visible()
    page.get_by_label("Project").select_option("acme")
    expect(page.get_by_role("heading", level=1)).to_have_text("Nothing to watch yet")
    page.goto(f"{empty.url}/settings/keys")
    expect(page.get_by_role("heading", level=1)).to_have_text("Keys of acme")
    page.get_by_label("Project").select_option("default")
    expect(page.get_by_role("heading", level=1)).to_have_text("Keys of default")
    page.get_by_role("link", name="Traces").click()
    expect(page.locator(f"[data-trace='{here}']")).to_be_visible()
    assert seen.complaints == []


def test_a_project_that_is_gone_is_forgotten(peopled: Peopled, look: Look) -> None:
    """A remembered project that is not theirs does not keep anyone out."""
    page, _ = look(peopled.server, "/traces")
    page.evaluate("localStorage.setItem('watchkeeper.project', 'acme')")
    page.reload()
    sign_in(page, ADA, ADAS)
    expect(page.locator(f"[data-trace='{peopled.trace}']")).to_be_visible()
    page.evaluate("localStorage.setItem('watchkeeper.project', 'acme')")
    page.reload()
    expect(page.locator(f"[data-trace='{peopled.trace}']")).to_be_visible()


def test_a_reset_link_replaces_the_password(empty: Server, look: Look) -> None:
    """A reset link takes a new password that is long enough, once, and ends the sessions that were there."""
    admin = join(empty, ADA, "admin", ADAS)
    join(empty, VIC, "viewer", VICS, admin)
    there, _ = look(empty, "/query")
    sign_in(there, VIC, VICS)
    expect(there.get_by_role("button", name="Run")).to_be_visible()
    members, _ = call(empty, "GET", "/members", Cookie=admin)
    vic = next(member["user_id"] for member in members["items"] if member["email"] == VIC)
    made, _ = call(empty, "POST", f"/members/{vic}/reset", Cookie=admin)
    page, _ = look(empty, made["url"].removeprefix(empty.url))
    expect(page.get_by_role("heading", level=1)).to_have_text("Choose a new password")
    page.get_by_label("New password", exact=True).fill("vic@example.com")
    page.get_by_role("button", name="Set the password").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_label("New password", exact=True).fill("quite another sentence")
    page.get_by_role("button", name="Set the password").click()
    expect(page.get_by_role("button", name="Account: Vic")).to_be_visible()
    expect(there.get_by_role("button", name="Sign in")).to_be_visible()
    page.goto(made["url"])
    expect(page.get_by_role("heading", level=1)).to_have_text("This link works no more")


def test_too_many_attempts_are_slowed(empty: Server, look: Look) -> None:
    """After ten wrong passwords the form says how long to wait and cannot be sent meanwhile."""
    join(empty, ADA, "admin", ADAS)
    for _ in range(10):
        with pytest.raises(HTTPError):
            call(empty, "POST", "/session", {"email": ADA, "password": "not this one at all"})
    page, _ = look(empty, "/")
    sign_in(page, ADA, ADAS)
    expect(page.get_by_role("alert")).to_contain_text(re.compile(r"Too many attempts\. Try again in \d+ (s|min)\."))
    expect(page.get_by_role("button", name="Sign in")).to_be_disabled()


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_people_pages_fit_a_phone(peopled: Peopled, look: Look, scheme: str) -> None:
    """On a phone the pages about keys and people fit the width, in either theme, and log nothing."""
    page, seen = look(
        peopled.server, "/settings/keys", viewport={"width": 390, "height": 844}, color_scheme=scheme
    )  # fmt: skip
    sign_in(page, ADA, ADAS)
    expect(page.get_by_label("Password", exact=True)).to_have_count(0)  # a page left sooner takes the login with it
    wide = {}
    for path in ("/settings/keys", "/settings/members", "/account"):
        page.goto(peopled.server.url + path)
        page.get_by_role("heading", level=1).wait_for()
        wide[path] = page.evaluate("document.documentElement.scrollWidth")
    assert (dict.fromkeys(wide, 390), [], []) == (wide, seen.complaints, seen.foreign)
