"""Calls that give the HTTP response itself (`with_raw_response`, `with_streaming_response`), traced as far as they are read."""

from __future__ import annotations

import functools
import inspect
import weakref
from collections.abc import Callable
from typing import Any

import msgspec

from watchkeeper.sdk.wrappers.driver import Run, on_close

__all__ = ["RawRun"]


class RawRun(Run):
    """A call whose answer is a response: described once its body has been read, ended at the latest when it is closed."""

    __slots__ = ("_ended", "_reading", "_watched")

    def __init__(self, run: Run) -> None:
        super().__init__(run.call, run.span, run.begun, asked=False)
        self._reading = self._watched = self._ended = False

    def finish(self, answer: Any) -> None:
        """Describe a body that is here, or wait until the caller reads it."""
        response = getattr(answer, "http_response", None)
        if response is None:
            super().finish(answer)
        elif response.is_closed:
            self._read(response)
        else:
            on_close(response, self._closed)
            weakref.finalize(response, self._end)
            response.read = self._reading_body(response.read, response)
            response.aread = self._reading_body_async(response.aread, response)
            if hasattr(answer, "parse"):
                answer.parse = self._parsing(answer.parse)

    def _closed(self) -> None:
        if not self._reading:
            self._end()

    def _end(self) -> None:
        if not (self._ended or self._watched):
            self._ended = True
            self.span.end()

    def _read(self, response: Any) -> None:
        if self._ended or self._watched:
            return
        self._ended = True
        try:
            body = msgspec.json.decode(response.content)
        except msgspec.DecodeError:  # sound, a picture, subtitles: nothing that could be described
            self.span.end()
        else:
            self.describe(body)

    def _reading_body(self, read: Callable[[], bytes], response: Any) -> Callable[[], bytes]:
        @functools.wraps(read)
        def reading() -> bytes:
            self._reading = True
            try:
                body = read()
            finally:
                self._reading = False
            self._read(response)
            return body

        return reading

    def _reading_body_async(self, read: Callable[[], Any], response: Any) -> Callable[[], Any]:
        @functools.wraps(read)
        async def reading() -> Any:
            self._reading = True
            try:
                body = await read()
            finally:
                self._reading = False
            self._read(response)
            return body

        return reading

    def _parsing(self, parse: Callable[..., Any]) -> Callable[..., Any]:
        if inspect.iscoroutinefunction(parse):

            @functools.wraps(parse)
            async def parsing_async(*args: Any, **kwargs: Any) -> Any:
                return self._parsed(await parse(*args, **kwargs))

            return parsing_async

        @functools.wraps(parse)
        def parsing(*args: Any, **kwargs: Any) -> Any:
            return self._parsed(parse(*args, **kwargs))

        return parsing

    def _parsed(self, answer: Any) -> Any:
        if not (self._ended or self._watched):
            self._watched = self.watch(answer)
        return answer
