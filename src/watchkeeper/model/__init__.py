"""Floor 1: the language every room speaks. Frozen types, no I/O."""

from __future__ import annotations

from watchkeeper.model.message import (
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
    preview,
)
from watchkeeper.model.raw import (
    Attributes,
    AttributeValue,
    RawEvent,
    RawLink,
    RawLog,
    RawSpan,
    Scope,
    masked_of,
    merge_raw,
)
from watchkeeper.model.score import Score, ScoreSource
from watchkeeper.model.span import KINDS, MODEL_KINDS, Span, SpanKind, Status
from watchkeeper.model.usage import Confidence, Cost, CostState, Usage

__all__ = [
    "KINDS",
    "MODEL_KINDS",
    "AttributeValue",
    "Attributes",
    "Confidence",
    "Content",
    "Cost",
    "CostState",
    "Document",
    "MediaPart",
    "Message",
    "OtherPart",
    "Part",
    "RawEvent",
    "RawLink",
    "RawLog",
    "RawSpan",
    "ReasoningPart",
    "Scope",
    "Score",
    "ScoreSource",
    "Span",
    "SpanKind",
    "Status",
    "TextPart",
    "ToolCallPart",
    "ToolResultPart",
    "Usage",
    "masked_of",
    "merge_raw",
    "preview",
]
