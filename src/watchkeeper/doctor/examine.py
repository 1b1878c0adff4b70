"""The examination: every check in order; one that fails itself is a finding too."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

from watchkeeper.doctor import (
    accounts,
    backups,
    clock,
    disk,
    endpoint,
    journal,
    keys,
    ports,
    prices,
    process,
    stored,
    tls,
    trip,
    versions,
)
from watchkeeper.doctor.client import client_of
from watchkeeper.doctor.findings import Finding, Report, Rule
from watchkeeper.doctor.scene import Scene
from watchkeeper.kit.errors import ConfigError
from watchkeeper.kit.settings import ForeignSettings, SdkSettings, ServerSettings, environment, read
from watchkeeper.server.lockfile import running_server

__all__ = ["RULES", "examine"]

S = TypeVar("S")

BROKEN = Rule(
    "WKD001", "fail", "doctor", "A check broke, which is a fault of ours: please report it with this line.",
    "watchkeeper doctor --json",
)  # fmt: skip
_GROUPS = (
    ports, tls, clock, keys, accounts, endpoint, versions, disk, stored, journal, backups, prices, process,
)  # fmt: skip
RULES: dict[str, Rule] = {
    rule.id: rule for rule in (BROKEN, *trip.RULES, *(rule for group in _GROUPS for rule in group.RULES))
}
"""Every finding that is possible, by id."""


def examine(
    *, data_dir: Path | None = None, url: str | None = None, remote: bool = False, send: bool = False,
    environ: Mapping[str, str] | None = None, now: Callable[[], float] = time.time,
) -> Report:  # fmt: skip
    """Look at everything and report. Connects to loopback only, unless told otherwise, and writes nothing.

    Args:
        data_dir: the data folder, else as the settings say.
        url: the server's address, in place of the configured one.
        remote: ask the configured server also where it is not on this machine.
        send: send one span with the SDK and read it again: the one thing here that leaves a trace.
        environ: the environment, the process's own by default.
        now: seconds since 1970.
    """
    source = environment() if environ is None else environ
    misread: list[Finding] = []
    server = _read(ServerSettings, source, misread, data_dir=data_dir)
    client = client_of(_read(SdkSettings, source, misread), _read(ForeignSettings, source, misread), url)
    scene = Scene(
        server=server, client=client, running=running_server(server.folder()), environ=source, remote=remote, now=now
    )
    found = list(misread)
    for group in (*_GROUPS, trip) if send else _GROUPS:
        found += _guarded(group.__name__, group.check(scene))
    return Report.of(version("watchkeeper"), found, RULES)


def _guarded(name: str, findings: Iterator[Finding]) -> Iterator[Finding]:
    try:
        yield from findings
    except Exception as error:  # noqa: BLE001 - one check that breaks must not keep the others from the user
        yield BROKEN.found(name.rpartition(".")[2], f"{type(error).__name__}: {error}")


def _read(kind: type[S], environ: Mapping[str, str], misread: list[Finding], **given: Any) -> S:  # noqa: ANN401 - as `read`
    """Read settings; a variable that does not parse becomes a finding, and the others are still read."""
    left = dict(environ)
    while True:
        try:
            return read(kind, left, **given)
        except ConfigError as error:
            wrong = error.message.partition(" ")[0]
            misread.append(process.MISREAD.found(wrong, error.message, error.hint))
            if left.pop(wrong, None) is None:
                raise
