"""How verbs reach what they ask: over HTTP where a server holds the folder, else by opening the folder."""

from __future__ import annotations

import http.client
import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from watchkeeper.kit.errors import ConfigError, QueryComplexError, QueryRefusedError, RequestError, UpstreamError
from watchkeeper.kit.settings import SdkSettings, ServerSettings, read

if TYPE_CHECKING:
    from watchkeeper.store.factory import ControlStore

__all__ = ["Server", "control_of", "server_of"]

_TIMEOUT = 600
_KINDS = {one.code: one for one in (QueryRefusedError, QueryComplexError)}
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Server:
    """A server to ask, and what shows it who asks."""

    url: str
    headers: dict[str, str]
    cert: str | None = None
    """The one certificate to believe, whatever name it bears: that of the folder's own server."""

    def ask(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON is any shape
        """Ask `/api/v1` and return the JSON answer, None where it is empty.

        Raises:
            RequestError: the server refused, in its words.
            UpstreamError: it did not answer.
        """
        with self._open(method, path, body) as response:
            text = b"".join(self._pieces(response))
        return json.loads(text) if text else None

    def fetch(self, path: str) -> Iterator[bytes]:
        """Yield what a GET of `/api/v1` answers, in pieces; fails as `ask` does, also where the answer was cut short."""
        with self._open("GET", path, None) as response:
            yield from self._pieces(response)

    def _open(self, method: str, path: str, body: object) -> http.client.HTTPResponse:
        data = None if body is None else json.dumps(body).encode()
        target = f"{self.url.rstrip('/')}/api/v1{path}"
        headers = {"Content-Type": "application/json", **self.headers}
        request = urllib.request.Request(target, data, headers, method=method)  # noqa: S310 - the user's own server
        try:
            response: http.client.HTTPResponse = urllib.request.urlopen(  # noqa: S310 - the user's own server
                request, timeout=_TIMEOUT, context=self.trust()
            )
        except urllib.error.HTTPError as error:
            raise _refusal(error) from None
        except (OSError, http.client.HTTPException) as error:
            raise UpstreamError(f"no answer from {self.url}: {error}", hint="is the server running?") from None
        return response

    def _pieces(self, response: http.client.HTTPResponse) -> Iterator[bytes]:
        while True:
            try:
                chunk = response.read(_CHUNK)
            except (OSError, http.client.HTTPException) as error:
                raise UpstreamError(
                    f"the answer of {self.url} was cut short: {error}", hint="is the server running?"
                ) from None
            if not chunk:
                return
            yield chunk

    def trust(self) -> ssl.SSLContext | None:
        """Return whom to believe, None for whom the machine does."""
        if self.cert is None:
            return None
        context = ssl.create_default_context(cafile=self.cert)
        context.check_hostname = False
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # the certificate itself may be the anchor
        return context


def server_of(settings: ServerSettings, url: str | None, project: str | None = None) -> Server | None:
    """Return the named server, else the one that holds the folder, or None when none does.

    The named one is shown WATCHKEEPER_API_KEY; the folder's own the proof that its lockfile holds, which lets
    whoever may read the folder do anything.

    Raises:
        ConfigError: the url is no http or https address.
    """
    headers = {} if project is None else {"X-Watchkeeper-Project": project}
    if url is not None:
        if not url.startswith(("http://", "https://")):
            raise ConfigError(f"{url!r} is not a server's address", hint="for example http://127.0.0.1:7070")
        key = read(SdkSettings).api_key
        return Server(url, headers | ({"Authorization": f"Bearer {key}"} if key else {}))
    from watchkeeper.server.lockfile import announced

    found = announced(settings.folder())
    if found is None:
        return None
    return Server(found.url, headers | ({"X-Watchkeeper-Proof": found.proof} if found.proof else {}), found.cert)


@contextmanager
def control_of(settings: ServerSettings) -> Iterator[ControlStore]:
    """Open the control store of a folder that no server holds."""
    from watchkeeper.server.lockfile import FolderLock
    from watchkeeper.store.factory import open_control_store

    with FolderLock(settings.folder()):
        control = open_control_store(settings.folder())
        try:
            yield control
        finally:
            control.close()


def _refusal(error: urllib.error.HTTPError) -> RequestError | UpstreamError:
    try:
        problem = json.load(error)["error"]
    except (ValueError, KeyError, TypeError):
        return UpstreamError(f"the server answered {error.code}")
    kind = _KINDS.get(problem["code"], RequestError)
    return kind(problem["message"], hint=problem.get("hint"))
