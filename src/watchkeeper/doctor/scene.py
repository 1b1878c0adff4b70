"""What is examined: the settings as they are, the address and keys a client would use, and who is asked about it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from watchkeeper.doctor.client import Client
from watchkeeper.doctor.probe import Answer, ask, is_loopback
from watchkeeper.kit.settings import ServerSettings

__all__ = ["Scene"]


@dataclass(frozen=True, kw_only=True)
class Scene:
    """One examination. Nothing in it changes what it looks at.

    Args:
        server: what `watchkeeper serve` would be told here.
        client: where an application started here would send to.
        running: the address of the server that holds the data folder, None where none does.
        environ: the environment.
        remote: whether the configured server may be asked where it is not on this machine.
        now: seconds since 1970.
    """

    server: ServerSettings
    client: Client
    running: str | None
    environ: Mapping[str, str]
    remote: bool = False
    now: Callable[[], float] = field(default=time.time)

    @property
    def folder(self) -> Path:
        """Return the data folder."""
        return self.server.folder()

    def may_ask(self, url: str) -> bool:
        """Say whether an address may be connected to: loopback always, another only when that was asked for."""
        return self.remote or is_loopback(url)

    @cached_property
    def health(self) -> Answer | None:
        """Return what the configured server answers to `/healthz`; None where it may not be asked."""
        if not self.client.valid or not self.may_ask(self.client.base):
            return None
        return ask(f"{self.client.base}/healthz", certificate=self.client.certificate, now=self.now)

    @cached_property
    def is_ours(self) -> bool:
        """Say whether a Watchkeeper answers at the configured address."""
        return self.health is not None and self.health.status == 200 and self.health.body.strip() == b"ok"  # noqa: PLR2004

    @cached_property
    def status(self) -> dict[str, Any] | None:
        """Return what the configured server says of itself; None where it does not tell us."""
        if not self.is_ours:
            return None
        url = f"{self.client.base}/api/v1/status"
        return _object(ask(url, headers=self.client.read_headers, certificate=self.client.certificate))

    @cached_property
    def own_status(self) -> dict[str, Any] | None:
        """Return what the server that holds the folder says of itself; None where there is none or it is silent."""
        if self.running is None or not self.may_ask(self.running):
            return None
        return _object(ask(f"{self.running}/api/v1/status", headers=self.client.read_headers))


def _object(answer: Answer) -> dict[str, Any] | None:
    try:
        found = msgspec.json.decode(answer.body)
    except msgspec.DecodeError:
        return None
    return found if isinstance(found, dict) and "version" in found else None
