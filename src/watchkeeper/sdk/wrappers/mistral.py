"""`wrap(Mistral())`: chat, agents, fill-in-the-middle and embeddings, sync and async."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from watchkeeper.sdk.wrappers.driver import Call, Operation, server_fields, traced
from watchkeeper.sdk.wrappers.mistral_core import (
    CompletionFold,
    completion_request,
    completion_result,
    embed_request,
    embed_result,
    fim_request,
)
from watchkeeper.sdk.wrappers.providers import provider_of
from watchkeeper.sdk.wrappers.quiet import inside_traced_call

__all__ = ["wrap_mistral"]

_log = logging.getLogger("watchkeeper")
_MARK = "_watchkeeper_traced"
_ITERATOR = "generator"

_CHAT = Operation("chat", completion_request, completion_result)
_CHAT_STREAM = Operation("chat", functools.partial(completion_request, stream=True), completion_result, CompletionFold)
_FIM = Operation("text_completion", fim_request, completion_result)
_FIM_STREAM = Operation(
    "text_completion", functools.partial(fim_request, stream=True), completion_result, CompletionFold
)
_EMBEDDINGS = Operation("embeddings", embed_request, embed_result)

_METHODS = (
    ("chat", {"complete": _CHAT, "stream": _CHAT_STREAM}),
    ("agents", {"complete": _CHAT, "stream": _CHAT_STREAM}),
    ("fim", {"complete": _FIM, "stream": _FIM_STREAM}),
    ("embeddings", {"create": _EMBEDDINGS}),
)
"""`parse` and `parse_stream` are not among them: they call the others."""


def wrap_mistral(client: Any) -> None:
    """Trace a Mistral client, or Azure's or Google's, which have fewer of the methods; twice is once."""
    if getattr(client, _MARK, False):
        return
    setattr(client, _MARK, True)
    host, port = _server(client)
    server = server_fields(provider_of(host, "mistral_ai"), host, port)
    for part, methods in _METHODS:
        owner = getattr(client, part, None)
        for name, operation in methods.items():
            for full in (name, f"{name}_async"):
                original = getattr(owner, full, None)
                if original is not None:
                    call = Call(operation, server, _ITERATOR)
                    setattr(owner, full, traced(original, call, is_async=full != name))
    _still(client)


def _server(client: Any) -> tuple[str | None, int | None]:
    try:
        address, variables = client.sdk_configuration.get_server_details()
        parts = urlsplit(address.format(**variables))
    except Exception:
        _log.debug("the client does not say where it calls", exc_info=True)
        return None, None
    return parts.hostname, parts.port


def _still(client: Any) -> None:
    """Keep the client's own tracing hook from tracing what we trace; it is off unless the app switched it on."""
    hooks = getattr(getattr(client, "sdk_configuration", None), "_hooks", None)
    for hook in getattr(hooks, "before_request_hooks", ()):
        if type(hook).__name__ == "TracingHook":
            hook.before_request = _unless_traced(hook.before_request)


def _unless_traced(before_request: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(before_request)
    def hooked(context: Any, request: Any) -> Any:
        return request if inside_traced_call() else before_request(context, request)

    return hooked
