"""Signing in and out, passwords, links that let people in, and what stays shut meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from watchkeeper.kit.settings import ServerSettings
from watchkeeper.server import Services, assemble, create_app
from watchkeeper.server.accounts.schemas import SessionIn
from watchkeeper.server.passwords import Passwords
from watchkeeper.store.control.secrets import hashed

GOOD = "four random words here"
OTHER = "five other random words"
ADA, BOB = "ada@example.com", "bob@example.com"
PAGE = {"Sec-Fetch-Site": "same-origin"}


class Hands:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1_800_000_000 * 10**9

    def now_ns(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Hands:
    """A clock of our own."""
    return Hands()


@pytest.fixture
def services(tmp_path: Path, clock: Hands) -> Iterator[Services]:
    """Two projects; Ada is admin of alpha."""
    made = assemble(ServerSettings(secret_key="sk-operator"), tmp_path / "data", clock)
    made.control.ensure_project("alpha")
    made.control.ensure_project("beta")
    made.control.people.add(ADA, "Ada", Passwords().hash(GOOD), "alpha", "admin")
    yield made
    made.close()


def browser(services: Services, *, peer: str = "203.0.113.9", host: str = "watch.example:7070") -> httpx.AsyncClient:
    """A browser of its own, with its own cookies, on our page."""
    transport = httpx.ASGITransport(create_app(services), client=(peer, 1234))
    return httpx.AsyncClient(transport=transport, base_url=f"https://{host}", headers=PAGE)


@pytest.fixture
async def page(services: Services) -> AsyncIterator[httpx.AsyncClient]:
    """A browser that has not signed in."""
    async with browser(services) as made:
        yield made


async def login(page: httpx.AsyncClient, email: str = ADA, password: str = GOOD) -> httpx.Response:
    """Sign in."""
    return await page.post("/api/v1/session", json={"email": email, "password": password})


async def invite(page: httpx.AsyncClient, email: str = BOB, role: str = "viewer", **more: Any) -> str:
    """Make an invitation as whoever is signed in, and return its token."""
    made = await page.post("/api/v1/invitations", json={"email": email, "role": role, **more})
    assert made.status_code == 201, made.text
    return str(made.json()["url"]).partition("#")[2]


def code(answer: httpx.Response) -> str:
    """Return the code of a refusal."""
    return str(answer.json()["error"]["code"])


async def test_wrong_unknown_and_disabled_look_alike(page: httpx.AsyncClient, services: Services) -> None:
    """A wrong password, an unknown address and a disabled account get the same words and no cookie."""
    gone = services.control.people.add(BOB, "", Passwords().hash(GOOD), "alpha", "admin")
    services.control.people.disable(gone.id, disabled=True)
    answers = [await login(page, ADA, OTHER), await login(page, "eve@example.com"), await login(page, BOB)]

    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.text for answer in answers}) == 1
    assert not page.cookies


async def test_guessing_is_stopped(page: httpx.AsyncClient, services: Services) -> None:
    """After ten wrong passwords even the right one waits, from there; from elsewhere the owner still gets in."""
    for _ in range(10):
        assert (await login(page, password=OTHER)).status_code == 401
    refused = await login(page)
    async with browser(services, peer="198.51.100.7") as elsewhere:
        allowed = await login(elsewhere)

    assert (refused.status_code, code(refused)) == (429, "overloaded")
    assert 0 < int(refused.headers["Retry-After"]) <= 900
    assert allowed.status_code == 200


@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.example"}]
)
async def test_another_site_cannot_sign_anyone_in(services: Services, headers: dict[str, str]) -> None:
    """A login that another site's page sends is refused, though its password is right."""
    async with browser(services) as page:
        page.headers.pop("Sec-Fetch-Site")
        answer = await page.post("/api/v1/session", json={"email": ADA, "password": GOOD}, headers=headers)

    assert (answer.status_code, code(answer)) == (403, "forbidden")


async def test_a_signed_in_write_names_its_origin(page: httpx.AsyncClient) -> None:
    """With the cookie but no word of where it comes from, a write is refused and nothing happens."""
    await login(page)
    page.headers.pop("Sec-Fetch-Site")
    bare = await page.post("/api/v1/keys", json={"scopes": ["read"]})
    page.headers.update(PAGE)

    assert bare.status_code == 403
    assert (await page.get("/api/v1/keys")).json()["items"] == []


async def test_the_session_is_a_cookie_no_script_reads(page: httpx.AsyncClient) -> None:
    """Signing in sets one HttpOnly, Secure, SameSite=Strict cookie with the __Host- prefix; signing out ends it for good."""
    answer = await login(page)
    cookie = answer.headers["Set-Cookie"]
    token = dict(page.cookies)
    before = (await page.get("/api/v1/traces")).status_code
    out = await page.delete("/api/v1/session")
    page.cookies.update(token)

    assert cookie.startswith("__Host-watchkeeper-7070=")
    assert {"HttpOnly", "Secure", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
    assert (before, out.status_code) == (200, 204)
    assert (await page.get("/api/v1/traces")).status_code == 401


async def test_everyone_is_told_who_they_are(page: httpx.AsyncClient, services: Services) -> None:
    """`/session` answers a stranger, a person and a key, each with what they may do."""
    stranger = (await page.get("/api/v1/session")).json()
    person = (await login(page)).json()
    pair = services.control.keys.create("alpha", ("read",))
    async with browser(services) as other:
        key = (await other.get("/api/v1/session", headers={"Authorization": f"Bearer {pair.secret}"})).json()

    assert (stranger["kind"], stranger["can_read"], stranger["has_users"]) == ("none", False, True)
    assert (person["role"], person["projects"], person["user"]["email"]) == (
        "admin", [{"id": "alpha", "role": "admin"}], ADA,
    )  # fmt: skip
    assert person == (await page.get("/api/v1/session")).json()
    assert (key["kind"], key["scopes"], key["role"], key["project"]) == ("key", ["read"], None, "alpha")


async def test_a_session_ends_when_idle_and_after_a_fortnight(
    page: httpx.AsyncClient, services: Services, clock: Hands
) -> None:
    """Twelve hours without a question end a session; questions keep it, but not over fourteen days."""
    token = services.accounts.sign_in(SessionIn(email=ADA, password=GOOD), address="a", agent="b")[0]
    digest = hashed(token)
    kept = []
    for _ in range(31):
        clock.now += 11 * 3_600 * 10**9
        kept.append(services.control.sessions.find(digest) is not None)
    await login(page)
    clock.now += 13 * 3_600 * 10**9
    idle = services.control.sessions.of(services.control.people.by_email(ADA).id)  # type: ignore[union-attr]

    assert kept == [True] * 30 + [False]
    assert idle == ()


async def test_sessions_are_ones_own(page: httpx.AsyncClient, services: Services) -> None:
    """One's other session can be ended and is dead at once; another person's is not there."""
    services.control.people.add(BOB, "", Passwords().hash(OTHER), "alpha", "viewer")
    async with browser(services) as second, browser(services) as bobs:
        await login(page)
        await login(second)
        await login(bobs, BOB, OTHER)
        mine = (await page.get("/api/v1/sessions")).json()["items"]
        theirs = (await bobs.get("/api/v1/sessions")).json()["items"]
        stolen = await page.delete(f"/api/v1/sessions/{theirs[0]['id']}")
        other = next(one["id"] for one in mine if not one["current"])
        ended = await page.delete(f"/api/v1/sessions/{other}")
        after = [(await one.get("/api/v1/traces")).status_code for one in (page, second, bobs)]

    assert (len(mine), len(theirs)) == (2, 1)
    assert (stolen.status_code, ended.status_code) == (404, 204)
    assert after == [200, 401, 200]


async def test_a_new_password_ends_every_other_session(page: httpx.AsyncClient, services: Services) -> None:
    """The old password must be right and the new one good; then only this browser stays signed in."""
    async with browser(services) as second:
        await login(page)
        await login(second)
        wrong = await page.put("/api/v1/session/password", json={"old": OTHER, "new": OTHER})
        weak = [
            (await page.put("/api/v1/session/password", json={"old": GOOD, "new": new})).status_code
            for new in ("short", "aaaaaaaaaaaaaaaa", ADA)
        ]
        good = await page.put("/api/v1/session/password", json={"old": GOOD, "new": OTHER})
        after = [(await one.get("/api/v1/traces")).status_code for one in (page, second)]
        again = [(await login(second, password=one)).status_code for one in (GOOD, OTHER)]

    assert (wrong.status_code, weak, good.status_code) == (400, [400, 400, 400], 204)
    assert (after, again) == ([200, 401], [401, 200])


async def test_keys_have_no_account(page: httpx.AsyncClient, services: Services) -> None:
    """A key cannot list sessions or change a password, whatever its scopes."""
    pair = services.control.keys.create("alpha", ("admin",))
    sent = {"Authorization": f"Bearer {pair.secret}"}
    listed = await page.get("/api/v1/sessions", headers=sent)
    changed = await page.put("/api/v1/session/password", json={"old": GOOD, "new": OTHER}, headers=sent)

    assert (listed.status_code, changed.status_code) == (400, 400)


async def test_an_invitation_lets_one_in_once(page: httpx.AsyncClient, services: Services) -> None:
    """Who has the link chooses a password and is signed in with the invited role; the second use finds nothing."""
    await login(page)
    token = await invite(page, role="member")
    async with browser(services) as bobs:
        told = (await bobs.post("/api/v1/links/open", json={"token": token})).json()
        weak = await bobs.post("/api/v1/links/accept", json={"token": token, "password": "short"})
        joined = await bobs.post("/api/v1/links/accept", json={"token": token, "name": "Bob", "password": OTHER})
        again = await bobs.post("/api/v1/links/accept", json={"token": token, "name": "Eve", "password": GOOD})
        reads = await bobs.get("/api/v1/traces")
        manages = await bobs.get("/api/v1/members")

    assert told == {
        "kind": "invitation", "project": "alpha", "email": BOB, "role": "member", "has_account": False,
    }  # fmt: skip
    assert (weak.status_code, joined.status_code, again.status_code) == (400, 200, 404)
    assert joined.json()["user"]["name"] == "Bob"
    assert (reads.status_code, manages.status_code) == (200, 403)
    assert (await page.get("/api/v1/invitations")).json()["items"] == []


async def test_a_link_is_good_once_however_many_use_it(page: httpx.AsyncClient, services: Services) -> None:
    """Of eight uses of one link at the same moment, one succeeds."""
    await login(page)
    token = await invite(page)
    async with browser(services) as other:
        body = {"token": token, "password": OTHER}
        answers = await asyncio.gather(*(other.post("/api/v1/links/accept", json=body) for _ in range(8)))

    assert sorted(answer.status_code for answer in answers) == [200] + [404] * 7


async def test_a_withdrawn_or_expired_invitation_is_nothing(
    page: httpx.AsyncClient, services: Services, clock: Hands
) -> None:
    """A link that was withdrawn, replaced by a newer one, or is too old, opens nothing and lets no one in."""
    await login(page)
    replaced = await invite(page)
    withdrawn = await invite(page)
    listed = (await page.get("/api/v1/invitations")).json()["items"]
    await page.delete(f"/api/v1/invitations/{listed[0]['id']}")
    late = await invite(page, "late@example.com", expires_in_hours=1)
    clock.now += 3_600 * 10**9 + 1_000
    found = [
        (await page.post(f"/api/v1/links/{verb}", json={"token": token, **more})).status_code
        for token in (replaced, withdrawn, late, "")
        for verb, more in (("open", {}), ("accept", {"password": OTHER}))
    ]

    assert len(listed) == 1
    assert found == [404] * 8
    assert len(services.control.people.all()) == 1


async def test_an_account_joins_with_its_own_password(page: httpx.AsyncClient, services: Services) -> None:
    """Who has an account elsewhere proves it and keeps the password; the link alone does not let anyone take it over."""
    services.control.people.add(BOB, "Bob", Passwords().hash(OTHER), "beta", "viewer")
    await login(page)
    token = await invite(page, role="member")
    async with browser(services) as bobs:
        stolen = await bobs.post("/api/v1/links/accept", json={"token": token, "password": GOOD})
        joined = await bobs.post("/api/v1/links/accept", json={"token": token, "password": OTHER})
        kept = await login(bobs, BOB, OTHER)
        codes = [
            (await bobs.get("/api/v1/traces", headers={"X-Watchkeeper-Project": one})).status_code
            for one in ("alpha", "beta", "default")
        ]

    assert (stolen.status_code, joined.status_code, kept.status_code) == (401, 200, 200)
    assert joined.json()["projects"] == [{"id": "alpha", "role": "member"}, {"id": "beta", "role": "viewer"}]
    assert codes == [200, 200, 403]


async def test_a_reset_link_does_not_cross_projects(page: httpx.AsyncClient, services: Services) -> None:
    """An admin may reset who is in their project only; an account with other projects is for who runs the server."""
    both = services.control.people.add(BOB, "", Passwords().hash(GOOD), "beta", "admin")
    await login(page)
    foreign = await page.post(f"/api/v1/members/{both.id}/reset")
    services.control.people.add_role("alpha", both.id, "viewer")
    shared = await page.post(f"/api/v1/members/{both.id}/reset")
    operator = {"Authorization": "Bearer sk-operator", "X-Watchkeeper-Project": "beta"}
    made = await page.post(f"/api/v1/members/{both.id}/reset", headers=operator)
    token = made.json()["url"].partition("#")[2]
    async with browser(services) as bobs:
        await login(bobs, BOB, GOOD)
        done = await page.post("/api/v1/links/accept", json={"token": token, "password": OTHER})
        old = await bobs.get("/api/v1/traces")
        codes = [(await login(bobs, BOB, one)).status_code for one in (GOOD, OTHER)]

    assert (foreign.status_code, shared.status_code, made.status_code, done.status_code) == (404, 403, 201, 200)
    assert (old.status_code, codes) == (401, [401, 200])


async def test_a_project_keeps_an_admin(page: httpx.AsyncClient, services: Services) -> None:
    """The last admin can be neither demoted nor removed by themselves; a member's new role holds at once."""
    bob = services.control.people.add(BOB, "", Passwords().hash(OTHER), "alpha", "viewer")
    await login(page)
    ada = services.control.people.by_email(ADA)
    assert ada is not None
    demoted = await page.put(f"/api/v1/members/{ada.id}", json={"role": "viewer"})
    removed = await page.delete(f"/api/v1/members/{ada.id}")
    async with browser(services) as bobs:
        await login(bobs, BOB, OTHER)
        before = (await bobs.get("/api/v1/members")).status_code
        await page.put(f"/api/v1/members/{bob.id}", json={"role": "admin"})
        after = (await bobs.get("/api/v1/members")).status_code
        await page.delete(f"/api/v1/members/{bob.id}")
        gone = (await bobs.get("/api/v1/traces")).status_code

    assert (demoted.status_code, removed.status_code) == (400, 400)
    assert (before, after, gone) == (403, 200, 403)


async def test_disabling_is_at_once_and_everywhere(page: httpx.AsyncClient, services: Services) -> None:
    """Who runs the server locks an account out: its session is dead, its password no good; an admin may not do it."""
    await login(page)
    ada = services.control.people.by_email(ADA)
    assert ada is not None
    operator = {"Authorization": "Bearer sk-operator"}
    own = await page.put(f"/api/v1/users/{ada.id}", json={"disabled": True})
    done = await page.put(f"/api/v1/users/{ada.id}", json={"disabled": True}, headers=operator)
    locked = [(await page.get("/api/v1/traces")).status_code, (await login(page)).status_code]
    await page.put(f"/api/v1/users/{ada.id}", json={"disabled": False}, headers=operator)

    assert (own.status_code, done.status_code, locked) == (403, 204, [401, 401])
    assert (await login(page)).status_code == 200


@pytest.mark.parametrize(
    ("peer", "host"), [("127.0.0.1", "127.0.0.1:7070"), ("::1", "[::1]:7070"), ("::ffff:127.0.0.1", "localhost:7070")]
)
async def test_the_first_account_closes_loopback(tmp_path: Path, peer: str, host: str) -> None:
    """On loopback all is open until there is an account; then reading needs a login, sending does not, disabled or not."""
    services = assemble(ServerSettings(), tmp_path / "data")
    async with browser(services, peer=peer, host=host) as page:
        first = (await page.get("/api/v1/session")).json()
        token = await invite(page, ADA, "admin")
        await page.post("/api/v1/links/accept", json={"token": token, "password": GOOD})
        page.cookies.clear()
        shut = await page.get("/api/v1/traces")
        sent = await page.post("/v1/traces", content=b"", headers={"Content-Type": "application/x-protobuf"})
        ada = services.control.people.by_email(ADA)
        assert ada is not None
        services.control.people.disable(ada.id, disabled=True)
        still = await page.get("/api/v1/traces")
    services.close()

    assert (first["role"], first["has_users"]) == ("owner", False)
    assert (shut.status_code, sent.status_code, still.status_code) == (401, 200, 401)


async def test_no_link_token_is_kept_or_logged(
    page: httpx.AsyncClient, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither tokens nor passwords stand in the data folder or the log."""
    caplog.set_level("DEBUG")
    await login(page)
    token = await invite(page)
    session = next(iter(dict(page.cookies).values()))
    await login(page, password=OTHER)
    kept = b"".join(path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file())

    for secret in (token, session, GOOD, OTHER):
        assert secret.encode() not in kept
        assert secret not in caplog.text


def test_an_invitation_lasts_as_long_as_it_says(services: Services, clock: Hands) -> None:
    """One for an hour is listed for that hour and not after."""
    services.control.people.invite("alpha", BOB, "viewer", by="t", lifetime=timedelta(hours=1))
    listed = len(services.control.people.invitations("alpha"))
    clock.now += 3_600 * 10**9 + 1_000

    assert (listed, len(services.control.people.invitations("alpha"))) == (1, 0)
