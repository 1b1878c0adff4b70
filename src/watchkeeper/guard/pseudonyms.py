"""Stable names for what was masked: the same person keeps the same one within an installation, and none across two."""

from __future__ import annotations

import contextlib
import os
import secrets
from hashlib import blake2b
from pathlib import Path

from watchkeeper.kit.errors import ConfigError

__all__ = ["SALT_FILE", "Pseudonyms"]

_SALT_BYTES = 32
_NAME_BYTES = 8
_LETTERS = str.maketrans("0123456789abcdef", "abcdefghijklmnop")
SALT_FILE = "pseudonyms.salt"


class Pseudonyms:
    """`[MASKED:kind:name]`, where the name is a keyed hash of what was found (case and outer space aside).

    The name is of letters only, so that nothing takes it for a number. Who holds the salt can test a guess.
    """

    def __init__(self, salt: bytes) -> None:
        self._salt = salt

    @classmethod
    def of(cls, folder: Path | None) -> Pseudonyms:
        """Read the installation's salt from the folder, made at random the first time; no folder, no memory of it.

        Raises:
            ConfigError: the salt is there and cannot be used. A new one would part every person from their past.
        """
        if folder is None:
            return cls(secrets.token_bytes(_SALT_BYTES))
        path = folder / SALT_FILE
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            fresh = path.with_name(f"{path.name}.{os.getpid()}")
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(secrets.token_bytes(_SALT_BYTES))
                file.flush()
                os.fsync(file.fileno())
            # A link, unlike a rename, leaves what another process put there first: there is one salt.
            with contextlib.suppress(FileExistsError):
                os.link(fresh, path)
            fresh.unlink()
        salt = path.read_bytes()
        if len(salt) != _SALT_BYTES:
            raise ConfigError(
                f"{path} has {len(salt)} bytes, not {_SALT_BYTES}", hint="put it back from a copy of the data folder"
            )
        return cls(salt)

    def stamp(self, kind: str, found: str) -> str:
        """Return what stands in the place of what was found."""
        digest = blake2b(found.strip().casefold().encode("utf-8", "replace"), key=self._salt, digest_size=_NAME_BYTES)
        return f"[MASKED:{kind}:{digest.hexdigest().translate(_LETTERS)}]"
