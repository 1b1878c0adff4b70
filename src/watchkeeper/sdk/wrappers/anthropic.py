"""`wrap(Anthropic())` and `wrap(AsyncAnthropic())`, and the clients for Bedrock, Vertex, Foundry and AWS."""

from __future__ import annotations

import logging
from typing import Any

from watchkeeper.sdk.wrappers.anthropic_core import MessagesFold, messages_request, messages_result
from watchkeeper.sdk.wrappers.driver import Call, Operation, server_fields
from watchkeeper.sdk.wrappers.providers import provider_of_client
from watchkeeper.sdk.wrappers.quiet import QuietProvider
from watchkeeper.sdk.wrappers.stainless import wrap_stainless

__all__ = ["wrap_anthropic"]

_log = logging.getLogger("watchkeeper")
_ITERATOR = "_iterator"
_MESSAGES = Operation("chat", messages_request, messages_result, MessagesFold)


def wrap_anthropic(client: Any, *, is_async: bool) -> None:
    """Trace the client's messages, those of its beta resources and of its copies; twice is once."""
    wrap_stainless(client, _paths, is_async=is_async)


def _paths(client: Any) -> dict[str, Call]:
    _keep_quiet(client)
    url = getattr(client, "base_url", None)
    host, port = getattr(url, "host", None), getattr(url, "port", None)
    server = server_fields(provider_of_client(client, host, "anthropic"), host, port)
    return {"/v1/messages": Call(_MESSAGES, server, _ITERATOR)}


def _keep_quiet(client: Any) -> None:
    """Let the client's own spans, which are on unless it is told otherwise, give way inside the calls we trace."""
    try:
        options = client.open_telemetry
        if isinstance(options.get("tracer_provider"), QuietProvider):
            return
        client._set_open_telemetry({**options, "tracer_provider": QuietProvider(options.get("tracer_provider"))})  # noqa: SLF001
    except Exception:  # a client from before it traced itself
        _log.debug("the client does not trace itself", exc_info=True)
