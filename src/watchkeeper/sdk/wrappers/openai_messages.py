"""OpenAI's messages, items and tools, and Mistral's like them, in the shapes of OTel's GenAI conventions: pure, and total.

Source of the shapes: the conventions' JSON schemas for `gen_ai.input.messages` and `gen_ai.tool.definitions`.
What has no counterpart is kept as it came.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from watchkeeper.sdk.wrappers.fold import field

__all__ = ["content_pieces", "media", "message", "messages", "response_items", "tool_call", "tools"]


_FILES = ("file_data", "file_url", "document_url")


def messages(told: Any) -> list[Any]:
    """Turn chat messages, dicts or the client's own objects, into OTel messages."""
    return [message(one) for one in told] if isinstance(told, list | tuple) else []


def message(told: Any) -> Any:
    """Turn one chat message."""
    role = field(told, "role")
    if not isinstance(role, str):
        return told
    content = field(told, "content")
    parts: list[Any]
    if role in {"tool", "function"}:
        parts = [
            {"type": "tool_call_response", "id": field(told, "tool_call_id") or None, "response": _response(content)}
        ]
    else:
        reasoning = field(told, "reasoning_content")
        parts = [{"type": "reasoning", "content": reasoning}] if isinstance(reasoning, str) and reasoning else []
        parts += _parts(content)
        refusal = field(told, "refusal")
        parts += [{"type": "text", "content": refusal}] if isinstance(refusal, str) and refusal else []
        spoken = field(field(told, "audio"), "transcript")
        parts += [{"type": "text", "content": spoken}] if isinstance(spoken, str) and spoken else []
        for call in field(told, "tool_calls") or ():
            inner = field(call, "function")
            parts.append(tool_call(field(call, "id"), field(inner, "name"), field(inner, "arguments")))
    found = {"role": role, "parts": parts}
    name = field(told, "name")
    return {**found, "name": name} if isinstance(name, str) else found


def response_items(told: Any) -> list[Any]:
    """Turn the `input` of the Responses API, a text or a list of items, into OTel messages."""
    if isinstance(told, str):
        return [{"role": "user", "parts": [{"type": "text", "content": told}]}]
    return [_response_item(item) for item in told] if isinstance(told, list | tuple) else []


def tools(told: Iterable[Any]) -> list[Any]:
    """Flatten tool definitions: `function` is a nesting of the chat API alone."""
    return [_tool(one) for one in told]


def tool_call(call_id: Any, name: Any, arguments: Any) -> dict[str, Any]:
    """Write a tool call; arguments stay the text the model wrote."""
    return {"type": "tool_call", "id": call_id, "name": name, "arguments": arguments}


def content_pieces(content: Any) -> Iterator[tuple[str, str]]:
    """Give the kind ("text", "reasoning") and the text of each chunk of a content that is a list of chunks."""
    for chunk in content if isinstance(content, list | tuple) else ():
        part = _part(chunk)
        if (
            isinstance(part, dict)
            and isinstance(part.get("content"), str)
            and part.get("type") in {"text", "reasoning"}
        ):
            yield part["type"], part["content"]


def _tool(told: Any) -> Any:
    inner = field(told, "function")
    if isinstance(inner, Mapping):
        return {"type": "function", **inner}
    if not isinstance(field(inner, "name"), str):
        return told
    found = {name: field(inner, name) for name in ("name", "description", "parameters")}
    return {"type": "function", **{name: value for name, value in found.items() if value}}


def _response_item(item: Any) -> Any:
    kind = field(item, "type")
    if kind == "function_call_output":
        part = {"type": "tool_call_response", "id": field(item, "call_id"), "response": field(item, "output")}
        return {"role": "tool", "parts": [part]}
    if kind == "function_call":
        call = tool_call(field(item, "call_id"), field(item, "name"), field(item, "arguments"))
        return {"role": "assistant", "parts": [call]}
    if kind == "reasoning":
        texts = [field(one, "text") for one in field(item, "summary") or ()]
        return {"role": "assistant", "parts": [{"type": "reasoning", "content": text} for text in texts]}
    if isinstance(field(item, "role"), str):
        return message(item)
    return {"role": "user", "parts": [{"type": str(kind), "value": item}]}


def _parts(content: Any) -> list[Any]:
    if isinstance(content, str):
        return [{"type": "text", "content": content}] if content else []
    if isinstance(content, list | tuple):
        return [_part(one) for one in content]
    return [{"type": "generic", "value": content}] if content else []


def _response(content: Any) -> Any:
    """A tool's answer: its text where it is all text, else what it is."""
    if isinstance(content, str) or not isinstance(content, list | tuple):
        return content or ""
    parts = _parts(content)
    texts = [part["content"] for part in parts if isinstance(part, dict) and part.get("type") == "text"]
    return "".join(texts) if len(texts) == len(parts) else parts


def _part(part: Any) -> Any:
    if isinstance(part, str):
        return {"type": "text", "content": part}
    kind = field(part, "type")
    read = _PARTS.get(kind) if isinstance(kind, str) else None
    return (read(part) if read is not None else None) or part


def _text(part: Any) -> dict[str, Any] | None:
    text = field(part, "text") or field(part, "refusal")
    return {"type": "text", "content": text} if isinstance(text, str) else None


def _thinking(part: Any) -> dict[str, Any]:
    told = field(part, "thinking")
    texts = [told] if isinstance(told, str) else [field(one, "text") for one in told or ()]
    return {"type": "reasoning", "content": "".join(text for text in texts if isinstance(text, str))}


def _image(part: Any) -> dict[str, Any] | None:
    told = field(part, "image_url")
    url = told if isinstance(told, str) or told is None else field(told, "url")
    return media("image", url, field(part, "file_id"))


def _audio(part: Any) -> dict[str, Any] | None:
    told = field(part, "input_audio")
    if not isinstance(told, str):
        data, form = field(told, "data"), field(told, "format")
        return {"type": "blob", "modality": "audio", "mime_type": f"audio/{form}", "content": data}
    # Mistral's: the data itself, or where it is.
    return media("audio", told, None) if ":" in told else {"type": "blob", "modality": "audio", "content": told}


def _file(part: Any) -> dict[str, Any] | None:
    told = field(part, "file") or part
    url = next((found for name in _FILES if (found := field(told, name))), None)
    return media("file", url, field(told, "file_id"))


_PARTS: dict[str, Callable[[Any], dict[str, Any] | None]] = {
    "text": _text,
    "input_text": _text,
    "output_text": _text,
    "refusal": _text,
    "thinking": _thinking,
    "image_url": _image,
    "input_image": _image,
    "input_audio": _audio,
    "file": _file,
    "input_file": _file,
    "document_url": _file,
}


def media(modality: str, url: Any, file_id: Any) -> dict[str, Any] | None:
    """Write a picture, a sound or a file by its data or its address; None where it has neither."""
    if isinstance(url, str):
        head, comma, data = url.partition(",")
        if comma and head.startswith("data:") and head.endswith(";base64"):
            kind = head.removeprefix("data:").removesuffix(";base64")
            return {"type": "blob", "modality": modality, "mime_type": kind, "content": data}
        return {"type": "uri", "modality": modality, "uri": url}
    return {"type": "file", "modality": modality, "file_id": file_id} if isinstance(file_id, str) else None
