"""The versioned mapper: a raw span to a canonical one. Pure, and never raises: it reads strangers' data."""

from __future__ import annotations

import logging

import msgspec

from watchkeeper.ingest.detect import Detector
from watchkeeper.ingest.dialects import registry
from watchkeeper.ingest.draft import Draft, merge
from watchkeeper.ingest.generic import generic
from watchkeeper.ingest.providers import provider_of
from watchkeeper.ingest.region import region_of
from watchkeeper.model import MODEL_KINDS, Content, RawSpan, Span, SpanKind, TextPart, Usage

__all__ = ["MAPPER_VERSION", "map_span"]

MAPPER_VERSION = 3
"""Raised when a dialect is read differently, so that stored rows can be mapped again."""

_PARENTS: frozenset[SpanKind] = frozenset({"agent", "workflow"})
"""Kinds whose emitters repeat the sum of what the calls beneath used: read with it, a trace would be counted twice."""

_detector = Detector(registry())
_NO_USAGE = Usage()
_log = logging.getLogger("watchkeeper.ingest")


def map_span(project: str, raw: RawSpan, received_at: int) -> Span:
    """Read one raw span; a dialect that fails on it is skipped and not named in `dialects`."""
    draft, spoken = _draft(raw)
    common = generic(raw)
    kind = draft.kind or _kind(draft)
    start = max(0, raw.start_time - draft.took_ns) if draft.took_ns else raw.start_time
    return Span(
        project=project,
        trace_id=raw.trace_id,
        span_id=raw.span_id,
        parent_span_id=raw.parent_span_id or None,
        service=common.service,
        environment=common.environment or draft.environment,
        release=common.release or draft.release,
        kind=kind,
        name=raw.name,
        operation=draft.operation,
        start_time=start,
        duration_ns=max(0, raw.end_time - start) if raw.end_time else 0,
        status="error" if draft.failure is not None and common.status == "unset" else common.status,
        status_message=common.status_message or draft.failure or None,
        error_type=common.error_type or draft.error_type,
        session_id=common.session_id or draft.session_id,
        user_id=common.user_id or draft.user_id,
        tags=draft.tags or common.tags,
        provider=provider_of(draft.provider),
        model=draft.response_model or draft.request_model,
        request_model=draft.request_model,
        response_model=draft.response_model,
        response_id=draft.response_id,
        usage=_NO_USAGE if kind in _PARENTS else _inclusive(draft.usage),
        cost=draft.cost,
        time_to_first_token_ns=draft.time_to_first_token_ns,
        streaming=draft.streaming,
        finish_reasons=draft.finish_reasons,
        parameters=draft.parameters,
        input=_embedded(draft.input) if kind == "embedding" and draft.input else draft.input,
        output=draft.output,
        tools=draft.tools,
        tool_name=draft.tool_name,
        agent_name=draft.agent_name,
        prompt_name=draft.prompt_name,
        prompt_version=draft.prompt_version,
        endpoint_host=common.endpoint_host,
        region=_region(raw, draft, common.endpoint_host) if kind in MODEL_KINDS else None,
        dialects=spoken,
        mapper=MAPPER_VERSION,
        received_at=received_at,
        raw=raw,
    )


def _draft(raw: RawSpan) -> tuple[Draft, tuple[str, ...]]:
    draft: Draft | None = None
    spoken: list[str] = []
    for dialect in _detector.offered(raw):
        try:
            if not dialect.speaks(raw):
                continue
            said = dialect.read(raw)
            draft = said if draft is None else merge(draft, said)
        except Exception:  # noqa: BLE001 - one strange span must not stop the others; it is kept raw, and the miss shows
            _log.warning("dialect %s could not read span %s", dialect.name, raw.span_id, exc_info=True)
            continue
        spoken.append(dialect.name)
    return draft or Draft(), tuple(spoken)


def _kind(draft: Draft) -> SpanKind:
    return "llm" if draft.usage and draft.request_model else "span"


def _embedded(given: Content) -> Content:
    """Return what is embedded as a text: it is no conversation, though some have no other place for it."""
    texts = [part.text for one in given.messages for part in one.parts if isinstance(part, TextPart)]
    return Content(text="\n".join(texts)) if texts else given


def _region(raw: RawSpan, draft: Draft, host: str | None) -> str | None:
    # What was asked for tells more than what answered: a profile's prefix is often dropped from the answer's name.
    return region_of(raw.attributes, raw.resource, host, draft.request_model or draft.response_model)


def _inclusive(usage: Usage) -> Usage:
    """Make the totals inclusive: some emitters leave the cache out of the input, or the reasoning out of the output."""
    cached = (usage.cache_read_tokens or 0) + (usage.cache_write_tokens or 0)
    reasoned = usage.reasoning_tokens or 0
    if usage.input_tokens is not None and cached > usage.input_tokens:
        usage = msgspec.structs.replace(usage, input_tokens=usage.input_tokens + cached)
    if usage.output_tokens is not None and reasoned > usage.output_tokens:
        usage = msgspec.structs.replace(usage, output_tokens=usage.output_tokens + reasoned)
    return usage
