"""Anthropic's messages, blocks, system prompts and tools in the shapes of OTel's GenAI conventions: pure, and total.

What has no counterpart is kept as it came.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from watchkeeper.sdk.wrappers.fold import field

__all__ = ["block", "messages", "system_parts", "tools"]


def messages(told: Iterable[Any]) -> list[Any]:
    """Turn request messages, dicts or the client's own objects, into OTel messages."""
    return [_message(one) for one in told]


def system_parts(told: Any) -> list[Any]:
    """Turn a system prompt, a text or text blocks, into parts."""
    return _parts(told)


def tools(told: Iterable[Any]) -> list[Any]:
    """Turn tool definitions: a client tool has a schema; the provider's own tools are kept as they are."""
    return [_tool(one) for one in told]


def block(told: Any) -> Any:
    """Turn one content block of a request or an answer."""
    kind = field(told, "type")
    if not isinstance(kind, str):
        return {"type": "text", "content": told} if isinstance(told, str) else told
    read = _BLOCKS.get(kind)
    if read is not None:
        return read(told) or told
    if kind.endswith("_tool_result"):
        return _result(told, "server_tool_call_response")
    return told


def _message(told: Any) -> Any:
    role = field(told, "role")
    if not isinstance(role, str):
        return told
    parts = _parts(field(told, "content"))
    results = [isinstance(part, dict) and part.get("type") == "tool_call_response" for part in parts]
    return {"role": "tool" if results and all(results) else role, "parts": parts}


def _parts(content: Any) -> list[Any]:
    if isinstance(content, str):
        return [{"type": "text", "content": content}] if content else []
    return [block(one) for one in content] if isinstance(content, list | tuple) else []


def _tool(told: Any) -> Any:
    schema = field(told, "input_schema")
    if schema is None:
        return told
    found = {"name": field(told, "name"), "description": field(told, "description"), "parameters": schema}
    return {"type": "function", **{name: value for name, value in found.items() if value is not None}}


def _text(told: Any) -> dict[str, Any] | None:
    text = field(told, "text")
    return {"type": "text", "content": text} if isinstance(text, str) else None


def _thinking(told: Any) -> dict[str, Any]:
    return {"type": "reasoning", "content": field(told, "thinking") or ""}


def _redacted(_: Any) -> dict[str, Any]:
    return {"type": "reasoning", "content": "[redacted]"}


def _call(told: Any) -> dict[str, Any]:
    kind = "tool_call" if field(told, "type") == "tool_use" else "server_tool_call"
    return {"type": kind, "id": field(told, "id"), "name": field(told, "name"), "arguments": field(told, "input")}


def _tool_result(told: Any) -> dict[str, Any]:
    return _result(told, "tool_call_response")


def _result(told: Any, kind: str) -> dict[str, Any]:
    content = field(told, "content")
    if isinstance(content, list | tuple):
        parts = [block(one) for one in content]
        texts = [part["content"] for part in parts if isinstance(part, dict) and part.get("type") == "text"]
        content = "".join(texts) if len(texts) == len(parts) else parts
    found = {"type": kind, "id": field(told, "tool_use_id"), "response": "" if content is None else content}
    return {**found, "is_error": True} if field(told, "is_error") is True else found


def _media(told: Any) -> dict[str, Any] | None:
    source, modality = field(told, "source"), "image" if field(told, "type") == "image" else "file"
    url, file_id, data = field(source, "url"), field(source, "file_id"), field(source, "data")
    if isinstance(url, str):
        return {"type": "uri", "modality": modality, "uri": url}
    if isinstance(file_id, str):
        return {"type": "file", "modality": modality, "file_id": file_id}
    kind = field(source, "media_type")
    if field(source, "type") == "text" and isinstance(data, str):
        return {"type": "text", "content": data}
    return {"type": "blob", "modality": modality, "mime_type": kind, "content": data} if isinstance(data, str) else None


_BLOCKS: dict[str, Callable[[Any], dict[str, Any] | None]] = {
    "text": _text,
    "thinking": _thinking,
    "redacted_thinking": _redacted,
    "tool_use": _call,
    "server_tool_use": _call,
    "mcp_tool_use": _call,
    "tool_result": _tool_result,
    "image": _media,
    "document": _media,
}
