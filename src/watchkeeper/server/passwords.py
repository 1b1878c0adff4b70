"""Passwords: argon2id, a few at a time, and as slow for who is unknown."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from watchkeeper.kit.errors import OverloadedError, RequestError

__all__ = ["LEAST", "Passwords", "acceptable"]

LEAST = 12
"""Fewest characters of a password."""

MOST = 1024
_FEWEST_DIFFERENT = 5


def acceptable(password: str, *, email: str) -> str:
    """Return the password if it may be chosen.

    Raises:
        RequestError: it is too short, too long, too plain, or the address itself.
    """
    if not LEAST <= len(password) <= MOST:
        raise RequestError(f"a password has {LEAST} to {MOST} characters", hint="four random words are a good one")
    plain = password.strip().lower()
    if len(set(plain)) < _FEWEST_DIFFERENT or plain == email or plain == email.partition("@")[0]:
        raise RequestError("that password is too easy to guess", hint="four random words are a good one")
    return password


class Passwords:
    """Hashes and checks with argon2id by RFC 9106's profile for little memory: 64 MiB, three passes."""

    def __init__(self, at_once: int = 2, waiting: int = 16) -> None:
        self._hasher = PasswordHasher()
        self._slots = threading.BoundedSemaphore(at_once)
        self._queue = threading.BoundedSemaphore(at_once + waiting)
        self._lock = threading.Lock()
        self._nobody: str | None = None

    def hash(self, password: str) -> str:
        """Return the hash to store.

        Raises:
            OverloadedError: too many are being worked on.
        """
        with self._slot():
            return self._hasher.hash(password)

    def verify(self, known: str | None, password: str) -> bool:
        """Say whether the password is the one; None for nobody's hash takes as long and is False.

        Raises:
            OverloadedError: too many are being worked on.
        """
        with self._slot():
            try:
                right = self._hasher.verify(known or self._somebodys(), password)
            except (Argon2Error, InvalidHashError):
                return False
            return right and known is not None

    def outdated(self, known: str) -> bool:
        """Say whether a stored hash was made with weaker settings than today's."""
        return self._hasher.check_needs_rehash(known)

    def _somebodys(self) -> str:
        with self._lock:
            if self._nobody is None:
                self._nobody = self._hasher.hash("nobody has this password")
            return self._nobody

    @contextmanager
    def _slot(self) -> Iterator[None]:
        if not self._queue.acquire(blocking=False):
            raise OverloadedError("too many logins at once", retry_after=2)
        try:
            with self._slots:
                yield
        finally:
            self._queue.release()
