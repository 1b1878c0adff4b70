"""Messages in the shapes dialects write them, to canonical messages. Total: odd shapes become `other` parts."""

from __future__ import annotations

from typing import Any

from watchkeeper.ingest.read import loads, plain, unpacked
from watchkeeper.model import (
    Content,
    MediaPart,
    Message,
    OtherPart,
    Part,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)

__all__ = ["arguments_of", "content_of", "messages_of", "part_of", "tool_call_of"]

_MORE = frozenset({"reasoning_content", "reasoning", "tool_calls", "tool_call_id", "name"})
"""What a message may have beside its role, its parts and its reason."""
_TEXT_ALONE = 2  # a part that has its type and its content
_MESSAGE = frozenset({"role", "parts", "content", "tool_calls", "finish_reason"})
"""Of which a mapping has one at least if it is a message at all, and no other thing."""
_ROLES = {"human": "user", "ai": "assistant", "model": "assistant", "function": "tool"}


def content_of(value: Any, mime_type: str | None = None) -> Content | None:  # noqa: ANN401 - any shape
    """Return a plain value as content: text as it came, anything else as JSON text."""
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return Content(text=value, mime_type=mime_type)
    import msgspec

    return Content(text=msgspec.json.encode(plain(value)).decode(), mime_type="application/json")


def arguments_of(value: Any) -> Content | None:  # noqa: ANN401 - any JSON
    """Return what a decorated function was given (`{"args": …, "kwargs": …}`): its one argument, or all by their names."""
    told = value
    if isinstance(told, dict) and told.keys() == {"args", "kwargs"}:
        args, named = told["args"], told["kwargs"]
        if not args:
            told = named
        elif not named:
            told = args[0] if isinstance(args, list) and len(args) == 1 else args
    return content_of(told)


def messages_of(value: Any, default_role: str) -> tuple[Message, ...]:  # noqa: ANN401 - any shape
    """Read a list of messages, OTel's (`parts`) or OpenAI's (`content`, `tool_calls`); JSON text is unpacked."""
    found = loads(value)
    if isinstance(found, dict):
        found = found.get("messages", [found] if found.keys() & _MESSAGE else [])
    if isinstance(found, str):
        return (Message(role=default_role, parts=(TextPart(found),)),) if found else ()
    if not isinstance(found, list):
        return ()
    return tuple(message for item in found if (message := _message(item, default_role)) is not None)


def _message(item: Any, default_role: str) -> Message | None:  # noqa: ANN401 - any shape
    if isinstance(item, str):
        item = loads(item)
        if isinstance(item, str):
            return Message(role=default_role, parts=(TextPart(item),))
    if not isinstance(item, dict):
        return None
    role = item.get("role")
    role = _ROLES.get(role, role) if isinstance(role, str) and role else default_role
    parts = _parts(item.get("parts", item.get("content")))
    if (
        role == "user"
        and parts
        and type(parts[0]) is ToolResultPart
        and all(isinstance(one, ToolResultPart) for one in parts)
    ):
        role = "tool"  # Anthropic's wire has no role for it, and Pydantic AI wrote it so up to version 5
    finish = item.get("finish_reason")
    finish = finish if isinstance(finish, str) and finish else None
    if _MORE.isdisjoint(item):
        return Message(role=role, parts=tuple(parts), finish_reason=finish)
    reason = item.get("reasoning_content") or item.get("reasoning")
    if isinstance(reason, str) and reason:
        parts.insert(0, ReasoningPart(reason))
    calls = loads(item["tool_calls"]) if "tool_calls" in item else None
    if isinstance(calls, list):
        parts = [part for part in parts if not (isinstance(part, TextPart) and not part.text)]
        parts.extend(tool_call_of(call) for call in calls if isinstance(call, dict))
    call_id = item.get("tool_call_id")
    if role == "tool" and isinstance(call_id, str) and not any(isinstance(part, ToolResultPart) for part in parts):
        texts = [part.text for part in parts if isinstance(part, TextPart)]
        parts = [ToolResultPart(id=call_id, result=loads("".join(texts)))]
    name = item.get("name")
    return Message(
        role=role,
        parts=tuple(parts),
        name=name if isinstance(name, str) and name else None,
        finish_reason=finish,
    )


def _parts(value: Any) -> list[Part]:  # noqa: ANN401 - any shape
    if isinstance(value, str):
        return [TextPart(value)] if value else []
    if isinstance(value, dict):
        return [part_of(value)]
    if not isinstance(value, list):
        return []
    return [TextPart(one) if isinstance(one, str) else part_of(one) for one in value if isinstance(one, str | dict)]


def tool_call_of(call: dict[str, Any]) -> ToolCallPart:
    """Read a tool call: OpenAI's nested `function`, or flat `id, name, arguments`."""
    return _tool_call(call, call.get("id"))


def _tool_call(call: dict[str, Any], call_id: object) -> ToolCallPart:
    inner = call.get("function")
    told = inner if isinstance(inner, dict) else call
    name = told.get("name")
    return ToolCallPart(
        id=call_id if isinstance(call_id, str) else None,
        name=name if isinstance(name, str) else "",
        arguments=unpacked(told.get("arguments", told.get("input"))),
    )


def part_of(item: dict[str, Any]) -> Part:
    """Read one part, whichever of the known shapes it has."""
    kind = item.get("type")
    if kind == "text" and isinstance(told := item.get("content"), str) and len(item) == _TEXT_ALONE:
        return TextPart(told)
    kind = kind if isinstance(kind, str) else ""
    text = item.get("text", item.get("content"))
    told = item.get("refusal", text)
    if kind in {"text", "input_text", "output_text", "refusal", ""} and isinstance(told, str):
        return TextPart(told)
    if kind in {"reasoning", "thinking"}:
        told = item.get("thinking", text)
        return ReasoningPart(told if isinstance(told, str) else "")
    if kind in {"tool_call", "tool_use", "function_call", "server_tool_call"}:
        return _tool_call(item, item.get("call_id", item.get("id")))
    if kind in {"tool_call_response", "tool_result", "function_call_output", "server_tool_call_response"}:
        answer = next((item[key] for key in ("response", "result", "output", "content") if key in item), None)
        call_id = item.get("id") or item.get("call_id") or item.get("tool_use_id")
        return ToolResultPart(id=call_id if isinstance(call_id, str) else None, result=unpacked(answer))
    media = _media(kind, item)
    return media if media is not None else OtherPart(kind=kind or "unknown", value=plain(item))


def _media(kind: str, item: dict[str, Any]) -> MediaPart | None:
    if kind in {"blob", "uri", "file"}:
        return MediaPart(
            modality=_text(item, "modality") or "file",
            mime_type=_text(item, "mime_type"),
            uri=_text(item, "uri"),
            file_id=_text(item, "file_id"),
            data=_text(item, "content"),
        )
    if kind in {"image_url", "image", "input_image"}:
        told = item.get("image_url", item.get("image"))
        if isinstance(told, dict):
            inner = told.get("image")
            told = told.get("url") or (inner.get("url") if isinstance(inner, dict) else None)
        return MediaPart(modality="image", uri=told if isinstance(told, str) else None)
    if kind in {"input_audio", "audio"}:
        told = item.get("input_audio", item.get("audio"))
        told = told if isinstance(told, dict) else {}
        return MediaPart(
            modality="audio", mime_type=_text(told, "format"), data=_text(told, "data"), uri=_text(told, "url")
        )
    return None


def _text(item: dict[str, Any], key: str) -> str | None:
    value = item.get(key)
    return value if isinstance(value, str) and value else None
