"""What the Vercel AI SDK's spans say was given and answered, in its own shapes of messages."""

from __future__ import annotations

from typing import Any

from watchkeeper.ingest.messages import content_of
from watchkeeper.ingest.read import loads, number, plain, strings, text
from watchkeeper.model import (
    Attributes,
    AttributeValue,
    Content,
    Document,
    MediaPart,
    Message,
    OtherPart,
    Part,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)

__all__ = ["answer", "given", "ranking", "tools", "values"]


def given(found: Attributes) -> Content | None:
    """Read what a model was sent, or a tool, or what was to be embedded."""
    messages = _messages(loads(found.get("ai.prompt.messages")))
    if not messages and "ai.prompt" in found:
        prompt = loads(found["ai.prompt"])
        if not isinstance(prompt, dict):
            return content_of(plain(prompt))
        system = prompt.get("system")
        messages = _messages([{"role": "system", "content": system}] if isinstance(system, str) and system else system)
        asked = prompt.get("prompt")
        messages += _messages([{"role": "user", "content": asked}] if isinstance(asked, str) else asked)
        messages += _messages(prompt.get("messages"))
    if messages:
        return Content(messages=messages)
    return content_of(plain(found.get("ai.toolCall.args", found.get("ai.request.text")))) or values(found)


def values(found: Attributes) -> Content | None:
    """Read the texts to embed, or the documents to rank, one a line."""
    told = found.get("ai.value", found.get("ai.values", found.get("ai.documents")))
    if told is None:
        return None
    found_values = [loads(one) for one in (told if isinstance(told, list) else [told])]
    return content_of("\n".join(one if isinstance(one, str) else _text_of(one) for one in found_values))


def _text_of(value: object) -> str:
    """Return a value as text: JSON unless it is text."""
    found = content_of(value)
    return (found.text if found else None) or ""


def answer(found: Attributes, reason: str | None) -> Content | None:
    """Read what came back; `reason` is why the model stopped."""
    if "ai.toolCall.result" in found:
        return content_of(plain(found["ai.toolCall.result"]))
    parts: list[Part] = []
    if thought := text(found.get("ai.response.reasoning")):
        parts.append(ReasoningPart(thought))
    if said := text(found.get("ai.response.text")) or text(found.get("ai.response.object")):
        parts.append(TextPart(said))
    parts.extend(_part({**one, "type": "tool-call"}) for one in _dicts(found.get("ai.response.toolCalls")))
    parts.extend(_part({**one, "type": "file"}) for one in _dicts(found.get("ai.response.files")))
    if parts:
        return Content(messages=(Message(role="assistant", parts=tuple(parts), finish_reason=reason),))
    return ranking(found)


def _dicts(value: AttributeValue) -> list[dict[str, Any]]:
    listed = loads(value)
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []


def ranking(found: Attributes) -> Content | None:
    """Read the order that documents were put in, by their index."""
    ranked = [loads(one) for one in strings(found.get("ai.ranking"))]
    documents = tuple(
        Document(id=text(one.get("index")), score=number(one.get("relevanceScore", one.get("score"))))
        for one in ranked
        if isinstance(one, dict)
    )
    return Content(documents=documents) if documents else None


def tools(value: AttributeValue) -> tuple[Any, ...]:
    """Read the definitions of tools; what the SDK calls their `inputSchema` are elsewhere their `parameters`."""
    listed = loads(value)
    return tuple(_tool(loads(one)) for one in listed) if isinstance(listed, list) else ()


def _tool(told: Any) -> Any:  # noqa: ANN401 - any shape
    if not isinstance(told, dict) or "inputSchema" not in told or "parameters" in told:
        return plain(told)
    return plain({"parameters" if key == "inputSchema" else key: value for key, value in told.items()})


def _messages(told: object) -> tuple[Message, ...]:
    if not isinstance(told, list):
        return ()
    return tuple(_message(one) for one in told if isinstance(one, dict))


def _message(told: dict[str, Any]) -> Message:
    content = told.get("content")
    if isinstance(content, str):
        parts: tuple[Part, ...] = (TextPart(content),)
    else:
        parts = tuple(_part(one) for one in content if isinstance(one, dict)) if isinstance(content, list) else ()
    return Message(role=text(told.get("role")) or "user", parts=parts)


def _part(told: dict[str, Any]) -> Part:
    kind, said = told.get("type"), told.get("text")
    if kind == "text" and isinstance(said, str):
        return TextPart(said)
    if kind == "reasoning" and isinstance(said, str):
        return ReasoningPart(said)
    if kind == "tool-call":
        asked = told.get("input", told.get("args"))
        name = text(told.get("toolName")) or ""
        return ToolCallPart(id=text(told.get("toolCallId")), name=name, arguments=plain(loads(asked)))
    if kind == "tool-result":
        result = told.get("output", told.get("result"))
        if isinstance(result, dict) and "value" in result and "type" in result:
            result = result["value"]
        return ToolResultPart(id=text(told.get("toolCallId")), result=plain(loads(result)))
    if kind in {"file", "image"}:
        return _media(kind, told)
    return OtherPart(kind=text(kind) or "unknown", value=plain(told))


def _media(kind: str, told: dict[str, Any]) -> MediaPart:
    mime = text(told.get("mediaType")) or text(told.get("mimeType"))
    data = text(told.get("data")) or text(told.get("image")) or text(told.get("base64"))
    there = data is not None and data.startswith(("http://", "https://", "data:"))
    return MediaPart(
        modality=mime.partition("/")[0] if mime and "/" in mime else kind,
        mime_type=mime,
        uri=data if there else None,
        data=None if there else data,
    )
