"""`wrap(OpenAI())` and `wrap(AsyncOpenAI())`, and Azure's and Bedrock's, which inherit them."""

from __future__ import annotations

from typing import Any

from watchkeeper.sdk.wrappers.driver import Call, Operation, server_fields
from watchkeeper.sdk.wrappers.openai_core import (
    ChatFold,
    chat_request,
    chat_result,
    embedding_request,
    embedding_result,
)
from watchkeeper.sdk.wrappers.openai_media import (
    CompletionFold,
    TranscriptFold,
    completion_result,
    image_request,
    media_result,
    prompt_request,
    speech_request,
    transcript_request,
)
from watchkeeper.sdk.wrappers.openai_responses import ResponsesFold, responses_request, responses_result
from watchkeeper.sdk.wrappers.providers import provider_of_client
from watchkeeper.sdk.wrappers.stainless import wrap_stainless

__all__ = ["wrap_openai"]

_ITERATOR = "_iterator"


def _ask_usage(given: dict[str, Any]) -> bool:
    """Ask for the chunk that tells the usage, where the caller has not said whether to."""
    options = given.get("stream_options")
    told = options if isinstance(options, dict) else {}
    if given.get("stream") is not True or "include_usage" in told:
        return False
    given["stream_options"] = {**told, "include_usage": True}
    return True


def _is_usage(chunk: Any) -> bool:
    return not getattr(chunk, "choices", True) and getattr(chunk, "usage", None) is not None


_IMAGES = Operation("generate_content", image_request, media_result, TranscriptFold)
_TRANSCRIPTS = Operation("generate_content", transcript_request, media_result, TranscriptFold)
_OPERATIONS = {
    "/chat/completions": Operation("chat", chat_request, chat_result, ChatFold, _ask_usage, _is_usage),
    "/responses": Operation("chat", responses_request, responses_result, ResponsesFold),
    "/embeddings": Operation("embeddings", embedding_request, embedding_result),
    "/completions": Operation(
        "text_completion", prompt_request, completion_result, CompletionFold, _ask_usage, _is_usage
    ),
    "/images/generations": _IMAGES,
    "/images/edits": _IMAGES,
    "/audio/transcriptions": _TRANSCRIPTS,
    "/audio/translations": _TRANSCRIPTS,
    "/audio/speech": Operation("generate_content", speech_request, media_result),
}


def wrap_openai(client: Any, *, is_async: bool) -> None:
    """Trace the client's calls, and those of its copies; twice is once."""
    wrap_stainless(client, _paths, is_async=is_async)


def _paths(client: Any) -> dict[str, Call]:
    url = getattr(client, "base_url", None)
    host, port = getattr(url, "host", None), getattr(url, "port", None)
    server = server_fields(provider_of_client(client, host, "openai"), host, port)
    return {path: Call(operation, server, _ITERATOR) for path, operation in _OPERATIONS.items()}
