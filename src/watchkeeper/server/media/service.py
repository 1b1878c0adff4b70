"""Taking, handing out and deleting media."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Collection
from pathlib import Path

import msgspec

from watchkeeper.kit.clock import Clock
from watchkeeper.kit.errors import BodyTooLargeError, NotFoundError, RequestError, StoreFullError
from watchkeeper.server.media.files import Incoming
from watchkeeper.server.media.links import Grant, Links
from watchkeeper.server.media.sweep import House, bare_items, forget, sweep
from watchkeeper.store.media import Medium, NewMedium, Use
from watchkeeper.store.room import Room

__all__ = ["MediaLimits", "MediaService"]

_SECOND = 1_000_000_000
_UPLOAD = 15 * 60 * _SECOND
_DOWNLOAD = 60 * 60 * _SECOND
_WAIT = 60 * 60 * _SECOND
_YOUNG = 24 * 60 * 60 * _SECOND
_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,60}/[a-z0-9][a-z0-9!#$&^_.+-]{0,90}")


class MediaLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes of one medium, and of all media of all projects."""

    one: int
    whole: int


class MediaService:
    """Media of all projects. Any thread.

    Args:
        house: what is known and kept.
        clock: for addresses that expire.
        limits: what may be kept.
        keeps: says whether content is kept at all where no service is named.
        room: refuses where the disk is nearly full; None where there is no data folder.
    """

    def __init__(
        self, house: House, clock: Clock, limits: MediaLimits, *, keeps: Callable[[], bool] = lambda: True,
        room: Room | None = None,
    ) -> None:  # fmt: skip
        self._house = house
        self._clock = clock
        self._limits = limits
        self._keeps = keeps
        self._room = room
        self._links = Links(clock)
        self._turn = threading.Lock()  # between a file's coming or going and what is known of it
        self._closed = threading.Event()
        house.files.clear()

    def announce(self, project: str, given: NewMedium, use: Use) -> str | None:
        """Note a use of a medium; return the token to upload it by, None where it is there or not kept.

        Raises:
            RequestError: its type, id or size is none.
            BodyTooLargeError: it is over the limit.
            StoreFullError: there is no room for it.
        """
        if not _TYPE.fullmatch(given.content_type):
            raise RequestError(f"{given.content_type[:100]!r} is not a content type")
        if given.size > self._limits.one:
            raise BodyTooLargeError(f"media of up to {self._limits.one} bytes are kept", hint="WATCHKEEPER_MEDIA_MIB")
        if not self._keeps() or self._of_silent(project, use.trace_id):
            return None
        with self._turn:
            known = self._house.facts.find(project, given.id)
            if known is None:
                self._has_room(given.size)
            found = self._house.facts.announce(project, given, use)
        if found.uploaded_at is not None and self._path(found).is_file():
            return None
        return self._links.sign(self._grant("put", found, _UPLOAD))

    def granted(self, token: str, act: str) -> Grant:
        """Return what a token allows.

        Raises:
            ForbiddenError: nothing.
        """
        return self._links.read(token, act)

    def begin(self, grant: Grant) -> Incoming:
        """Begin to receive what was announced; the caller closes it.

        Raises:
            NotFoundError: it is not waited for any more.
            StoreFullError: there is no room.
        """
        self._announced(grant)
        if self._room is not None:
            self._room.check()
        return self._house.files.begin(grant.project, grant.sha256, grant.size)

    def end(self, grant: Grant, incoming: Incoming) -> None:
        """Keep what was received, durably.

        Raises:
            RequestError: it is not what was announced.
            NotFoundError: it was erased in the meantime.
            StoreFullError: there is no room.
        """
        incoming.verify()
        with self._turn:
            self._announced(grant)
            incoming.keep()
            self._house.facts.arrived(grant.project, grant.media)

    def find(self, project: str, media: str) -> Medium:
        """Return a medium whose bytes are there.

        Raises:
            NotFoundError: there is none.
        """
        found = self._house.facts.find(project, media)
        if found is None or found.uploaded_at is None or not self._path(found).is_file():
            raise NotFoundError(f"Media not found: {media[:100]!r}")
        return found

    def known(self, project: str, media: str) -> None:
        """Refuse what was not announced.

        Raises:
            NotFoundError: it was not.
        """
        if self._house.facts.find(project, media) is None:
            raise NotFoundError(f"Media not found: {media[:100]!r}")

    def link(self, medium: Medium) -> tuple[str, int]:
        """Return the token to download a medium by, and when (ns) it ends."""
        grant = self._grant("get", medium, _DOWNLOAD)
        return self._links.sign(grant), grant.until

    def content(self, grant: Grant) -> Path:
        """Return the file of a medium.

        Raises:
            NotFoundError: it is gone.
        """
        return self._path(self.find(grant.project, grant.media))

    def traces(self, project: str) -> set[str]:
        """Return the traces that use media."""
        return {trace for trace, _ in self._house.facts.traces(project)}

    def forget(self, project: str, traces: Collection[str]) -> int:
        """Delete the media that these traces alone use, and those of emptied items; return how many."""
        with self._turn:
            items = bare_items(self._house, project)
            return forget(self._house, project, traces=sorted(traces), items=items)

    def sweep(self) -> int:
        """Delete media whose traces and items are gone for a day, and what never arrived; return how many."""
        now = self._clock.now_ns()
        with self._turn:
            gone = self._house.facts.drop_waiting(now - _WAIT)
            for medium in gone:
                self._house.files.delete(medium.project, medium.sha256)
        return len(gone) + sweep(self._house, now - _YOUNG, lambda: not self._closed.is_set(), self._turn)

    def close(self) -> None:
        """Stop a sweep under way. Before the stores close."""
        self._closed.set()

    def clear(self) -> None:
        """Delete the files of a server in memory. After the last call."""
        self._house.files.close()

    def _announced(self, grant: Grant) -> None:
        found = self._house.facts.find(grant.project, grant.media)
        if found is None or found.sha256 != grant.sha256:
            raise NotFoundError("this is not waited for any more")

    def _of_silent(self, project: str, trace: str) -> bool:
        return bool(trace) and self._house.is_silent(project, trace)

    def _has_room(self, size: int) -> None:
        if self._room is not None:
            self._room.check()
        if self._house.facts.size() + size > self._limits.whole:
            raise StoreFullError(
                f"media may take {self._limits.whole >> 20} MiB in all", hint="raise WATCHKEEPER_MEDIA_TOTAL_MIB"
            )

    def _grant(self, act: str, medium: Medium, lasts: int) -> Grant:
        return Grant(
            act=act, project=medium.project, media=medium.id, content_type=medium.content_type, size=medium.size,
            sha256=medium.sha256, until=self._clock.now_ns() + lasts,
        )  # fmt: skip

    def _path(self, medium: Medium) -> Path:
        return self._house.files.path(medium.project, medium.sha256)
