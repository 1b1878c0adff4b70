"""Asking over HTTP with patience: polite retries, no redirect that would carry a key elsewhere, errors that say what to do."""

from __future__ import annotations

import http.client
import json
import random
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from watchkeeper.kit.errors import BodyTooLargeError, ConfigError, NotFoundError, RequestError, UpstreamError

__all__ = ["Client"]

_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_ATTEMPTS = 8
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 60.0
_TIMEOUT = 120.0
_SAID = 300
_GONE, _MISSING, _TOO_LARGE = 410, 404, 413


class Client:
    """A client of one server.

    Args:
        url: its address; paths are put behind it.
        headers: sent with each request.
        whose: what the server is called in errors.
        key_hint: how to mend a refused key.
        context: whom to trust, where the machine's own trust is not enough.
        attempts: how often a request is tried before it is an error.
        sleep: what waits between two attempts.
    """

    def __init__(
        self, url: str, headers: Mapping[str, str], *, whose: str, key_hint: str, context: ssl.SSLContext | None = None,
        attempts: int = _ATTEMPTS, sleep: Callable[[float], None] = time.sleep,
    ) -> None:  # fmt: skip
        if not url.startswith(("http://", "https://")):
            raise ConfigError(f"{url!r} is not the address of a server", hint="for example http://127.0.0.1:6006")
        self.url = url.rstrip("/")
        self._headers = {"User-Agent": "watchkeeper-import", "Accept": "application/json", **headers}
        self._whose, self._key_hint = whose, key_hint
        self._attempts, self._sleep = attempts, sleep
        handlers: list[urllib.request.BaseHandler] = [_NoRedirect()]
        if context is not None:
            handlers.append(urllib.request.HTTPSHandler(context=context))
        self._opener = urllib.request.build_opener(*handlers)

    def get(self, path: str, query: Mapping[str, Any] | None = None) -> Any:  # noqa: ANN401 - JSON is any shape
        """Ask for JSON; what is None in the query is left out, a list is repeated. Raises as `send` does."""
        told = {name: value for name, value in (query or {}).items() if value is not None}
        return self.send("GET", f"{path}?{urlencode(told, doseq=True)}" if told else path)

    def post(self, path: str, body: object) -> Any:  # noqa: ANN401 - JSON is any shape
        """Post JSON; raises as `send` does."""
        return self.send("POST", path, json.dumps(body).encode())

    def send(self, method: str, path: str, body: bytes | None = None) -> Any:  # noqa: ANN401 - JSON is any shape
        """Send a request with a JSON body, again where that may help, and return the JSON answer, None where it is empty.

        Raises:
            ConfigError: the key is refused.
            NotFoundError: there is no such thing there.
            BodyTooLargeError: it is larger than the server takes.
            RequestError: it was refused otherwise.
            UpstreamError: no sensible answer came, though asked often.
        """
        headers = self._headers if body is None else {**self._headers, "Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, body, headers, method=method)  # noqa: S310 - checked above
        pause = _FIRST_PAUSE
        for left in reversed(range(self._attempts)):
            try:
                with self._opener.open(request, timeout=_TIMEOUT) as answer:
                    text = answer.read()
                return json.loads(text) if text.strip() else None
            except urllib.error.HTTPError as error:
                with error:
                    if error.code not in _AGAIN or not left:
                        raise self._refusal(error, path) from None
                    wait = _retry_after(error.headers.get("Retry-After"))
            except ValueError:
                raise UpstreamError(
                    f"{self._whose} at {self.url} answered {path.partition('?')[0]} with what is not JSON",
                    hint="is this the address of its API?",
                ) from None
            except (OSError, http.client.HTTPException) as error:
                if not left:
                    raise UpstreamError(
                        f"no answer from {self._whose} at {self.url}: {getattr(error, 'reason', None) or error}",
                        hint="is it running, and is the address right? Run the same command again to go on from here",
                    ) from None
                wait = None
            # Spread out, so that several who were refused together do not come back together.
            self._sleep(wait if wait is not None else pause * random.uniform(0.5, 1))  # noqa: S311 - no secret
            pause = min(pause * 2, _LONGEST_PAUSE)
        raise AssertionError("the last attempt returns or raises")

    def _refusal(self, error: urllib.error.HTTPError, path: str) -> Exception:
        place, said = f"{self._whose} at {self.url}", _said(error)
        asked = f"{error.code} for {path.partition('?')[0]}"
        if error.code in {401, 403}:
            return ConfigError(f"{place} refused the key: {asked}: {said}", hint=self._key_hint)
        if error.code in {_MISSING, _GONE}:
            return NotFoundError(f"{place} answered {asked}: {said}")
        if error.code == _TOO_LARGE:
            return BodyTooLargeError(f"{place} answered {asked}: {said}")
        if error.code in range(300, 400):
            elsewhere = error.headers.get("Location", "elsewhere")
            return ConfigError(f"{place} sends on to {elsewhere}", hint="name the address that it really has")
        if error.code in _AGAIN:
            return UpstreamError(
                f"{place} answered {asked}, {self._attempts} times: {said}",
                hint="run the same command again later: it goes on from here",
            )
        return RequestError(f"{place} answered {asked}: {said}")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would take the key to wherever it points."""

    def redirect_request(self, *_: object, **__: object) -> None:
        """Follow none."""


def _said(error: urllib.error.HTTPError) -> str:
    try:
        text = error.read(4_000).decode(errors="replace")
    except (OSError, http.client.HTTPException):
        return "nothing"
    try:
        told = json.loads(text)
        told = told.get("error", told) if isinstance(told, dict) else told
        told = (told.get("message") or told.get("detail") or told) if isinstance(told, dict) else told
        text = told if isinstance(told, str) else json.dumps(told)
    except ValueError:
        pass
    return " ".join(text.split())[:_SAID] or "nothing"


def _retry_after(told: str | None) -> float | None:
    try:
        return min(max(float(told or ""), 0.0), _LONGEST_PAUSE)
    except ValueError:
        return None
