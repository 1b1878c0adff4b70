"""OpenLIT: what its spans say beside `gen_ai.*`, which are read as OpenTelemetry's own."""

from __future__ import annotations

from watchkeeper.ingest.draft import Draft
from watchkeeper.ingest.messages import content_of, messages_of
from watchkeeper.ingest.read import number, plain, text
from watchkeeper.model import Attributes, Content, Cost, RawSpan, SpanKind, semconv

__all__ = ["OpenLit"]

_KINDS: dict[str, SpanKind] = {
    "image": "llm", "audio": "llm", "video": "llm", "speech_to_text": "llm", "text_to_speech": "llm",
    "translate": "llm", "transliterate": "llm", "language_identification": "llm", "speech_to_text_translate": "llm",
    "conversation": "llm", "realtime": "llm", "model_request": "llm", "moderation": "guardrail",
    "execute_task": "workflow", "mcp_tool_call": "tool",
}  # fmt: skip
"""Its own operations; the rest are OpenTelemetry's."""
_QUERIES = frozenset({"SELECT", "GET", "QUERY", "SEARCH"})
_FIRST_TOKEN = "gen_ai.server.time_to_first_token"  # noqa: S105 - an attribute's name
_DATABASE = "db.operation.name"
_NS, _LONGEST, _DEAREST = 1_000_000_000, 1e6, 1e9


class OpenLit:
    """`gen_ai.usage.cost`, the time to the first token, vector databases, and functions under `openlit.trace`."""

    name = "openlit"
    heads = frozenset({"gen_ai", "function", "db"})

    def speaks(self, raw: RawSpan) -> bool:
        """Say whether one of OpenLIT's tracers made the span."""
        return raw.scope.name.startswith("openlit")

    def read(self, raw: RawSpan) -> Draft:
        """Read what OpenLIT adds."""
        found = raw.attributes
        if "function.args" in found:
            return Draft(input=_arguments(found), output=_returned(found))
        if _DATABASE in found:
            return _database(found)
        return Draft(
            kind=_KINDS.get(text(found.get(semconv.OPERATION)) or ""),
            cost=_cost(found),
            time_to_first_token_ns=_first_token(found),
        )


def _arguments(found: Attributes) -> Content | None:
    """Return what the function was called with; they are texts of Python's own, not JSON."""
    told = (text(found.get("function.args")), text(found.get("function.kwargs")))
    return content_of(" ".join(one for one in told if one and one not in {"()", "{}"}))


def _returned(found: Attributes) -> Content | None:
    """Return what the function returned where it is no message, for example a mapping."""
    value = found.get(semconv.OUTPUT_MESSAGES)
    return None if messages_of(value, "assistant") else content_of(plain(value))


def _database(found: Attributes) -> Draft:
    searched = (text(found.get(_DATABASE)) or "").upper() in _QUERIES
    return Draft(
        kind="retriever" if searched else "span",
        provider=text(found.get("db.system.name")) or text(found.get("db.system")),
        input=content_of(plain(found.get("db.query.text"))),
    )


def _cost(found: Attributes) -> Cost | None:
    """Return OpenLIT's price in US dollars; 0 is what it says of a model that its list lacks."""
    cost = number(found.get("gen_ai.usage.cost"))
    if cost is None or not 0 < cost < _DEAREST:
        return None
    nano = round(cost * _NS)
    return Cost(state="provided", nano=nano, nano_usd=nano, source="the emitter (gen_ai.usage.cost)")


def _first_token(found: Attributes) -> int | None:
    # Of a call that was not streamed it is the whole time that the call took.
    seconds = number(found.get(_FIRST_TOKEN)) if found.get("gen_ai.request.stream") is True else None
    return round(seconds * _NS) if seconds is not None and 0 <= seconds < _LONGEST else None
