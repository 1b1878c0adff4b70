"""The canonical conversation: messages made of parts, whatever dialect they came in."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec

__all__ = [
    "Content", "Document", "MediaPart", "Message", "OtherPart", "Part", "ReasoningPart", "TextPart",
    "ToolCallPart", "ToolResultPart", "preview",
]  # fmt: skip


class TextPart(msgspec.Struct, frozen=True, tag="text", tag_field="type", gc=False):
    """Plain text."""

    text: str


class ReasoningPart(msgspec.Struct, frozen=True, tag="reasoning", tag_field="type", gc=False):
    """The model's reasoning, where the provider shows it."""

    text: str


class ToolCallPart(msgspec.Struct, frozen=True, tag="tool_call", tag_field="type", kw_only=True, gc=False):
    """The model asks for a tool. `arguments` is parsed JSON where it parses, else the text."""

    id: str | None = None
    name: str = ""
    arguments: Any = None


class ToolResultPart(msgspec.Struct, frozen=True, tag="tool_result", tag_field="type", kw_only=True, gc=False):
    """What the tool answered."""

    id: str | None = None
    result: Any = None


class MediaPart(msgspec.Struct, frozen=True, tag="media", tag_field="type", kw_only=True, gc=False):
    """Image, audio, video or file: by `uri`, by provider `file_id`, or inline base64 `data`."""

    modality: str = "file"
    mime_type: str | None = None
    uri: str | None = None
    file_id: str | None = None
    data: str | None = None


class OtherPart(msgspec.Struct, frozen=True, tag="other", tag_field="type", kw_only=True, gc=False):
    """A part we keep but do not read; `kind` is its own name for itself."""

    kind: str = ""
    value: Any = None


Part: TypeAlias = TextPart | ReasoningPart | ToolCallPart | ToolResultPart | MediaPart | OtherPart

Role: TypeAlias = Literal["system", "developer", "user", "assistant", "tool"]


class Message(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One turn. `role` is system, developer, user, assistant or tool; unknown roles are kept as they came."""

    role: str
    parts: tuple[Part, ...] = ()
    name: str | None = None
    finish_reason: str | None = None


class Document(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A retrieved document."""

    id: str | None = None
    content: str | None = None
    score: float | None = None
    metadata: dict[str, Any] | None = None


class Content(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A span's input or output: a conversation, documents, or a plain value (`text`, as it came)."""

    messages: tuple[Message, ...] = ()
    documents: tuple[Document, ...] = ()
    text: str | None = None
    mime_type: str | None = None

    def __bool__(self) -> bool:
        """Say whether there is anything in it."""
        return bool(self.messages or self.documents or self.text)


def preview(content: Content | None, limit: int = 240) -> str:
    """Return one line that stands for the content in a list: the last message's text, or what there is."""
    if content is None:
        return ""
    if content.messages:
        parts = content.messages[-1].parts
        if len(parts) == 1 and type(parts[0]) is TextPart:
            text = parts[0].text
        else:
            text = " ".join(piece for piece in (_part_text(part)[: limit * 4] for part in parts) if piece)
    elif content.documents:
        text = " · ".join(document.content or document.id or "" for document in content.documents)
    else:
        text = content.text or ""
    head = text[:limit]
    # Most texts begin as one line with nothing to join.
    if len(head) == limit and head[0] != " " != head[-1] and "  " not in head and head.isprintable():
        return head
    line = " ".join(text[: limit + limit // 2].split())
    return (line if len(line) >= limit else " ".join(text[: limit * 4].split()))[:limit]


def _part_text(part: Part) -> str:
    if isinstance(part, (TextPart, ReasoningPart)):
        return part.text
    if isinstance(part, ToolCallPart):
        return f"{part.name}({_compact(part.arguments)})"
    if isinstance(part, ToolResultPart):
        return _compact(part.result)
    return f"[{part.modality}]" if isinstance(part, MediaPart) else f"[{part.kind}]"


def _compact(value: object) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else msgspec.json.encode(value).decode()
