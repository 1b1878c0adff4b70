"""OpenAI's messages, input items and tools in the shapes of OTel's GenAI conventions: pure, and total.

Source of the shapes: the conventions' JSON schemas for `gen_ai.input.messages` and `gen_ai.tool.definitions`.
What has no counterpart is kept as it came.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["message", "messages", "response_items", "tool_call", "tools"]


def messages(told: Any) -> list[Any]:
    """Turn chat messages, dicts or the client's own objects, into OTel messages."""
    return [message(one) for one in told] if isinstance(told, list | tuple) else []


def message(told: Any) -> Any:
    """Turn one chat message."""
    role = _get(told, "role")
    if not isinstance(role, str):
        return told
    content = _get(told, "content")
    parts: list[Any]
    if role in {"tool", "function"}:
        parts = [{"type": "tool_call_response", "id": _get(told, "tool_call_id"), "response": content}]
    else:
        reasoning = _get(told, "reasoning_content")
        parts = [{"type": "reasoning", "content": reasoning}] if isinstance(reasoning, str) and reasoning else []
        parts += _parts(content)
        refusal = _get(told, "refusal")
        parts += [{"type": "text", "content": refusal}] if isinstance(refusal, str) and refusal else []
        for call in _get(told, "tool_calls") or ():
            inner = _get(call, "function")
            parts.append(tool_call(_get(call, "id"), _get(inner, "name"), _get(inner, "arguments")))
    found = {"role": role, "parts": parts}
    name = _get(told, "name")
    return {**found, "name": name} if isinstance(name, str) else found


def response_items(told: Any) -> list[Any]:
    """Turn the `input` of the Responses API, a text or a list of items, into OTel messages."""
    if isinstance(told, str):
        return [{"role": "user", "parts": [{"type": "text", "content": told}]}]
    return [_response_item(item) for item in told] if isinstance(told, list | tuple) else []


def tools(told: Iterable[Any]) -> list[Any]:
    """Flatten tool definitions: `function` is a nesting of the chat API alone."""
    return [
        {"type": "function", **inner}
        if isinstance(inner := one.get("function") if isinstance(one, Mapping) else None, Mapping)
        else one
        for one in told
    ]


def tool_call(call_id: Any, name: Any, arguments: Any) -> dict[str, Any]:
    """Write a tool call; arguments stay the text the model wrote."""
    return {"type": "tool_call", "id": call_id, "name": name, "arguments": arguments}


def _response_item(item: Any) -> Any:
    kind = _get(item, "type")
    if kind == "function_call_output":
        part = {"type": "tool_call_response", "id": _get(item, "call_id"), "response": _get(item, "output")}
        return {"role": "tool", "parts": [part]}
    if kind == "function_call":
        call = tool_call(_get(item, "call_id"), _get(item, "name"), _get(item, "arguments"))
        return {"role": "assistant", "parts": [call]}
    if kind == "reasoning":
        texts = [_get(one, "text") for one in _get(item, "summary") or ()]
        return {"role": "assistant", "parts": [{"type": "reasoning", "content": text} for text in texts]}
    if isinstance(_get(item, "role"), str):
        return message(item)
    return {"role": "user", "parts": [{"type": str(kind), "value": item}]}


def _parts(content: Any) -> list[Any]:
    if isinstance(content, str):
        return [{"type": "text", "content": content}] if content else []
    if isinstance(content, list | tuple):
        return [_part(one) for one in content]
    return [] if content is None else [{"type": "generic", "value": content}]


def _part(part: Any) -> Any:
    if isinstance(part, str):
        return {"type": "text", "content": part}
    kind = _get(part, "type")
    text = _get(part, "text") if kind in {"text", "input_text", "output_text"} else _get(part, "refusal")
    if isinstance(text, str):
        return {"type": "text", "content": text}
    if kind in {"image_url", "input_image"}:
        told = _get(part, "image_url")
        url = told if isinstance(told, str) or told is None else _get(told, "url")
        return _media("image", url, _get(part, "file_id")) or part
    if kind == "input_audio":
        told = _get(part, "input_audio")
        data, form = _get(told, "data"), _get(told, "format")
        return {"type": "blob", "modality": "audio", "mime_type": f"audio/{form}", "content": data}
    if kind in {"file", "input_file"}:
        told = _get(part, "file") or part
        return _media("file", _get(told, "file_data") or _get(told, "file_url"), _get(told, "file_id")) or part
    return part


def _media(modality: str, url: Any, file_id: Any) -> dict[str, Any] | None:
    if isinstance(url, str):
        head, comma, data = url.partition(",")
        if comma and head.startswith("data:") and head.endswith(";base64"):
            kind = head.removeprefix("data:").removesuffix(";base64")
            return {"type": "blob", "modality": modality, "mime_type": kind, "content": data}
        return {"type": "uri", "modality": modality, "uri": url}
    return {"type": "file", "modality": modality, "file_id": file_id} if isinstance(file_id, str) else None


def _get(thing: Any, name: str) -> Any:
    return thing.get(name) if isinstance(thing, Mapping) else getattr(thing, name, None)
