"""Key pairs for the API and the command line."""

from __future__ import annotations

import logging
from datetime import timedelta

from watchkeeper.kit.errors import NotFoundError
from watchkeeper.server.keys.schemas import KeyIn, KeyList, KeyMade, KeyOut, RotateIn
from watchkeeper.store.factory import ControlStore

__all__ = ["KeyService"]

_log = logging.getLogger("watchkeeper.access")


class KeyService:
    """Makes, lists, rotates and revokes the keys of one project at a time."""

    def __init__(self, control: ControlStore) -> None:
        self._control = control

    def list(self, project: str) -> KeyList:
        """Return the project's keys, newest first."""
        return KeyList(items=[KeyOut.of(key) for key in self._control.keys.list(project)])

    def create(self, project: str, given: KeyIn, by: str) -> KeyMade:
        """Make a key pair."""
        lifetime = None if given.expires_in_days is None else timedelta(days=given.expires_in_days)
        pair = self._control.keys.create(project, tuple(given.scopes), name=given.name, by=by, lifetime=lifetime)
        _log.info("%s made the key %s of %s with %s", by, pair.key.public_id, project, " ".join(pair.key.scopes))
        return KeyMade.of(pair)

    def rotate(self, project: str, public_id: str, given: RotateIn, by: str) -> KeyMade:
        """Make a key's successor.

        Raises:
            NotFoundError: there is no such live key in the project, or it was rotated already.
        """
        overlap = timedelta(hours=given.overlap_hours)
        pair = self._control.keys.rotate(project, public_id, overlap=overlap, by=by)
        _log.info("%s rotated the key %s of %s into %s", by, public_id, project, pair.key.public_id)
        return KeyMade.of(pair)

    def revoke(self, project: str, public_id: str, by: str) -> None:
        """Revoke a key.

        Raises:
            NotFoundError: there is no such key in the project, or it was revoked already.
        """
        if not self._control.keys.revoke(project, public_id):
            raise NotFoundError(f"there is no live key {public_id} in this project")
        _log.info("%s revoked the key %s of %s", by, public_id, project)
