"""Endpoint by endpoint: who gets in, who does not, and that no project sees another."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import grpc
import grpc.aio
import httpx
import pytest
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2, logs_service_pb2_grpc
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2, metrics_service_pb2_grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc

from tests.otlp import CHAT, ROOT, TRACE, request, span
from watchkeeper.kit.settings import ServerSettings
from watchkeeper.server import Services, assemble, create_app
from watchkeeper.server.app import routes
from watchkeeper.server.gate import TTL, Credentials, Gate
from watchkeeper.server.otlp.grpc import GrpcServer, service_names
from watchkeeper.server.permissions import GRPC_NEEDS, NEEDS, Need, Permissions
from watchkeeper.store.control.keys import Scope
from watchkeeper.store.factory import open_control_store

PROTOBUF = {"Content-Type": "application/x-protobuf"}
MARK = "sapphire-otter"
OPERATOR = "sk-operator"
ALL: tuple[Need, ...] = ("public", "whoever", "anyone", "ingest", "read", "admin", "owner")

MAY: dict[str, tuple[Need, ...]] = {
    "nobody": ("public", "whoever"),
    "unknown key": ("public", "whoever"),
    "revoked key": ("public", "whoever"),
    "expired key": ("public", "whoever"),
    "ended session": ("public", "whoever"),
    "idle session": ("public", "whoever"),
    "disabled user": ("public", "whoever"),
    "ingest key": ("public", "whoever", "anyone", "ingest"),
    "read key": ("public", "whoever", "anyone", "read"),
    "admin key": ("public", "whoever", "anyone", "ingest", "read", "admin"),
    "viewer": ("public", "whoever", "anyone", "read"),
    "member": ("public", "whoever", "anyone", "ingest", "read"),
    "admin": ("public", "whoever", "anyone", "ingest", "read", "admin"),
    "operator": ALL,
}
STRANGERS = list(MAY)[:7]


class Hands:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1_800_000_000 * 10**9

    def now_ns(self) -> int:
        return self.now


@dataclass
class House:
    """A server with two projects, and everyone who may knock."""

    services: Services
    clock: Hands
    headers: dict[str, dict[str, str]] = field(default_factory=dict)

    def key(self, project: str, *scopes: Scope, lifetime: timedelta | None = None) -> tuple[str, dict[str, str]]:
        """Make a key and return its public id and the headers that carry it."""
        self.services.control.ensure_project(project)
        pair = self.services.control.keys.create(project, scopes, lifetime=lifetime)
        return pair.key.public_id, {"Authorization": f"Bearer {pair.secret}"}

    def session(self, user_id: str) -> dict[str, str]:
        """Sign a user in and return the headers that a browser on our own page sends."""
        token = self.services.control.sessions.start(user_id, "a browser")
        return {"Cookie": f"watchkeeper-7070={token}", "Sec-Fetch-Site": "same-origin"}

    def knock(self, who: str) -> dict[str, str]:
        """Return fresh headers for a signed-in caller, since signing out is an endpoint too."""
        person = self.services.control.people.by_email(f"{who}@example.com")
        return (
            self.headers[who] if who not in {"viewer", "member", "admin"} or person is None else self.session(person.id)
        )


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Two projects, a key for each scope, a user for each role, and those that are over."""
    clock = Hands()
    services = assemble(ServerSettings(secret_key=OPERATOR), tmp_path / "data", clock)
    made = House(services, clock)
    people = services.control.people
    services.control.ensure_project("alpha")
    services.control.ensure_project("beta")
    made.headers |= {"nobody": {}, "unknown key": {"Authorization": "Bearer sk-wrong"}}
    made.headers["operator"] = {"Authorization": f"Bearer {OPERATOR}"}
    public_id, made.headers["revoked key"] = made.key("alpha", "admin")
    services.control.keys.revoke("alpha", public_id)
    _, made.headers["expired key"] = made.key("alpha", "admin", lifetime=timedelta(minutes=1))
    idle = people.add("idle@example.com", "", "hash", "alpha", "admin")
    made.headers["idle session"] = made.session(idle.id)
    clock.now += 13 * 3_600 * 10**9
    made.headers |= {f"{scope} key": made.key("alpha", scope)[1] for scope in ("ingest", "read", "admin")}
    for role in ("viewer", "member", "admin"):
        people.add(f"{role}@example.com", "", "hash", "alpha", role)
    gone = people.add("gone@example.com", "", "hash", "alpha", "admin")
    made.headers["ended session"] = made.session(gone.id)
    services.control.sessions.end(gone.id, services.control.sessions.of(gone.id)[0].id)
    made.headers["disabled user"] = made.session(gone.id)
    people.disable(gone.id, disabled=True)
    yield made
    services.close()


@pytest.fixture
async def client(house: House) -> AsyncIterator[httpx.AsyncClient]:
    """Talk to it as a caller from elsewhere."""
    transport = httpx.ASGITransport(create_app(house.services), client=("203.0.113.9", 1234))
    async with httpx.AsyncClient(transport=transport, base_url="http://watch.example:7070") as made:
        yield made


def filled(path: str) -> str:
    """Put something into a path template."""
    for name, value in {"{trace_id}": TRACE, "{span_id}": ROOT, "{path:path}": "nobodys"}.items():
        path = path.replace(name, value)
    while "{" in path:
        path = path[: path.index("{")] + "nobodys" + path[path.index("}") + 1 :]
    return path


def everything(house: House) -> list[tuple[str, str, bool]]:
    """Return (method, path template, is a mount) of every route of the app, plain ASGI ones and mounts too."""
    return [
        (method, path, is_mount)
        for methods, path, is_mount in routes(create_app(house.services))
        for method in sorted(methods or {"GET", "POST"})
    ]


def test_every_route_says_what_it_needs(house: House) -> None:
    """No route of the app is without a line in the table, and no line is without a route."""
    named = {("GET" if method == "HEAD" else method, path) for method, path, _ in everything(house)}
    missing = sorted(one for one in named if one not in NEEDS and ("*", one[1]) not in NEEDS)
    stale = sorted(
        (method, path)
        for method, path in NEEDS
        if path != "/assets" and not any(path == there and method in {"*", how} for how, there in named)
    )

    assert missing == []
    assert stale == []


def test_a_route_without_a_line_is_closed() -> None:
    """What is not in the table, or no route at all, needs the owner."""
    found = Permissions([(frozenset({"GET"}), "/api/v1/new", False), (frozenset({"GET"}), "/{path:path}", False)])

    assert found.need("GET", "/api/v1/new") == "owner"
    assert found.need("POST", "/api/v1/new") == "owner"
    assert found.need("GET", "/traces") == "public"


@pytest.mark.parametrize("who", MAY)
async def test_each_endpoint_lets_in_whom_it_names(house: House, client: httpx.AsyncClient, who: str) -> None:
    """On every endpoint this caller passes where their scopes reach, else gets 401 as a stranger and 403 as known."""
    wrong = []
    for method, path, is_mount in everything(house):
        if is_mount:
            continue
        named = "GET" if method == "HEAD" else method
        need = NEEDS.get((named, path)) or NEEDS["*", path]
        answer = await client.request(
            method, filled(path), headers=house.knock(who), json={} if method != "GET" else None
        )
        seen = answer.status_code if answer.status_code in {401, 403} else 200
        # A public endpoint may refuse for reasons of its own: a wrong password is a 401.
        if need != "public" and seen != (200 if need in MAY[who] else 401 if who in STRANGERS else 403):
            wrong.append((method, path, need, answer.status_code))

    assert wrong == []


@pytest.mark.parametrize("who", [*STRANGERS[1:4], "read key", "ingest key", "operator"])
async def test_grpc_asks_for_the_same_keys(house: House, who: str) -> None:
    """Each gRPC service takes a key that may ingest and refuses every other, on loopback too."""
    server = GrpcServer(house.services.ingest, house.services.gate, 1 << 20)
    port = await server.start("127.0.0.1", 0)
    codes = []
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        sent = (("authorization", house.headers[who]["Authorization"]),)
        for call in (
            trace_service_pb2_grpc.TraceServiceStub(channel).Export(
                trace_service_pb2.ExportTraceServiceRequest(), metadata=sent
            ),
            logs_service_pb2_grpc.LogsServiceStub(channel).Export(
                logs_service_pb2.ExportLogsServiceRequest(), metadata=sent
            ),
            metrics_service_pb2_grpc.MetricsServiceStub(channel).Export(
                metrics_service_pb2.ExportMetricsServiceRequest(), metadata=sent
            ),
        ):
            try:
                await call
                codes.append("OK")
            except grpc.aio.AioRpcError as error:
                codes.append(error.code().name)
    await server.stop(1)
    expected = "OK" if "ingest" in MAY[who] else "UNAUTHENTICATED" if who in STRANGERS else "PERMISSION_DENIED"

    assert codes == [expected] * 3


def test_every_grpc_service_says_what_it_needs() -> None:
    """The gRPC services that are served are those in the table."""
    assert set(service_names()) == set(GRPC_NEEDS)
    assert set(GRPC_NEEDS.values()) == {"ingest"}


async def test_no_endpoint_shows_another_project(house: House, client: httpx.AsyncClient) -> None:
    """With everything of alpha named in the address, a key of beta sees none of it on any endpoint; alpha's does."""
    writer, (_, reader) = house.headers["ingest key"], house.key("alpha", "admin")
    _, other = house.key("beta", "admin")
    marked = span(attributes={**CHAT, "user.id": MARK, "session.id": MARK}, name=MARK)
    body = request(marked, service=MARK).SerializeToString()
    assert (await client.post("/v1/traces", content=body, headers={**PROTOBUF, **writer})).status_code == 200
    score = {"name": MARK, "value": 1, "trace_id": TRACE, "id": "one", "comment": MARK}
    assert (await client.post("/api/v1/scores", json=score, headers=writer)).status_code == 201
    house.services.control.keys.create("alpha", ("read",), name=MARK)
    seen: dict[str, list[str]] = {"alpha": [], "beta": []}
    asked: list[tuple[str, str, dict[str, str]]] = [
        (method, filled(path), {}) for method, path, is_mount in everything(house) if method == "GET" and not is_mount
    ]
    asked += [("POST", "/api/v1/query", {"sql": f"select * from {table}"}) for table in ("spans", "scores")]
    for project, headers in (("alpha", reader), ("beta", other)):
        for method, path, sent in asked:
            answer = await client.request(method, path, headers=headers, json=sent or None)
            if MARK in answer.text:
                seen[project].append(path)

    assert seen["beta"] == []
    assert {"/api/v1/traces", f"/api/v1/traces/{TRACE}", "/api/v1/scores", "/api/v1/keys"} <= set(seen["alpha"])
    assert seen["alpha"].count("/api/v1/query") == 2
    assert (await client.get("/api/v1/status", headers=other)).json()["spans"] == 0
    assert (await client.get("/api/v1/status", headers=reader)).json()["spans"] == 1


async def test_another_project_cannot_touch_keys(house: House, client: httpx.AsyncClient) -> None:
    """An admin of beta can neither rotate nor revoke a key of alpha: for them it is not there."""
    public_id, mine = house.key("alpha", "read")
    _, other = house.key("beta", "admin")
    rotated = await client.post(f"/api/v1/keys/{public_id}/rotate", json={}, headers=other)
    revoked = await client.delete(f"/api/v1/keys/{public_id}", headers=other)
    still = await client.get("/api/v1/traces", headers=mine)

    assert [rotated.status_code, revoked.status_code, still.status_code] == [404, 404, 200]


@pytest.mark.parametrize("who", ["read key", "viewer", "admin"])
async def test_asking_for_another_project_is_refused(house: House, client: httpx.AsyncClient, who: str) -> None:
    """Who names a project that is not theirs gets 403, whether or not it exists."""
    codes = [
        (await client.get("/api/v1/traces", headers={**house.knock(who), "X-Watchkeeper-Project": project})).status_code
        for project in ("beta", "nowhere", "alpha")
    ]

    assert codes == [403, 403, 200]


async def test_a_key_is_made_used_rotated_and_revoked(house: House, client: httpx.AsyncClient) -> None:
    """The secret comes once; the successor works at once, the old one for the overlap, and neither once revoked."""
    admin = house.headers["admin key"]
    body = {"name": "bot", "scopes": ["read"]}
    made = (await client.post("/api/v1/keys", json=body, headers=admin)).json()
    public_id = made["key"]["public_id"]
    next_ = (await client.post(f"/api/v1/keys/{public_id}/rotate", json={"overlap_hours": 1}, headers=admin)).json()

    async def codes() -> list[int]:
        sent = [{"Authorization": f"Bearer {one['secret']}"} for one in (made, next_)]
        return [(await client.get("/api/v1/traces", headers=headers)).status_code for headers in sent]

    overlap = await codes()
    house.clock.now += 3_600 * 10**9
    after = await codes()
    await client.delete(f"/api/v1/keys/{next_['key']['public_id']}", headers=admin)
    listed = (await client.get("/api/v1/keys", headers=admin)).text

    assert (overlap, after, await codes()) == ([200, 200], [401, 200], [401, 401])
    assert made["secret"] not in listed
    assert next_["secret"] not in listed


async def test_what_another_process_revokes_is_dead_within_the_ttl(tmp_path: Path) -> None:
    """A key that is revoked behind the gate's back works for the remembered seconds and not one more."""
    ours, theirs = open_control_store(tmp_path), open_control_store(tmp_path)
    ours.ensure_project("p")
    pair = ours.keys.create("p", ("read",))
    now = [0.0]
    gate = Gate(ours, tick=lambda: now[0])
    brought = Credentials(local=False, secret=pair.secret)
    await gate.admit(brought)
    theirs.keys.revoke("p", pair.key.public_id)
    now[0] = TTL - 0.01
    still = (await gate.admit(brought)).project
    now[0] = TTL
    with pytest.raises(Exception, match="revoked"):
        await gate.admit(brought)
    ours.close()
    theirs.close()

    assert still == "p"
    assert TTL <= 5


def test_refusals_tell_nothing(house: House) -> None:
    """The refusal of a revoked key is word for word that of an unknown one."""

    async def refusal(who: str) -> str:
        transport = httpx.ASGITransport(create_app(house.services), client=("203.0.113.9", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://watch.example") as http:
            return (await http.get("/api/v1/traces", headers=house.headers[who])).text

    import asyncio

    texts = {asyncio.run(refusal(who)) for who in ("revoked key", "expired key", "unknown key")}

    assert len(texts) == 1
    assert json.loads(texts.pop())["error"]["code"] == "unauthenticated"
