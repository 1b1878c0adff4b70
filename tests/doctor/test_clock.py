"""WKD2xx: the server's Date is bent by a proxy on loopback."""

from __future__ import annotations

import time
from email.utils import formatdate
from pathlib import Path

import pytest

from tests.doctor.conftest import bending, found, look
from tests.serving import Served
from watchkeeper.doctor import clock
from watchkeeper.doctor.clock import skew
from watchkeeper.doctor.probe import Answer


@pytest.mark.parametrize(
    ("seconds", "rule", "says"), [(-7200, "WKD202", "behind"), (90, "WKD202", "ahead"), (10, "WKD201", "ahead")]
)
def test_a_skewed_server_is_told(
    served: tuple[Served, Path], tmp_path: Path, seconds: int, rule: str, says: str
) -> None:
    """A server whose clock is off is found, with the direction, and fails beyond a minute."""
    server, _ = served

    def late(_path: str, headers: dict[str, str], body: bytes) -> bytes:
        headers["date"] = formatdate(time.time() + seconds, usegmt=True)
        return body

    with bending(server.url, late) as url:
        told = found(look(tmp_path / "new", url=url), rule)

    assert says in told.what
    assert told.mend


def test_an_honest_server_agrees(served: tuple[Served, Path], tmp_path: Path) -> None:
    """A server on this machine has our clock."""
    assert found(look(tmp_path / "new", url=served[0].url), "WKD200")


def test_a_date_is_a_second_long() -> None:
    """A Date within the second of the request is no skew; beyond it the nearest bound counts."""
    told = {"date": "Wed, 25 Nov 2026 10:00:00 GMT"}
    start = 1_795_600_800.0

    assert skew(Answer(200, headers=told, sent=start + 0.9, received=start + 0.95)) == 0.0
    assert skew(Answer(200, headers=told, sent=start + 11.0, received=start + 11.5)) == -10.0
    assert skew(Answer(200, headers=told, sent=start - 12.5, received=start - 12.0)) == 12.0
    assert skew(Answer(200)) is None


@pytest.mark.parametrize(("kept", "rule"), [(True, "WKD210"), (False, "WKD211")])
def test_what_the_kernel_says_of_ntp_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, kept: bool, rule: str
) -> None:
    """A clock that nothing keeps is a warning with the command that has it kept; where the kernel is silent, so are we."""
    monkeypatch.setattr(clock, "kernel_is_synchronised", lambda: kept)
    told = found(look(tmp_path / "new"), rule)
    monkeypatch.setattr(clock, "kernel_is_synchronised", lambda: None)

    assert told.mend == (None if kept else "timedatectl set-ntp true")
    assert not {"WKD210", "WKD211"} & {one.id for one in look(tmp_path / "new").findings}


def test_a_clock_before_this_release_is_wrong(tmp_path: Path) -> None:
    """A clock that stands before the day the prices were taken cannot be right."""
    report = look(tmp_path / "new", now=lambda: 1_600_000_000.0)

    assert "2020-09-13" in found(report, "WKD212").what
    assert report.exit_code == 103
