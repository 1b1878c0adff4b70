"""Backup and restore of a data folder: whole, verified, and without those who were erased since."""

from __future__ import annotations

import asyncio
import hashlib
import json
import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from watchkeeper.kit.clock import SystemClock
from watchkeeper.kit.errors import ConfigError, StoreFormatError, StoreFullError, StoreLockedError
from watchkeeper.kit.settings import ServerSettings
from watchkeeper.model import RawLog
from watchkeeper.server import Services, assemble
from watchkeeper.server.backup import RestoreReport, pack, restore, save
from watchkeeper.server.backup.exchange import ASIDE, RESTORED, exchange, settle
from watchkeeper.server.erasure.schemas import ErasureIn
from watchkeeper.server.lockfile import FolderLock
from watchkeeper.store.api import SpanFilter
from watchkeeper.store.conformance.samples import Maker, score_of, stored, stored_logs, stored_scores
from watchkeeper.store.conformance.support import eventually
from watchkeeper.store.prompts import NewPrompt

make = Maker()
MAIL = "ada@example.org"


def opened(folder: Path) -> Services:
    """Open a data folder as the command line does."""
    return assemble(ServerSettings(), folder)


def taken(services: Services, target: Path) -> Path:
    """Back up into a file."""
    snapshot = services.backups.make(lambda _done, _all: None)
    with target.open("wb") as out:
        save(pack(snapshot.facts, snapshot.files()), out)
    snapshot.drop()
    return target


def brought_back(path: Path, folder: Path, *, force: bool = False, erasures: Path | None = None) -> RestoreReport:
    """Restore a file."""
    return restore(
        path, folder, force=force, erasures=erasures, who="test", clock=SystemClock(),
        verifying=lambda _done, _all: None, writing=lambda _done, _all: None,
    )  # fmt: skip


def spans_in(folder: Path) -> list[tuple[str, str, str]]:
    """Return the keys of a folder's spans, in order."""
    services = opened(folder)
    try:
        return [
            (project, span.trace_id, span.span_id)
            for project in ("default", "p2")
            for span in services.store.scan_spans(project, SpanFilter())
        ]
    finally:
        services.close()


def content_of(folder: Path) -> dict[str, bytes]:
    """Return every file under a folder but the lock."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "server.lock"
    }


def erase(services: Services, **what: str) -> None:
    """Erase in the default project, as the API does."""
    services.erasure.erase("default", ErasureIn.model_validate(what), who="test")


@pytest.fixture(name="archive")
def _archive(tmp_path: Path) -> Path:
    services = opened(tmp_path / "origin")
    stored(services.store, *(make.span(n, 1, at=n, user_id=f"u{n % 3}", session_id=f"s{n}") for n in range(1, 31)))
    stored(services.store, Maker("p2").span(99, 1))
    stored_scores(services.store, score_of(1, trace_id=f"{1:032x}"))
    services.control.ensure_project("p2")
    services.control.keys.create("p2", ("ingest",), pair=("pk-p2", "sk-p2-secret"))
    services.control.prompts.add("p2", NewPrompt(name="dir/p", type="text", content="Hi", labels=("production",)))
    (tmp_path / "origin" / "prices.toml").write_text("# mine\n")
    found = taken(services, tmp_path / "backup.zip")
    services.close()
    return found


def test_everything_comes_back(archive: Path, tmp_path: Path) -> None:
    """Spans, scores, prompts and keys of all projects, the salt and one's own prices are in the restored folder, owner-only."""
    report = brought_back(archive, tmp_path / "new")
    salt, new = (tmp_path / "origin" / "pseudonyms.salt").read_bytes(), tmp_path / "new"
    modes = {stat.S_IMODE(path.stat().st_mode) for path in new.iterdir()}
    services = opened(new)
    scores = services.store.list_scores("default").items
    key = services.control.keys.get("pk-p2")
    prompt = services.control.prompts.find("p2", "dir/p")
    services.close()

    assert (report.spans, report.scores, report.aside, report.erased_traces) == (31, 1, None, 0)
    assert spans_in(new) == spans_in(tmp_path / "origin")
    assert [score.id for score in scores] == ["score-0001"]
    assert prompt is not None
    assert (prompt.content, prompt.labels) == ("Hi", ("latest", "production"))
    assert key is not None
    assert (key.project, key.scopes) == ("p2", ("ingest",))
    assert (new / "pseudonyms.salt").read_bytes() == salt
    assert (new / "prices.toml").read_text() == "# mine\n"
    assert modes == {0o600}


def test_a_backup_leaves_nothing_in_the_folder(archive: Path, tmp_path: Path) -> None:
    """Once it is taken, the data folder holds no copy of itself."""
    assert archive.is_file()
    assert not [path for path in (tmp_path / "origin").iterdir() if "backup" in path.name or path.name.endswith(".tmp")]


def test_a_link_in_the_folder_is_not_followed(tmp_path: Path) -> None:
    """A table that is a symbolic link to something else is not carried off in a backup."""
    services = opened(tmp_path / "data")
    (tmp_path / "data" / "evil.toml").symlink_to("/etc/hostname")
    found = taken(services, tmp_path / "backup.zip")
    services.close()
    with zipfile.ZipFile(found) as archive:
        assert "evil.toml" not in archive.namelist()


# What is refused, and leaves everything as it was.


def test_a_folder_with_something_in_it_is_refused(archive: Path, tmp_path: Path) -> None:
    """Without --force a folder that holds anything stays byte for byte as it is."""
    before = content_of(tmp_path / "origin")
    with pytest.raises(ConfigError, match="not empty"):
        brought_back(archive, tmp_path / "origin")
    assert content_of(tmp_path / "origin") == before


def test_with_force_the_old_goes_aside(archive: Path, tmp_path: Path) -> None:
    """With --force what was there is moved whole into a folder inside, twice if need be, and can be used again."""
    folder = tmp_path / "other"
    services = opened(folder)
    stored(services.store, make.span(500, 1))
    services.close()
    before = content_of(folder)
    report = brought_back(archive, folder, force=True)

    assert report.aside is not None
    assert content_of(Path(report.aside)) == before
    assert len(spans_in(folder)) == 31
    assert spans_in(Path(report.aside)) == [("default", f"{500:032x}", f"{1:016x}")]


def test_a_folder_in_use_is_refused(archive: Path, tmp_path: Path) -> None:
    """A folder that a server holds is refused, even with --force."""
    with FolderLock(tmp_path / "used"), pytest.raises(StoreLockedError):
        brought_back(archive, tmp_path / "used", force=True)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_file_cut_short_is_refused(archive: Path, tmp_path: Path, share: float) -> None:
    """An archive of which the end is missing is refused before the folder is made."""
    content = archive.read_bytes()
    archive.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(StoreFormatError, match=r"not a backup|damaged"):
        brought_back(archive, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_any_changed_byte_is_noticed(archive: Path, tmp_path: Path) -> None:
    """An archive with one changed byte is refused, or the byte was one that carries nothing; no folder is damaged by it."""
    content = archive.read_bytes()
    refused = 0
    for at in range(0, len(content), len(content) // 150):
        archive.write_bytes(content[:at] + bytes([content[at] ^ 0x5A]) + content[at + 1 :])
        folder = tmp_path / f"new{at}"
        try:
            brought_back(archive, folder)
        except StoreFormatError:
            refused += 1
            assert not folder.exists()
        else:
            assert len(spans_in(folder)) == 31
    assert refused > 100


def _rewritten(archive: Path, change: Callable[[dict[str, bytes], dict[str, Any]], None]) -> Path:
    """Write the archive anew after a change to its members or its manifest."""
    with zipfile.ZipFile(archive) as source:
        members = {name: source.read(name) for name in source.namelist()}
    manifest = json.loads(members.pop("backup.json"))
    change(members, manifest)
    changed = archive.with_name("changed.zip")
    with zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as out:
        for name, content in members.items():
            out.writestr(name, content)
        out.writestr("backup.json", json.dumps(manifest))
    return changed


def _listed(members: dict[str, bytes], manifest: dict[str, Any], name: str) -> None:
    members[name] = b"x"
    manifest["members"].append({"name": name, "size": 1, "sha256": hashlib.sha256(b"x").hexdigest()})


def _without(members: dict[str, bytes], manifest: dict[str, Any], name: str) -> None:
    del members[name]
    manifest["members"] = [one for one in manifest["members"] if one["name"] != name]


HOSTILE: dict[str, Callable[[dict[str, bytes], dict[str, Any]], None]] = {
    "a path upwards": lambda members, manifest: _listed(members, manifest, "../evil.toml"),
    "a path from the root": lambda members, manifest: _listed(members, manifest, "/tmp/evil.toml"),
    "a path downwards": lambda members, manifest: _listed(members, manifest, "a/b.toml"),
    "a file of ours that is no member": lambda members, manifest: _listed(members, manifest, "server.lock"),
    "a dot file": lambda members, manifest: _listed(members, manifest, ".toml"),
    "a file not listed": lambda members, _: members.update({"x.toml": b"x"}),
    "a file listed and not there": lambda members, _: members.__delitem__("pseudonyms.salt"),
    "no spans": lambda members, manifest: _without(members, manifest, "spans.duckdb"),
    "no control store": lambda members, manifest: _without(members, manifest, "control.sqlite"),
    "another content": lambda members, _: members.update({"pseudonyms.salt": b"y" * 32}),
    "another kind": lambda _, manifest: manifest.update(kind="something"),
    "a manifest without its figures": lambda _, manifest: manifest.__delitem__("spans"),
    "a size that is wrong": lambda _, manifest: manifest["members"][0].update(size=5),
    "a size below nothing": lambda _, manifest: manifest["members"][0].update(size=-1),
    "spans that are not counted": lambda _, manifest: manifest.update(spans=7),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_archive_is_refused(archive: Path, tmp_path: Path, what: str) -> None:
    """An archive that lists, holds or claims what no backup does is refused, and nothing is written anywhere."""
    changed = _rewritten(archive, HOSTILE[what])
    before = {path for path in tmp_path.rglob("*") if "origin" not in path.parts}
    with pytest.raises(StoreFormatError):
        brought_back(changed, tmp_path / "new")
    left = {path for path in tmp_path.rglob("*") if "origin" not in path.parts} - before

    assert left <= {tmp_path / "new", tmp_path / "new" / "server.lock"}


def test_two_members_of_one_name_are_refused(archive: Path, tmp_path: Path) -> None:
    """A name that is there twice is refused: which of the two was verified?"""
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(archive, "a") as out:
        out.writestr("pseudonyms.salt", b"z" * 32)
    with pytest.raises(StoreFormatError, match="other files"):
        brought_back(archive, tmp_path / "new")


def test_a_newer_format_is_refused(archive: Path, tmp_path: Path) -> None:
    """A format of a later release is refused by name of that release, whatever else its manifest holds."""
    changed = _rewritten(
        archive, lambda _, manifest: manifest.update(format=3, watchkeeper="9.1", members="of another shape")
    )
    with pytest.raises(StoreFormatError, match=r"format 3, written by watchkeeper 9\.1"):
        brought_back(changed, tmp_path / "new")


def test_more_than_the_disk_holds_is_refused(archive: Path, tmp_path: Path) -> None:
    """An archive that claims to unpack to more than is free is refused before anything is unpacked into the folder."""
    huge = 1 << 31
    changed = _rewritten(archive, lambda _, manifest: manifest["members"][-1].update(size=huge))
    raw = bytearray(changed.read_bytes())
    at = raw.rindex(b"PK\x01\x02", 0, raw.rindex(b"spans.duckdb"))
    raw[at + 24 : at + 28] = struct.pack("<I", huge)
    changed.write_bytes(raw)
    with pytest.raises((StoreFormatError, StoreFullError)):
        brought_back(changed, tmp_path / "new")
    assert not (tmp_path / "new").exists()


# A kill at any moment.


def test_an_exchange_that_is_cut_off_anywhere_is_finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut off after any of its renames, the next to open the folder finds all of the new, and all of the old aside."""
    whole, reached = Path.replace, True
    for cut in range(30):
        if not reached:
            break
        folder = tmp_path / str(cut)
        (folder / RESTORED).mkdir(parents=True)
        for name in ("spans.duckdb", "spans.duckdb.wal", "control.sqlite"):
            (folder / name).write_text("old")
        for name in ("spans.duckdb", "control.sqlite", "pseudonyms.salt"):
            (folder / RESTORED / name).write_text("new")
        left = [cut]

        def replace(self: Path, target: Path, left: list[int] = left) -> Path:
            if left[0] == 0:
                raise KeyboardInterrupt
            left[0] -= 1
            return whole(self, target)

        reached = False
        with monkeypatch.context() as patch:
            patch.setattr(Path, "replace", replace)
            try:
                exchange(folder, f"{ASIDE}x")
            except KeyboardInterrupt:
                reached = True
        decided = (folder / "restore.json").exists() or not reached
        settle(folder)
        found = content_of(folder)
        old = {"spans.duckdb": b"old", "spans.duckdb.wal": b"old", "control.sqlite": b"old"}
        new = {"spans.duckdb": b"new", "control.sqlite": b"new", "pseudonyms.salt": b"new"}
        expected = {**new, **{f"{ASIDE}x/{name}": text for name, text in old.items()}} if decided else old
        assert {name: text for name, text in found.items() if not name.endswith(".partial")} == expected
    assert cut > 7


# Whoever was erased stays erased.


@pytest.fixture(name="erased_after")
def _erased_after(tmp_path: Path) -> tuple[Path, Path]:
    """A folder, and a backup from before u1 was erased in it, with a trace that only a late log names."""
    services = opened(tmp_path / "data")
    stored(services.store, *(make.span(n, 1, at=n, user_id=f"u{n % 3}", session_id=f"s{n}") for n in range(1, 31)))
    stored_scores(services.store, score_of(1, trace_id=f"{1:032x}"), score_of(2, trace_id=f"{2:032x}"))
    log = RawLog(trace_id=f"{900:032x}", span_id=f"{1:016x}", time=1, body="b", attributes={"user.id": "u1"})
    stored_logs(services.store, ("default", log))
    found = taken(services, tmp_path / "backup.zip")
    erase(services, user="u1")
    services.close()
    return tmp_path / "data", found


def _users(folder: Path) -> set[str | None]:
    services = opened(folder)
    found = {span.user_id for span in services.store.scan_spans("default", SpanFilter())}
    services.close()
    return found


def test_who_was_erased_since_stays_erased(erased_after: tuple[Path, Path]) -> None:
    """Restored over a folder with its record, the backup is without the person: spans, scores, logs, resends, bytes."""
    folder, archive = erased_after
    report = brought_back(archive, folder, force=True)
    services = opened(folder)
    again = stored(services.store, make.span(1, 1, at=1, user_id="u1"), make.span(900, 1, user_id="u1"))
    waiting, scores = services.store.stats().pending_logs, services.store.list_scores("default").items
    services.close()
    record = [json.loads(line) for line in (folder / "erasures.jsonl").read_text().splitlines()]

    assert (report.erased_traces, report.erased_spans, report.erased_scores) == (11, 10, 1)
    assert report.spans == 20
    assert again.outcomes == ("erased", "erased")
    assert _users(folder) == {"u0", "u2"}
    assert (waiting, [score.id for score in scores]) == (0, ["score-0002"])
    assert b"u1" not in (folder / "spans.duckdb").read_bytes()
    assert [line["kind"] for line in record] == ["user", "restore"]


def test_a_second_restore_erases_again(erased_after: tuple[Path, Path]) -> None:
    """The record and the marks outlive a restore, so that the same backup can be restored again and again."""
    folder, archive = erased_after
    for _ in range(2):
        assert brought_back(archive, folder, force=True).erased_spans == 10
    assert _users(folder) == {"u0", "u2"}


def test_a_record_kept_elsewhere_is_heeded(erased_after: tuple[Path, Path], tmp_path: Path) -> None:
    """Into an empty folder, a record of erasures that is named keeps the person out; without it they come back."""
    folder, archive = erased_after
    with_record = brought_back(archive, tmp_path / "new", erasures=folder / "erasures.jsonl")
    without = brought_back(archive, tmp_path / "bare")

    assert (with_record.erased_spans, without.erased_spans) == (10, 0)
    assert _users(tmp_path / "new") == {"u0", "u2"}
    assert _users(tmp_path / "bare") == {"u0", "u1", "u2"}
    assert (tmp_path / "new" / "erasures.jsonl").read_text().count("\n") == 2


def test_a_broken_record_stops_a_restore(erased_after: tuple[Path, Path]) -> None:
    """A line of the record that cannot be read stops the restore with the folder as it was: it might be somebody."""
    folder, archive = erased_after
    with (folder / "erasures.jsonl").open("a") as record:
        record.write('{"kind": "us\n')
    before = content_of(folder)
    with pytest.raises(ConfigError, match="cannot be read"):
        brought_back(archive, folder, force=True)
    assert content_of(folder).keys() == before.keys()
    assert (folder / "erasures.jsonl").read_bytes() == before["erasures.jsonl"]


def test_a_store_that_cannot_be_read_leaves_the_record(erased_after: tuple[Path, Path]) -> None:
    """Where the old store is damaged, the person is still kept out by the record, and a warning says what is not known."""
    folder, archive = erased_after
    (folder / "spans.duckdb").write_bytes(b"\x00" * 20_000)
    report = brought_back(archive, folder, force=True)

    assert "cannot be read" in report.warnings[0]
    assert _users(folder) == {"u0", "u2"}


@pytest.mark.parametrize("what", [{"session": "s4"}, {"trace": f"{4:032x}"}])
def test_a_session_or_a_trace_stays_erased_by_the_record_alone(tmp_path: Path, what: dict[str, str]) -> None:
    """A session and a trace that were erased are found in the backup by the hash of their name."""
    services = opened(tmp_path / "data")
    stored(services.store, *(make.span(n, 1, at=n, session_id=f"s{n}") for n in range(1, 9)))
    found = taken(services, tmp_path / "backup.zip")
    erase(services, **what)
    services.close()
    report = brought_back(found, tmp_path / "new", erasures=tmp_path / "data" / "erasures.jsonl")

    assert report.erased_spans == 1
    assert f"{4:032x}" not in {trace for _, trace, _ in spans_in(tmp_path / "new")}


def test_a_masked_person_is_found_by_their_other_name(tmp_path: Path) -> None:
    """A person stored under a pseudonym, whose traces were too old to be there when they were erased, stays erased."""
    services = opened(tmp_path / "data")
    name = services.erasure._pseudonym(MAIL)
    assert name is not None
    stored(services.store, make.span(1, 1, user_id=name), make.span(2, 1, user_id="other", service="b"))
    found = taken(services, tmp_path / "backup.zip")
    services.store.expire("default", "", 2**62)
    erase(services, user=MAIL)
    services.close()
    report = brought_back(found, tmp_path / "data", force=True)

    assert report.erased_spans == 1
    assert _users(tmp_path / "data") == {"other"}


def test_new_data_of_an_erased_person_is_kept(tmp_path: Path) -> None:
    """Who was erased before the backup and then came again is restored with what is new: that is not what was erased."""
    services = opened(tmp_path / "data")
    stored(services.store, make.span(1, 1, user_id="u1"))
    erase(services, user="u1")
    stored(services.store, make.span(2, 1, user_id="u1"))
    found = taken(services, tmp_path / "backup.zip")
    services.close()

    assert brought_back(found, tmp_path / "data", force=True).erased_spans == 0
    assert [trace for _, trace, _ in spans_in(tmp_path / "data")] == [f"{2:032x}"]


def test_who_was_shut_out_since_stays_out(tmp_path: Path) -> None:
    """A key revoked, a person disabled or demoted and a password changed after the backup stay so; no session comes back."""
    services = opened(tmp_path / "data")
    keys, people = services.control.keys, services.control.people
    services.control.ensure_project("p2")
    for name in ("gone", "kept"):
        keys.create("p2", ("read",), pair=(f"pk-{name}", f"sk-{name}-secret"))
    ada, eve = (people.add(f"{name}@example.org", name, "hash", "p2", "admin") for name in ("ada", "eve"))
    services.control.sessions.start(ada.id, "browser")
    found = taken(services, tmp_path / "backup.zip")
    keys.revoke("p2", "pk-gone")
    people.set_password(ada.id, "another")
    people.set_role("p2", ada.id, "viewer")
    people.disable(eve.id, disabled=True)
    services.close()
    report = brought_back(found, tmp_path / "data", force=True)
    alone = brought_back(found, tmp_path / "new")
    services = opened(tmp_path / "data")
    gone, kept = (services.control.keys.get(f"pk-{name}") for name in ("gone", "kept"))
    members = {one.email: (one.role, one.disabled) for one in services.control.people.members("p2")}
    sessions = services.control.sessions.of(ada.id)
    services.close()

    assert (report.shut_out, alone.shut_out) == (3, 0)
    assert gone is not None
    assert kept is not None
    assert (gone.revoked_at is None, kept.revoked_at is None) == (False, True)
    assert members == {"ada@example.org": ("viewer", False), "eve@example.org": ("admin", True)}
    assert sessions == ()


# The API.


async def _ready(http: httpx.AsyncClient) -> dict[str, Any]:
    state: dict[str, Any] = (await http.post("/api/v1/backups")).json()
    for _ in range(600):
        if state["state"] != "copying":
            break
        await asyncio.sleep(0.05)  # so that a loaded machine has its time
        state = (await http.get(f"/api/v1/backups/{state['id']}")).json()
    return state


async def test_the_api_makes_one_at_a_time(http: httpx.AsyncClient, services: Services, tmp_path: Path) -> None:
    """A backup is begun, watched, fetched and dropped; a second one meanwhile is put off with Retry-After."""
    stored(services.store, make.span(1, 1))
    state = await _ready(http)
    second = await http.post("/api/v1/backups")
    content = (await http.get(f"/api/v1/backups/{state['id']}/archive")).content
    gone = [(await http.delete(f"/api/v1/backups/{state['id']}")).status_code for _ in range(2)]
    (tmp_path / "b.zip").write_bytes(content)

    assert (state["state"], state["spans"]) == ("ready", 1)
    assert (second.status_code, second.headers["retry-after"]) == (429, "30")
    assert gone == [204, 404]
    assert not (tmp_path / "data" / "backup.tmp").exists()
    assert brought_back(tmp_path / "b.zip", tmp_path / "new").spans == 1


async def test_a_key_of_one_project_gets_no_backup(http: httpx.AsyncClient, services: Services) -> None:
    """A backup holds every project: a key of one of them is refused on each of the endpoints."""
    services.control.ensure_project("p2")
    services.control.keys.create("p2", ("admin",), pair=("pk-p2", "sk-p2-secret"))
    key = {"Authorization": "Bearer sk-p2-secret"}
    answers = [
        await http.post("/api/v1/backups", headers=key),
        await http.get("/api/v1/backups/x", headers=key),
        await http.get("/api/v1/backups/x/archive", headers=key),
        await http.delete("/api/v1/backups/x", headers=key),
    ]
    assert [answer.status_code for answer in answers] == [403] * 4


async def test_a_failed_one_says_why_and_leaves_nothing(
    http: httpx.AsyncClient, services: Services, tmp_path: Path
) -> None:
    """Where the copy cannot be written its state says so, the folder holds no scrap, and the next one may begin."""
    stored(services.store, make.span(1, 1))
    (tmp_path / "data" / "backup.tmp").write_text("in the way")
    failed = await _ready(http)
    (tmp_path / "data" / "backup.tmp").unlink()
    again = await _ready(http)

    assert (failed["state"], "backup.tmp" in failed["error"]) == ("failed", True)
    assert again["state"] == "ready"


def test_one_that_nobody_fetches_is_deleted(tmp_path: Path) -> None:
    """A copy that nobody asks for is deleted after a while: it takes the disk's space."""
    from watchkeeper.server.backup import BackupService

    services = opened(tmp_path / "data")
    backups = BackupService(services.store, services.control, tmp_path / "data", SystemClock(), "1", linger=0.01)
    backups.start()
    gone = eventually(lambda: backups._now is None)
    backups.close()
    services.close()

    assert gone
    assert not (tmp_path / "data" / "backup.tmp").exists()


def test_scrap_of_a_killed_server_is_cleared(tmp_path: Path) -> None:
    """What a server that was killed left of a backup or a restore is gone once the folder is opened again."""
    for scrap in ("backup.tmp", RESTORED):
        (tmp_path / scrap).mkdir()
        (tmp_path / scrap / "spans.duckdb").write_text("half")
    opened(tmp_path).close()
    assert not {"backup.tmp", RESTORED} & {path.name for path in tmp_path.iterdir()}
