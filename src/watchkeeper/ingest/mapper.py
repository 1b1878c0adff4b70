"""The versioned mapper: a raw span to a canonical one. Pure, and never raises: it reads strangers' data."""

from __future__ import annotations

import logging

import msgspec

from watchkeeper.ingest.dialects import registry
from watchkeeper.ingest.draft import Draft, merge
from watchkeeper.ingest.read import strings, text
from watchkeeper.model import RawSpan, Span, SpanKind, Status, Usage, semconv

__all__ = ["MAPPER_VERSION", "map_span"]

MAPPER_VERSION = 1
"""Raised when a dialect is read differently, so that stored rows can be mapped again."""

_DIALECTS = tuple(registry())
_log = logging.getLogger("watchkeeper.ingest")
_STATUS: dict[int, Status] = {1: "ok", 2: "error"}


def map_span(project: str, raw: RawSpan, received_at: int) -> Span:
    """Read one raw span; a dialect that fails on it is skipped and not named in `dialects`."""
    draft = Draft()
    spoken: list[str] = []
    for dialect in _DIALECTS:
        try:
            if not dialect.speaks(raw):
                continue
            said = dialect.read(raw)
        except Exception:  # noqa: BLE001 - one strange span must not stop the others; it is stored raw and counted here
            _log.warning("dialect %s could not read span %s", dialect.name, raw.span_id, exc_info=True)
            continue
        draft = merge(draft, said) if spoken else said
        spoken.append(dialect.name)
    own = raw.attributes
    resource = raw.resource
    status = _STATUS.get(raw.status_code, "unset")
    return Span(
        project=project,
        trace_id=raw.trace_id,
        span_id=raw.span_id,
        parent_span_id=raw.parent_span_id or None,
        service=text(resource.get(semconv.SERVICE_NAME)) or "unknown_service",
        environment=text(resource.get(semconv.ENVIRONMENT)) or text(resource.get("deployment.environment")),
        release=text(resource.get(semconv.SERVICE_VERSION)),
        kind=draft.kind or _kind(draft),
        name=raw.name,
        operation=draft.operation,
        start_time=raw.start_time,
        duration_ns=max(0, raw.end_time - raw.start_time) if raw.end_time else 0,
        status=status,
        status_message=raw.status_message or (_exception(raw, "exception.message") if status == "error" else None),
        error_type=draft.error_type
        or text(own.get(semconv.ERROR_TYPE))
        or (_exception(raw, "exception.type") if status == "error" else None),
        session_id=text(own.get(semconv.SESSION_ID)) or draft.session_id,
        user_id=text(own.get(semconv.USER_ID)) or text(own.get("enduser.id")) or draft.user_id,
        tags=draft.tags or strings(own.get("tags")),
        provider=draft.provider,
        model=draft.response_model or draft.request_model,
        request_model=draft.request_model,
        response_model=draft.response_model,
        response_id=draft.response_id,
        usage=_inclusive(draft.usage),
        cost=draft.cost,
        time_to_first_token_ns=draft.time_to_first_token_ns,
        streaming=draft.streaming,
        finish_reasons=draft.finish_reasons,
        parameters=draft.parameters,
        input=draft.input,
        output=draft.output,
        tools=draft.tools,
        tool_name=draft.tool_name,
        agent_name=draft.agent_name,
        prompt_name=draft.prompt_name,
        prompt_version=draft.prompt_version,
        endpoint_host=text(own.get(semconv.SERVER_ADDRESS)),
        dialects=tuple(spoken),
        mapper=MAPPER_VERSION,
        received_at=received_at,
        raw=raw,
    )


def _kind(draft: Draft) -> SpanKind:
    return "llm" if draft.usage and draft.request_model else "span"


def _exception(raw: RawSpan, key: str) -> str | None:
    for event in raw.events:
        if event.name == "exception" and (found := text(event.attributes.get(key))):
            return found
    return None


def _inclusive(usage: Usage) -> Usage:
    """Make input the inclusive total: some emitters (Anthropic's raw counts) leave the cache out of it."""
    cached = (usage.cache_read_tokens or 0) + (usage.cache_write_tokens or 0)
    if usage.input_tokens is not None and cached > usage.input_tokens:
        return msgspec.structs.replace(usage, input_tokens=usage.input_tokens + cached)
    return usage
