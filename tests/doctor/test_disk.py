"""WKD6xx: a disk that is truly full or read-only (in a mount of its own), folders that truly belong to another."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.doctor.conftest import bad, found, look

COMMAND = f"{sys.executable} -m watchkeeper.cli doctor --json --data-dir"


def _mounted(script: str, folder: Path) -> dict[str, Any]:
    """Run doctor in a mount namespace, with a small file system of its own mounted at `folder`."""
    unshare = shutil.which("unshare")
    allowed = unshare and subprocess.run([unshare, "-rm", "true"], capture_output=True, check=False).returncode == 0
    if not allowed:
        pytest.skip("this container allows no mount namespace")
    folder.mkdir()
    done = subprocess.run(
        [str(unshare), "-rm", "sh", "-ec", f"mount -t tmpfs -o size=4m,nr_inodes=16,mode=700 t {folder}\n{script}"],
        capture_output=True, text=True, timeout=60, check=False, env={**os.environ, "WATCHKEEPER_MIN_FREE_MIB": "3"},
    )  # fmt: skip
    assert done.stdout, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _ids(answer: dict[str, Any]) -> set[str]:
    return {one["id"] for one in answer["findings"]}


def test_a_full_disk_fails(tmp_path: Path) -> None:
    """A file system with less free than is kept free fails as infrastructure."""
    at = tmp_path / "disk"
    answer = _mounted(f"head -c 2000000 /dev/zero > {at}/ballast\n{COMMAND} {at} || true", at)

    assert "WKD601" in _ids(answer)
    assert answer["exit_code"] == 103


def test_a_disk_that_fills_warns(tmp_path: Path) -> None:
    """With less than twice of what is kept free there is a warning and no failure."""
    answer = _mounted(f"{COMMAND} {tmp_path}/disk || true", tmp_path / "disk")

    assert "WKD602" in _ids(answer)


def test_a_disk_without_inodes_fails(tmp_path: Path) -> None:
    """Where no file can be made any more, it fails, however much is free."""
    at = tmp_path / "disk"
    answer = _mounted(f"i=0; while touch {at}/f$i 2>/dev/null; do i=$((i+1)); done\n{COMMAND} {at} || true", at)

    assert "WKD603" in _ids(answer)


def test_a_read_only_disk_fails(tmp_path: Path) -> None:
    """A file system that is mounted read-only is told from a lack of permission."""
    at = tmp_path / "disk"
    answer = _mounted(f"mount -o remount,ro {at}\n{COMMAND} {at} || true", at)

    assert "WKD614" in _ids(answer)


@pytest.fixture
def elsewhere() -> Iterator[Path]:
    """A folder that any user can reach, unlike pytest's own."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


_AS_NOBODY = """
import json, os, sys
from pathlib import Path
from watchkeeper.doctor import examine

examine(data_dir=Path("/nowhere"))  # loads all there is to load: the other user may not read this installation
os.setgroups([])
os.setegid(65534)
os.seteuid(65534)
print(json.dumps([{"id": one.id, "what": one.what, "mend": one.mend} for one in examine(data_dir=Path(sys.argv[1])).findings]))
"""


def _as_nobody(folder: Path) -> dict[str, Any]:
    if os.geteuid() != 0:
        pytest.skip("only root can run a process as another user")
    words = [sys.executable, "-c", _AS_NOBODY, str(folder)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return {"findings": json.loads(done.stdout)}


def test_a_folder_of_another_user_fails(elsewhere: Path) -> None:
    """A folder that belongs to root and is opened by another fails, with the owner and the command that gives it away."""
    data = elsewhere / "data"
    data.mkdir(mode=0o755)
    told = next(one for one in _as_nobody(data)["findings"] if one["id"] == "WKD613")

    assert "root" in told["what"]
    assert told["mend"].startswith("sudo chown -R ")


def test_files_of_another_user_fail(elsewhere: Path) -> None:
    """A folder of our own with a file that root once made is found."""
    data = elsewhere / "data"
    data.mkdir(mode=0o777)
    data.chmod(0o777)
    (data / "spans.duckdb").touch(0o644)

    assert "WKD616" in _ids(_as_nobody(data))


def test_a_folder_that_cannot_be_made_fails(elsewhere: Path) -> None:
    """A folder below one that may not be written fails before a server tries."""
    assert "WKD612" in _ids(_as_nobody(elsewhere / "deep" / "data"))


def test_a_folder_others_can_read_warns(tmp_path: Path) -> None:
    """Prompts that other users of the machine can read are a warning, with the command that closes the folder."""
    data = tmp_path / "data"
    data.mkdir(mode=0o755)

    assert found(look(data), "WKD617").mend == f"chmod -R go= {data}"
    data.chmod(0o700)
    assert bad(look(data)) <= {"WKD402"}


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    """A file where the data folder should be is said to be one."""
    (tmp_path / "data").touch()

    assert found(look(tmp_path / "data"), "WKD615")
