"""HTTPS and gRPC over TLS, with the operator's own certificate."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc

from watchkeeper.kit.errors import ConfigError
from watchkeeper.kit.settings import ServerSettings

__all__ = ["Tls"]


@dataclass(frozen=True, slots=True)
class Tls:
    """PEM files of a certificate chain and its key. Read at the start: a renewed certificate needs a restart."""

    cert: Path
    key: Path

    @classmethod
    def of(cls, settings: ServerSettings) -> Tls | None:
        """Return what the settings name, None where they name nothing.

        Raises:
            ConfigError: one of the two is missing, unreadable, or they do not belong together.
        """
        cert, key = settings.tls_cert, settings.tls_key
        if cert is None and key is None:
            return None
        if cert is None or key is None:
            raise ConfigError(
                "TLS needs WATCHKEEPER_TLS_CERT and WATCHKEEPER_TLS_KEY", hint="set both, or neither for plain HTTP"
            )
        for path in (cert, key):
            try:
                path.read_bytes()
            except OSError as error:
                raise ConfigError(
                    f"the TLS file {path} cannot be read: {error.strerror}", hint="name a PEM file the server may read"
                ) from None
        try:
            # An empty password, so that an encrypted key is refused instead of asked for on a terminal.
            ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(cert, key, password="")
        except (ssl.SSLError, ValueError) as error:
            raise ConfigError(
                f"{cert} and {key} are no certificate and its key: {error}",
                hint="PEM files, the chain beginning with the server's own certificate, the key without a password",
            ) from None
        return cls(cert, key)

    def for_uvicorn(self) -> dict[str, Any]:
        """Return uvicorn's arguments."""
        return {"ssl_certfile": str(self.cert), "ssl_keyfile": str(self.key)}

    def for_grpc(self) -> grpc.ServerCredentials:
        """Return gRPC's credentials."""
        return grpc.ssl_server_credentials([(self.key.read_bytes(), self.cert.read_bytes())])
