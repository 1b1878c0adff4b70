"""`wrap(OpenAI())` and `wrap(AsyncOpenAI())`: the client keeps its type; its methods are traced in place."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from watchkeeper.sdk.wrappers.driver import Call, Operation, Place, fields_of_server, traced
from watchkeeper.sdk.wrappers.openai_core import (
    ChatFold,
    ResponsesFold,
    chat_request,
    chat_result,
    embedding_request,
    embedding_result,
    responses_request,
    responses_result,
)
from watchkeeper.sdk.wrappers.providers import provider_of

__all__ = ["wrap_openai"]

_MARK = "_watchkeeper_traced"
_RAW = "X-Stainless-Raw-Response"
_STREAM = Place(iterator="_iterator")


def _ask_usage(kwargs: dict[str, Any]) -> bool:
    """Ask for the chunk that tells the usage, where the caller has not said whether to."""
    options = kwargs.get("stream_options")
    told = options if isinstance(options, dict) else {}
    if kwargs.get("stream") is not True or "include_usage" in told:
        return False
    kwargs["stream_options"] = {**told, "include_usage": True}
    return True


def _is_usage(chunk: Any) -> bool:
    return not getattr(chunk, "choices", True) and getattr(chunk, "usage", None) is not None


_CHAT = Operation("chat", chat_request, chat_result, ChatFold, _ask_usage, _is_usage)
_RESPONSES = Operation("chat", responses_request, responses_result, ResponsesFold)
_EMBEDDINGS = Operation("embeddings", embedding_request, embedding_result)


def wrap_openai(client: Any, *, is_async: bool) -> None:
    """Trace the client's chat, responses and embeddings, and those of its copies; twice is once."""
    if getattr(client, _MARK, False):
        return
    setattr(client, _MARK, True)
    url = getattr(client, "base_url", None)
    host, port = getattr(url, "host", None), getattr(url, "port", None)
    server = fields_of_server(provider_of(host), host, port)
    for owner, names, operation in (
        (client.chat.completions, ("create", "parse"), _CHAT),
        (client.responses, ("create", "parse"), _RESPONSES),
        (client.embeddings, ("create",), _EMBEDDINGS),
    ):
        for name in names:
            original = getattr(owner, name, None)
            if original is not None:
                method = traced(original, Call(operation, server, _STREAM), is_async=is_async)
                setattr(owner, name, _unless_raw(original, method))
    for name in ("copy", "with_options"):
        setattr(client, name, _copying(getattr(client, name), is_async=is_async))


def _unless_raw(original: Callable[..., Any], method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def call(*args: Any, **kwargs: Any) -> Any:
        headers = kwargs.get("extra_headers")
        raw = isinstance(headers, dict) and _RAW in headers
        return (original if raw else method)(*args, **kwargs)

    return call


def _copying(original: Callable[..., Any], *, is_async: bool) -> Callable[..., Any]:
    @functools.wraps(original)
    def copy(*args: Any, **kwargs: Any) -> Any:
        made = original(*args, **kwargs)
        wrap_openai(made, is_async=is_async)
        return made

    return copy
