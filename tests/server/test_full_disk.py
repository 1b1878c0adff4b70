"""A disk that is full: a small real file system, filled to its last byte under a running server, and freed again."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.otlp import CHAT, request, span
from tests.serving import Served, serving
from watchkeeper.kit.errors import StoreFullError
from watchkeeper.store.room import Room

PROTOBUF = {"Content_Type": "application/x-protobuf"}
JSON = {"Content_Type": "application/json"}
MIB = 1 << 20
_MOUNT = 'mount -t tmpfs -o size="$1" tmpfs "$0" && shift && exec "$@"'


def _small_disk(folder: Path, size: str) -> tuple[str, ...]:
    """Return the command that mounts a small disk on the folder, for the command after it alone."""
    folder.mkdir(exist_ok=True)
    return ("unshare", "-rm", "sh", "-c", _MOUNT, str(folder), size)


@pytest.fixture(autouse=True)
def _namespaces(tmp_path: Path) -> None:
    probe = [*_small_disk(tmp_path / "probe", "1m"), "true"]
    if sys.platform != "linux" or not shutil.which("unshare") or subprocess.run(probe, check=False).returncode:
        pytest.skip("no file system can be mounted here")


class Disk:
    """The server's disk, as the server sees it."""

    def __init__(self, folder: Path, served: Served) -> None:
        self.folder = Path(f"/proc/{served.process.pid}/root{folder}")
        self._filler = self.folder / "filler"

    def free(self) -> int:
        """Return the bytes that are free."""
        return shutil.disk_usage(self.folder).free

    def fill(self, leave: int = 0) -> None:
        """Take all of it but some bytes."""
        with self._filler.open("ab") as file:
            try:
                while (rest := self.free() - leave) > 0:
                    file.write(bytes(min(rest, MIB)))
                    file.flush()
            except OSError:
                assert leave == 0

    def empty(self) -> None:
        """Give it back."""
        self._filler.unlink()


@contextmanager
def _on_a_small_disk(folder: Path, size: str, min_free: int) -> Iterator[tuple[Served, Disk]]:
    environ = {"WATCHKEEPER_MIN_FREE_MIB": str(min_free), "WATCHKEEPER_INGEST_PROCESSES": "0"}
    with serving(folder, prefix=_small_disk(folder / "data", size), environ=environ) as served:
        yield served, Disk(folder / "data", served)


class Sender:
    """Sends exports of one trace with a large text, and remembers what was acknowledged."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self.acknowledged: set[str] = set()

    def send(self) -> tuple[int, dict[str, str]]:
        """Send one; return status and headers."""
        trace = uuid.uuid4().hex
        spans = [span(trace_id=trace, span_id=f"{n:016x}", attributes={**CHAT, "noise": _noise()}) for n in range(1, 6)]
        status, _, headers = self._served.call("/v1/traces", request(*spans).SerializeToString(), **PROTOBUF)
        if status == 200:
            self.acknowledged.add(trace)
        return status, {name.lower(): value for name, value in headers.items()}

    def stored(self) -> dict[str, int]:
        """Return how many spans of each trace the server has."""
        _, answer = self._served.sql("SELECT trace_id, count(*) FROM spans GROUP BY trace_id")
        return {trace: int(count) for trace, count in answer["rows"]}


def _noise() -> str:
    return os.urandom(8_000).hex()


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def _score(served: Served) -> tuple[int, dict[str, str]]:
    body = json.dumps({"name": "quality", "value": 1, "trace_id": uuid.uuid4().hex}).encode()
    status, _, headers = served.call("/api/v1/scores", body, **JSON)
    return status, {name.lower(): value for name, value in headers.items()}


def _refused_score(served: Served, disk: Disk) -> dict[str, str]:
    """Send scores until one does not fit into what the log's last page has left; return the headers of the 507."""
    for _ in range(500):
        disk.fill()
        status, headers = _score(served)
        if status != 201:
            assert status == 507
            return headers
    raise AssertionError("no score was refused")


@pytest.mark.slow
def test_a_disk_filled_to_the_last_byte_loses_nothing(tmp_path: Path) -> None:
    """With no byte left OTLP answers 503 and the API 507, both with Retry-After; once there is room all goes on, twice."""
    with _on_a_small_disk(tmp_path, "96m", 0) as (served, disk):
        sender = Sender(served)
        for _ in range(2):
            for _ in range(20):
                assert sender.send()[0] == 200
            disk.fill()
            answers = [sender.send() for _ in range(40)]
            refused = [headers for status, headers in answers if status != 200]
            told = _refused_score(served, disk)
            assert {status for status, _ in answers} <= {200, 503}
            assert refused
            assert {(one["retry-after"], one["x-watchkeeper-code"]) for one in refused} == {("30", "store_full")}
            assert told["retry-after"] == "30"
            assert served.call("/api/v1/traces")[0] == 200
            disk.empty()
            _until(lambda: sender.send()[0] == 200)
            _until(lambda: _score(served)[0] in {200, 201})
        _until(lambda: sender.acknowledged <= sender.stored().keys())
        assert {count for trace, count in sender.stored().items() if trace in sender.acknowledged} == {5}


@pytest.mark.slow
def test_a_kill_on_a_full_disk_loses_nothing(tmp_path: Path) -> None:
    """Killed while its disk is full, the server comes up again once there is room, with every acknowledged span."""
    folder = tmp_path / "data"
    script = _small_disk(folder, "96m")
    holder = subprocess.Popen([*script, "sleep", "600"])
    try:
        _until(lambda: Path(f"/proc/{holder.pid}/root{folder}").exists() and _is_mounted(holder.pid, folder))
        enter = ("nsenter", f"--target={holder.pid}", "--user", "--mount", "--preserve-credentials")
        environ = {"WATCHKEEPER_MIN_FREE_MIB": "0", "WATCHKEEPER_INGEST_PROCESSES": "0"}
        with serving(tmp_path, prefix=enter, environ=environ) as served:
            sender, disk = Sender(served), Disk(folder, served)
            for _ in range(20):
                assert sender.send()[0] == 200
            disk.fill()
            for _ in range(10):
                sender.send()
            served.process.kill()
            served.process.wait(30)
        (Path(f"/proc/{holder.pid}/root{folder}") / "filler").unlink()
        with serving(tmp_path, prefix=enter, environ=environ) as served:
            again = Sender(served)
            _until(lambda: sender.acknowledged <= again.stored().keys())
            assert again.send()[0] == 200
    finally:
        holder.kill()
        holder.wait(30)


def _is_mounted(pid: int, folder: Path) -> bool:
    return str(folder) in Path(f"/proc/{pid}/mounts").read_text()


@pytest.mark.slow
def test_the_guard_refuses_while_there_is_room_to_end_well(tmp_path: Path) -> None:
    """Below WATCHKEEPER_MIN_FREE_MIB ingest is refused and the status says so; reads go on; above it ingest goes on."""
    with _on_a_small_disk(tmp_path, "96m", 24) as (served, disk):
        sender = Sender(served)
        assert sender.send()[0] == 200
        disk.fill(leave=20 * MIB)
        _until(lambda: sender.send()[0] == 503)
        left, (scored, told) = disk.free(), _score(served)
        status = json.loads(served.call("/api/v1/status")[1])
        assert served.call("/api/v1/traces")[0] == 200
        assert sender.send()[1]["retry-after"] == "30"
        disk.empty()
        _until(lambda: sender.send()[0] == 200)

        assert left > 15 * MIB
        assert (scored, told["retry-after"]) == (507, "30")
        assert status["housekeeping"]["disk_full"]
        assert not json.loads(served.call("/api/v1/status")[1])["housekeeping"]["disk_full"]
        _until(lambda: sender.acknowledged <= sender.stored().keys())


_COPY = """
import json, shutil, sys
from pathlib import Path
from watchkeeper.kit.errors import StoreFullError
from watchkeeper.kit.settings import ServerSettings
from watchkeeper.server import assemble
from watchkeeper.store.conformance.samples import Maker, stored

folder, leave = Path(sys.argv[1]), int(sys.argv[2])
services, make = assemble(ServerSettings(min_free_mib=0), folder), Maker()
noise = __import__("random").Random(1)
for first in range(1, 4_000, 500):
    stored(services.store, *(make.span(n, 1, at=n, text=noise.randbytes(1_000).hex()) for n in range(first, first + 500)))
services.store.reclaim(force=True)
usage = shutil.disk_usage(folder)
with (folder / "filler").open("wb") as file:
    file.write(bytes(usage.free - leave))
# The look ahead is blinded, so that the copy itself meets the end of the disk.
real = shutil.disk_usage
shutil.disk_usage = lambda path: real(path)._replace(free=1 << 40)
try:
    services.backups.make(lambda done, whole: None)
except StoreFullError as error:
    said = error.message
else:
    said = "no error"
shutil.disk_usage = real
left = sorted(path.name for path in folder.iterdir())
(folder / "filler").unlink()
stored(services.store, make.span(9_999, 1))
snapshot = services.backups.make(lambda done, whole: None)
print(json.dumps({"said": said, "left": left, "spans": snapshot.facts.spans}))
snapshot.drop()
services.close()
"""


@pytest.mark.slow
@pytest.mark.parametrize("leave", [200_000, 3_000_000])
def test_a_backup_that_meets_the_end_of_the_disk_leaves_nothing(tmp_path: Path, leave: int) -> None:
    """A copy that fills the data folder's disk fails as such, is cleared away, and the store works on and can be copied."""
    command = [*_small_disk(tmp_path / "data", "64m"), sys.executable, "-c", _COPY, str(tmp_path / "data"), str(leave)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-3_000:]
    report = json.loads(done.stdout)

    assert "no space left" in report["said"]
    assert "backup.tmp" not in report["left"]
    assert report["spans"] == 4_001


def test_a_backup_file_that_does_not_fit_is_not_left_behind(tmp_path: Path) -> None:
    """Where the disk of the file is full, the command ends with 103 and says so, and not even a part of it is there."""
    from tests.server.test_backup import opened
    from watchkeeper.store.conformance.samples import Maker, stored

    services = opened(tmp_path / "data")
    stored(services.store, *(Maker().span(n, 1, text=os.urandom(2_000).hex()) for n in range(1, 500)))
    services.close()
    target = tmp_path / "target"
    words = [
        sys.executable,
        "-m",
        "watchkeeper.cli",
        "backup",
        str(target / "b.zip"),
        "--data-dir",
        str(tmp_path / "data"),
    ]
    shell = ("sh", "-c", '"$@"; rc=$?; ls -A "$0"; exit $rc', str(target))
    done = subprocess.run(
        [*_small_disk(target, "300k"), *shell, *words], capture_output=True, text=True, timeout=120, check=False
    )

    assert (done.returncode, done.stdout) == (103, "")
    assert "no space left for" in done.stderr
    assert sorted(path.name for path in (tmp_path / "data").iterdir() if "backup" in path.name) == []


class _Free:
    """A file system of which what is free can be set."""

    def __init__(self, free: int) -> None:
        self.now = free

    def __call__(self, _: Path) -> int:
        return self.now


def test_the_guard_has_no_flutter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once too little is free it takes five per cent more than the limit until batches are taken again."""
    clock = [0.0]
    monkeypatch.setattr("watchkeeper.store.room.time.monotonic", lambda: clock[0])
    free = _Free(100)
    room = Room(tmp_path, 100, free)

    def refuses(now: int) -> bool:
        clock[0] += 1
        free.now = now
        try:
            room.check()
        except StoreFullError:
            return True
        return False

    assert [refuses(now) for now in (100, 99, 100, 104, 105, 100, 99)] == [False, True, True, True, False, False, True]


def test_the_guard_can_be_put_off_and_does_not_ask_often(tmp_path: Path) -> None:
    """With 0 nothing is kept free and nothing asked; else the file system is asked once for many batches."""
    asked: list[Path] = []

    def free(folder: Path) -> int:
        asked.append(folder)
        return 1 << 40

    for _ in range(1_000):
        Room(tmp_path, 0, free).check()
    room = Room(tmp_path, 100, free)
    for _ in range(50):
        room.check()

    assert 1 <= len(asked) < 10


def test_a_file_system_that_cannot_be_asked_does_not_stop_ingest(tmp_path: Path) -> None:
    """Where the question fails the batch is let through: the write itself will say what is wrong."""

    def free(_: Path) -> int:
        raise OSError("stale handle")

    Room(tmp_path, 100, free).check()
