"""Media over Langfuse's calls: what is kept, who gets it, and when it goes."""

from __future__ import annotations

import base64
import errno
import hashlib
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.otlp import CHAT, TRACE, request, span
from tests.server.test_backup import brought_back, taken
from watchkeeper.kit.errors import ForbiddenError
from watchkeeper.kit.settings import ServerSettings
from watchkeeper.server import Services, assemble, create_app
from watchkeeper.server.media import MediaFiles
from watchkeeper.server.media.files import Incoming
from watchkeeper.server.media.links import Grant, Links

URL = "/api/public/media"
PIXEL = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
OTHER = "ab" * 16
DAY = 24 * 3_600 * 10**9


class Hands:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1_800_000_000 * 10**9

    def now_ns(self) -> int:
        """Return the time it shows."""
        return self.now


@pytest.fixture
def clock() -> Hands:
    """Return the clock of the server."""
    return Hands()


@pytest.fixture
async def services(tmp_path: Path, clock: Hands) -> AsyncIterator[Services]:
    """Assemble the services with little room for media."""
    settings = ServerSettings(secret_key="sk-test", media_mib=6, media_total_mib=8)
    built = assemble(settings, tmp_path / "data", clock)
    yield built
    built.close()


@pytest.fixture
async def http(services: Services) -> AsyncIterator[httpx.AsyncClient]:
    """Talk to the app as a caller on loopback."""
    transport = httpx.ASGITransport(create_app(services), client=("127.0.0.1", 1234))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:7070") as client:
        yield client


def told(content: bytes = PIXEL, **more: Any) -> dict[str, Any]:
    """Return what a client announces of a medium."""
    summed = base64.b64encode(hashlib.sha256(content).digest()).decode()
    about = {"contentType": "image/png", "contentLength": len(content), "sha256Hash": summed, "field": "input"}
    return {"traceId": TRACE, **about, **more}


async def put(http: httpx.AsyncClient, content: bytes = PIXEL, **more: Any) -> str:
    """Upload a medium as a client does; return its id."""
    said = told(content, **more)
    made = (await http.post(URL, json=said)).json()
    if made["uploadUrl"] is not None:
        headers = {"Content-Type": said["contentType"], "x-amz-checksum-sha256": said["sha256Hash"]}
        answer = await http.put(made["uploadUrl"], content=content, headers=headers)
        assert answer.status_code == 200, answer.text
    return str(made["mediaId"])


async def trace(http: httpx.AsyncClient, **attributes: str) -> None:
    """Store the trace that media are of."""
    sent = request(span(attributes={**CHAT, **attributes})).SerializeToString()
    await http.post("/v1/traces", content=sent, headers={"Content-Type": "application/x-protobuf"})


def files(services: Services) -> list[Path]:
    """Return every file in the media folder."""
    root = services.media._house.files.root
    return sorted(path for path in root.rglob("*") if path.is_file())


async def test_what_is_uploaded_comes_back(http: httpx.AsyncClient, services: Services) -> None:
    """The bytes come back as they were, from a file that its owner alone reads; the same bytes need no second upload."""
    made = await put(http)
    again = (await http.post(URL, json=told(traceId=OTHER))).json()
    found = (await http.get(f"{URL}/{made}")).json()
    got = await http.get(found["url"])
    patched = await http.patch(f"{URL}/{made}", json={"uploadedAt": "2026-01-01T00:00:00Z", "uploadHttpStatus": 200})

    assert made == base64.urlsafe_b64encode(hashlib.sha256(PIXEL).digest()).decode()[:22]
    assert again == {"mediaId": made, "uploadUrl": None}
    assert (found["contentType"], found["contentLength"], patched.status_code) == ("image/png", len(PIXEL), 204)
    assert found["url"].startswith("http://127.0.0.1:7070/api/public/media/content/")
    assert got.content == PIXEL
    assert [stat.S_IMODE(path.stat().st_mode) for path in files(services)] == [0o600]


async def test_a_large_medium_comes_back(http: httpx.AsyncClient) -> None:
    """A medium may be larger than any other body of these calls, and comes back as it was."""
    content = bytes(range(256)) * (4 * 5 * 1024 + 1)
    made = await put(http, content)
    got = await http.get((await http.get(f"{URL}/{made}")).json()["url"])

    assert got.content == content


async def test_a_file_that_is_gone_is_asked_for_again(http: httpx.AsyncClient, services: Services) -> None:
    """Where the file of a medium is not there any more, it is not found, and the next announcement asks for its bytes."""
    made = await put(http)
    files(services)[0].unlink()
    missed = await http.get(f"{URL}/{made}")
    await put(http)

    assert (missed.status_code, [path.read_bytes() for path in files(services)]) == (404, [PIXEL])


@pytest.mark.parametrize("where", ["write", "fsync"])
async def test_a_full_disk_takes_nothing(
    http: httpx.AsyncClient, services: Services, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """An upload that the disk has no room for is answered by 507 and leaves nothing; it comes in once there is room."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    made = (await http.post(URL, json=told())).json()
    with monkeypatch.context() as patch:
        if where == "write":
            patch.setattr(Incoming, "_append", full)
        else:
            patch.setattr("watchkeeper.server.media.files.os.fsync", full)
        answer = await http.put(made["uploadUrl"], content=PIXEL, headers={"Content-Type": "image/png"})
    left = files(services)
    await put(http)

    assert (answer.status_code, "retry-after" in answer.headers, left) == (507, True, [])
    assert len(files(services)) == 1


async def test_a_nearly_full_disk_refuses_the_announcement(tmp_path: Path) -> None:
    """With less free than is to be kept free, a client learns before it sends any byte."""
    built = assemble(ServerSettings(min_free_mib=1 << 40), tmp_path / "full")
    transport = httpx.ASGITransport(create_app(built), client=("127.0.0.1", 1234))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:7070") as http:
        answer = await http.post(URL, json=told())
    built.close()

    assert answer.status_code == 507


async def test_an_upload_that_breaks_off_leaves_nothing(services: Services) -> None:
    """A client that goes away in the middle leaves no file, and what a kill left is cleared at the next start."""
    sent = iter([{"type": "http.request", "body": PIXEL[:9], "more_body": True}, {"type": "http.disconnect"}])

    async def receive() -> Any:
        return next(sent)

    async def send(_: Any) -> None:
        return None

    app = create_app(services)
    transport = httpx.ASGITransport(app, client=("127.0.0.1", 1234))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:7070") as http:
        path = httpx.URL((await http.post(URL, json=told())).json()["uploadUrl"]).path
    scope = {
        "type": "http", "method": "PUT", "path": path, "raw_path": path.encode(), "query_string": b"", "scheme": "http",
        "headers": [(b"host", b"127.0.0.1:7070"), (b"content-type", b"image/png")], "http_version": "1.1",
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 7070), "root_path": "",
    }  # fmt: skip
    await app(scope, receive, send)
    broken = files(services)
    root = services.media._house.files.root
    (root / "0.partial").write_bytes(PIXEL)
    MediaFiles(root.parent).clear()

    assert (broken, files(services)) == ([], [])


async def test_a_page_does_not_run_here(http: httpx.AsyncClient) -> None:
    """A hostile page is handed out to be saved: no type is guessed, nothing of it runs, it is not framed."""
    made = await put(http, b"<script>alert(1)</script>", contentType="text/html")
    got = await http.get((await http.get(f"{URL}/{made}")).json()["url"])

    assert got.headers["content-disposition"] == "attachment"
    assert "sandbox" in got.headers["content-security-policy"]
    assert "nosniff" in got.headers["x-content-type-options"]


@pytest.mark.parametrize(
    ("sent", "headers"),
    [
        (PIXEL[:-1], {}),
        (PIXEL + b"!", {}),
        (PIXEL[::-1], {}),
        (PIXEL, {"Content-Type": "text/html"}),
    ],
)
async def test_other_bytes_are_refused(
    http: httpx.AsyncClient, services: Services, sent: bytes, headers: dict[str, str]
) -> None:
    """Fewer, more or other bytes than announced, or another type, are refused, and nothing of them is left."""
    made = (await http.post(URL, json=told())).json()
    answer = await http.put(made["uploadUrl"], content=sent, headers={"Content-Type": "image/png", **headers})

    assert answer.status_code == 400
    assert files(services) == []
    assert (await http.get(f"{URL}/{made['mediaId']}")).status_code == 404


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({"traceId": None}, 400),
        ({"datasetItemId": "i"}, 400),
        ({"traceId": "nope"}, 400),
        ({"sha256Hash": "nope"}, 400),
        ({"contentType": "a/b; c=<script>"}, 400),
        ({"contentLength": 0}, 400),
        ({"contentLength": 7 << 20}, 413),
    ],
)
async def test_what_is_no_medium_is_refused(http: httpx.AsyncClient, said: dict[str, Any], status: int) -> None:
    """A medium of nothing, of both, without hash, type or bytes, or too large, is refused with a reason."""
    answer = await http.post(URL, json=told(**said))

    assert (answer.status_code, bool(answer.json()["message"])) == (status, True)


async def test_all_of_it_has_a_limit(http: httpx.AsyncClient) -> None:
    """What is over the limit of all media together is refused by 507; what is there already is not."""
    await put(http, bytes(5 << 20))
    over = await http.post(URL, json=told(contentLength=4 << 20))
    known = await http.post(URL, json=told(bytes(5 << 20), traceId=OTHER))

    assert (over.status_code, known.status_code) == (507, 201)


async def test_an_address_ends(http: httpx.AsyncClient, clock: Hands) -> None:
    """Neither address outlives its time, none serves for the other, and none holds with a changed letter."""
    up = (await http.post(URL, json=told())).json()["uploadUrl"]
    crossed = await http.get(up)
    made = await put(http)
    down = (await http.get(f"{URL}/{made}")).json()["url"]
    back = await http.put(down, content=PIXEL, headers={"Content-Type": "image/png"})
    bent = await http.get(down[:-1] + ("A" if down[-1] != "A" else "B"))
    clock.now += 2 * 3_600 * 10**9
    late = [await http.get(down), await http.put(up, content=PIXEL, headers={"Content-Type": "image/png"})]

    assert [one.status_code for one in (crossed, back, bent, *late)] == [403] * 5


def test_a_token_is_of_one_server() -> None:
    """A token of another start, or one that is none, holds nothing."""
    clock = Hands()
    grant = Grant(act="get", project="p", media="m", content_type="a/b", size=1, sha256="0", until=clock.now + 1)
    ours, theirs = Links(clock), Links(clock)

    assert ours.read(ours.sign(grant), "get") == grant
    for token in (theirs.sign(grant), "", ".", "é.é", "a" * 3_000, ours.sign(grant)[1:]):
        with pytest.raises(ForbiddenError):
            ours.read(token, "get")


async def test_no_project_sees_anothers_media(remote: httpx.AsyncClient, services: Services) -> None:
    """Another project neither finds a medium nor learns that its bytes are here; its own key may do what its scope says."""
    keys = {}
    for project in ("alpha", "beta"):
        services.control.ensure_project(project)
        keys[project] = {"Authorization": f"Bearer {services.control.keys.create(project, ('admin',)).secret}"}
    sender = {"Authorization": f"Bearer {services.control.keys.create('alpha', ('ingest',)).secret}"}
    made = (await remote.post(URL, json=told(), headers=sender)).json()
    up = await remote.put(made["uploadUrl"], content=PIXEL, headers={"Content-Type": "image/png"})
    path = f"{URL}/{made['mediaId']}"
    seen = [(await remote.get(path, headers=one)).status_code for one in (keys["alpha"], keys["beta"], sender, {})]
    there = (await remote.post(URL, json=told(), headers=keys["beta"])).json()

    assert (up.status_code, seen) == (200, [200, 404, 403, 401])
    assert made["uploadUrl"].startswith("http://watch.example:7070/")
    assert there["uploadUrl"] is not None


async def test_erasing_takes_media_of_the_erased_alone(http: httpx.AsyncClient, services: Services) -> None:
    """A medium goes with the only trace that uses it, at once; one that another trace uses too stays."""
    await trace(http, **{"user.id": "ada"})
    alone, shared = await put(http), await put(http, b"shared")
    await put(http, b"shared", traceId=OTHER)
    down = (await http.get(f"{URL}/{alone}")).json()["url"]
    await http.post("/api/v1/erasures", json={"user": "ada", "dry_run": True})
    before = len(files(services))
    await http.post("/api/v1/erasures", json={"user": "ada"})
    left = [(await http.get(one)).status_code for one in (f"{URL}/{alone}", f"{URL}/{shared}", down)]

    assert (before, len(files(services)), left) == (2, 1, [404, 200, 404])


@pytest.mark.parametrize("way", ["one query", "one by one"])
@pytest.mark.parametrize("name", ["o'brien\\' OR 1=1 --", 'a"b;\n%_', "ada"])
async def test_erasing_finds_traces_by_any_name(
    http: httpx.AsyncClient, services: Services, monkeypatch: pytest.MonkeyPatch, name: str, way: str
) -> None:
    """A name that reads like SQL means that person's traces alone, whether or not the store is asked in one query."""
    if way == "one by one":
        monkeypatch.setattr("watchkeeper.server.asked._rows", lambda *_: None)
    await trace(http, **{"user.id": name})
    await put(http)
    await put(http, b"of another", traceId=OTHER)
    sent = request(span(trace_id=OTHER, attributes={**CHAT, "user.id": "bob"})).SerializeToString()
    await http.post("/v1/traces", content=sent, headers={"Content-Type": "application/x-protobuf"})
    erased = (await http.post("/api/v1/erasures", json={"user": name})).json()

    assert (erased["traces"], [path.read_bytes() for path in files(services)]) == (1, [b"of another"])


async def test_erasing_reaches_an_upload_under_way(http: httpx.AsyncClient, services: Services) -> None:
    """What was announced for a trace that is erased before its bytes come is not taken."""
    made = (await http.post(URL, json=told())).json()
    await http.post("/api/v1/erasures", json={"trace": TRACE})
    answer = await http.put(made["uploadUrl"], content=PIXEL, headers={"Content-Type": "image/png"})

    assert (answer.status_code, files(services)) == (404, [])


async def test_media_go_a_day_after_their_traces(http: httpx.AsyncClient, services: Services, clock: Hands) -> None:
    """Media of a trace or an item that is not there are left for a day, then go; those of one that is there stay."""
    await trace(http)
    stays = await put(http)
    await put(http, b"of nobody", traceId=OTHER)
    await put(http, b"of no item", traceId=None, datasetId="d", datasetItemId="i")
    young = services.media.sweep()
    clock.now += DAY + 1

    assert (young, services.media.sweep(), len(files(services))) == (0, 2, 1)
    assert (await http.get(f"{URL}/{stays}")).status_code == 200


async def test_a_service_that_keeps_no_content_keeps_no_media(tmp_path: Path, clock: Hands) -> None:
    """Media of a trace of such a service go at the next look, however young; once the trace is there none are taken."""
    manifest = tmp_path / "watchkeeper.toml"
    manifest.write_text('[services.support-bot]\n[services.support-bot.capture]\ncontent = "off"\n')
    built = assemble(ServerSettings(manifest=manifest), tmp_path / "data", clock)
    transport = httpx.ASGITransport(create_app(built), client=("127.0.0.1", 1234))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:7070") as http:
        await put(http)
        await trace(http)
        again = (await http.post(URL, json=told(b"later"))).json()
        gone, left = built.media.sweep(), files(built)
    built.close()

    assert (again["uploadUrl"], gone, left) == (None, 1, [])


async def test_media_go_with_retention(tmp_path: Path) -> None:
    """What retention takes takes its media with it in the same run, once they are a day old."""
    clock = Hands()
    built = assemble(ServerSettings(retention="2d"), tmp_path / "data", clock)
    transport = httpx.ASGITransport(create_app(built), client=("127.0.0.1", 1234))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:7070") as http:
        sent = request(span(start=clock.now - 10**9, end=clock.now)).SerializeToString()
        await http.post("/v1/traces", content=sent, headers={"Content-Type": "application/x-protobuf"})
        await put(http)
        built.keeper.expire()
        young = len(files(built))
        clock.now += 3 * DAY
        built.keeper.expire()
    left, spans = files(built), built.keeper.report.spans
    built.close()

    assert (young, left, spans) == (1, [], 1)


async def test_what_never_came_is_forgotten(http: httpx.AsyncClient, services: Services, clock: Hands) -> None:
    """A medium whose bytes do not come is forgotten, and takes nothing of the limit any more."""
    await http.post(URL, json=told())
    clock.now += 2 * 3_600 * 10**9

    assert (services.media.sweep(), services.control.media.size()) == (1, 0)


async def test_a_medium_of_an_emptied_item_goes(http: httpx.AsyncClient, services: Services) -> None:
    """Erasing a trace empties the test case taken from it, and its media go too."""
    await trace(http)
    await http.post("/api/public/v2/datasets", json={"name": "d"})
    item = {"datasetName": "d", "id": "i", "input": 1, "sourceTraceId": TRACE}
    await http.post("/api/public/dataset-items", json=item)
    await put(http, traceId=None, datasetId="d", datasetItemId="i")
    await http.post("/api/v1/erasures", json={"trace": TRACE})

    assert files(services) == []


async def test_where_no_content_is_kept_no_medium_is(tmp_path: Path) -> None:
    """With capture off a client is told that nothing is to be uploaded."""
    built = assemble(ServerSettings(capture="off"), tmp_path / "off")
    transport = httpx.ASGITransport(create_app(built), client=("127.0.0.1", 1234))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:7070") as http:
        made = (await http.post(URL, json=told())).json()
    known = built.control.media.projects()
    built.close()

    assert (made["uploadUrl"], known) == (None, ())


async def test_a_backup_holds_media(http: httpx.AsyncClient, services: Services, tmp_path: Path) -> None:
    """A restored folder has the media of its traces, private; those of traces that were erased since stay away."""
    await trace(http)
    made = await put(http)
    await put(http, b"of nobody", traceId=OTHER)
    archive = taken(services, tmp_path / "backup.zip")
    brought_back(archive, tmp_path / "new")
    new = assemble(ServerSettings(), tmp_path / "new")
    found = new.media.find("default", made)
    kept = files(new)
    new.close()
    await http.post("/api/v1/erasures", json={"trace": TRACE})
    record = tmp_path / "data" / "erasures.jsonl"
    brought_back(archive, tmp_path / "later", erasures=record)
    later = assemble(ServerSettings(), tmp_path / "later")
    gone = files(later), later.control.media.projects()
    later.close()

    assert found.content_type == "image/png"
    assert [path.read_bytes() for path in kept] == [PIXEL]
    assert [stat.S_IMODE(path.stat().st_mode) for path in kept] == [0o600]
    assert gone == ([], ())
