"""What a Mistral call says, where it differs from OpenAI's chat API: pure, like `openai_core`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from watchkeeper.model import semconv
from watchkeeper.sdk.wrappers.fold import SpanFields, field, written
from watchkeeper.sdk.wrappers.openai_core import (
    ChatFold,
    chat_request,
    chat_result,
    chat_usage,
    embedding_request,
    embedding_result,
)

__all__ = [
    "CompletionFold",
    "completion_request",
    "completion_result",
    "embed_request",
    "embed_result",
    "fim_request",
]


def completion_request(given: Mapping[str, Any], *, content: bool, stream: bool = False) -> SpanFields:
    """Describe a request to complete a chat, or of an agent; unset arguments are left out."""
    found = chat_request(given, content=content)
    found.update(_own_parameters(given))
    if stream:
        found["gen_ai.request.stream"] = True
    return found


def fim_request(given: Mapping[str, Any], *, content: bool, stream: bool = False) -> SpanFields:
    """Describe a request to fill in between a prompt and a suffix."""
    found = completion_request(given, content=content, stream=stream)
    texts = [text for name in ("prompt", "suffix") if isinstance(text := given.get(name), str)]
    if content and texts:
        found[semconv.INPUT_MESSAGES] = written(texts, _as_user)
    return found


def completion_result(answer: Any, *, content: bool) -> SpanFields:
    """Describe a ChatCompletionResponse."""
    found = chat_result(answer, content=content)
    found.update(_cached(getattr(answer, "usage", None)))
    return found


def embed_request(given: Mapping[str, Any], *, content: bool) -> SpanFields:
    """Describe a request for embeddings."""
    return {**embedding_request(given, content=content, key="inputs"), **_own_parameters(given)}


def embed_result(answer: Any, *, content: bool) -> SpanFields:
    """Describe an EmbeddingResponse: counts and sizes, not the vectors."""
    return embedding_result(answer, content=content)


class CompletionFold(ChatFold):
    """A Mistral stream: the same chunks, each inside an event; usage comes with the last one, unasked."""

    def add(self, chunk: Any) -> bool:
        """Take one event."""
        return super().add(getattr(chunk, "data", chunk))

    def usage(self, told: Any) -> SpanFields:
        """Read the token counts."""
        return {**chat_usage(told), **_cached(told)}


def _as_user(texts: list[str]) -> list[Any]:
    return [{"role": "user", "parts": [{"type": "text", "content": text} for text in texts]}]


def _own_parameters(given: Mapping[str, Any]) -> SpanFields:
    found: SpanFields = {}
    seed, top_k, agent, address = (given.get(name) for name in ("random_seed", "top_k", "agent_id", "server_url"))
    if isinstance(seed, int):
        found["gen_ai.request.seed"] = seed
    if isinstance(top_k, int):
        found["gen_ai.request.top_k"] = top_k
    if isinstance(agent, str):
        found["gen_ai.agent.id"] = agent
    if isinstance(address, str):  # a call may go elsewhere than its client
        parts = urlsplit(address)
        told = {semconv.SERVER_ADDRESS: parts.hostname, semconv.SERVER_PORT: parts.port}
        found.update({key: value for key, value in told.items() if value})
    return found


def _cached(usage: Any) -> SpanFields:
    """Read the cached tokens where the API writes them flat; `prompt_tokens` holds them already."""
    told = field(usage, "num_cached_tokens")
    return {semconv.USAGE_CACHE_READ: told} if isinstance(told, int) else {}
