"""The clients of OpenAI and Anthropic, which are made by one generator: every call of theirs goes through `client.post`.

Tracing there covers what their many methods have in common: create, parse, the stream helpers, beta resources,
raw and streamed responses; and no part of the client is imported that the app has not used.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

from watchkeeper.sdk.wrappers.driver import Call, Run, drive, drive_async
from watchkeeper.sdk.wrappers.stainless_raw import RawRun

__all__ = ["wrap_stainless"]

_MARK = "_watchkeeper_traced"
_RAW = "X-Stainless-Raw-Response"

Paths = Mapping[str, Call]
"""The paths of the API that are traced, as the client writes them, without a query."""


def wrap_stainless(client: Any, paths: Callable[[Any], Paths], *, is_async: bool) -> bool:
    """Trace a client and its copies; False where it is traced already.

    Args:
        client: the client.
        paths: gives the traced paths of a client; called for the client and for each copy.
        is_async: whether its methods are coroutines.
    """
    if getattr(client, _MARK, False):
        return False
    setattr(client, _MARK, True)
    original = client.post
    client.post = (_async_post if is_async else _post)(original, paths(client))
    _hand_on(client, client, original)
    for name in ("copy", "with_options"):
        setattr(client, name, _copying(getattr(client, name), paths, is_async=is_async))
    return True


def _hand_on(client: Any, holder: Any, original: Any) -> None:
    """Give the traced method to the resources that the client has made before it was wrapped."""
    for value in list(vars(holder).values()):
        if getattr(value, "_post", None) == original:
            value._post = client.post  # noqa: SLF001 - where a resource keeps its client's method
            _hand_on(client, value, original)


def _copying(original: Callable[..., Any], paths: Callable[[Any], Paths], *, is_async: bool) -> Callable[..., Any]:
    @functools.wraps(original)
    def copy(*args: Any, **kwargs: Any) -> Any:
        made = original(*args, **kwargs)
        wrap_stainless(made, paths, is_async=is_async)
        return made

    return copy


def _post(original: Callable[..., Any], paths: Paths) -> Callable[..., Any]:
    @functools.wraps(original)
    def post(path: str, **kwargs: Any) -> Any:
        run = _begin(paths, path, kwargs)
        return original(path, **kwargs) if run is None else drive(run, original, (path,), kwargs)

    return post


def _async_post(original: Callable[..., Any], paths: Paths) -> Callable[..., Any]:
    @functools.wraps(original)
    async def post(path: str, **kwargs: Any) -> Any:
        run = _begin(paths, path, kwargs)
        if run is None:
            return await original(path, **kwargs)
        return await drive_async(run, original, (path,), kwargs)

    return post


def _begin(paths: Paths, path: str, kwargs: dict[str, Any]) -> Run | None:
    call = paths.get(path.partition("?")[0])
    body = kwargs.get("body")
    if call is None or not isinstance(body, Mapping):
        return None
    options = kwargs.get("options") or {}
    more, headers = options.get("extra_json"), options.get("headers")
    given = {**body, **more} if isinstance(more, Mapping) else dict(body)  # as the client will merge `extra_body`
    if isinstance(headers, Mapping) and _RAW in headers:
        return RawRun(call.begin(given, may_ask=False))
    run = call.begin(given)
    if run.asked:
        kwargs["body"] = given
    return run
