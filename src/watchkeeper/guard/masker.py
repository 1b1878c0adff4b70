"""Spans and log records in, masked ones out, with what was masked counted on them.

A pure function of the record, the mode and the installation's salt: the same record sent again is masked the same,
so the store still knows it for the same. A failure never lets content through.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import Literal, TypeAlias

import msgspec

from watchkeeper.guard.content import DROPPED, strip_log, strip_span
from watchkeeper.guard.keys import COUNT_PREFIX, Role
from watchkeeper.guard.lens import Lens
from watchkeeper.guard.pseudonyms import Pseudonyms
from watchkeeper.guard.recognizer import Recognizer, is_secret
from watchkeeper.guard.rules import recognizers
from watchkeeper.guard.scanner import Counts
from watchkeeper.model import Attributes, RawEvent, RawLink, RawLog, RawSpan, Scope, Score

__all__ = ["FAILED", "Batch", "Masker", "Mode"]

Mode: TypeAlias = Literal["full", "masked", "off"]

FAILED = "failed"
"""The kind under which a record is counted whose content was dropped because masking failed."""

_SERVICE = "service.name"
_AT_ONCE = 16
"""Spans that are looked at together: enough to share a look's fixed cost, few enough to lose little on a hit."""
_log = logging.getLogger("watchkeeper.guard")


class Masker:
    """Masks by mode. `full`: secrets. `masked`: personal data too. `off`: both, in what is left without content.

    Args:
        pseudonyms: names for who a span is about.
        found: the recognisers; all there are when left out.
    """

    def __init__(self, pseudonyms: Pseudonyms, found: Iterable[Recognizer] | None = None) -> None:
        table = tuple(recognizers() if found is None else found)
        self._secrets = Lens([one for one in table if is_secret(one)], pseudonyms)
        self._everything = Lens(table, pseudonyms)

    def batch(self) -> Batch:
        """Return a masker for one request, which reads what its spans share once."""
        return Batch(self._secrets, self._everything)

    def pseudonym(self, text: str) -> str | None:
        """Return the name under which a user or session id is stored in mode `masked`, None where it is as it came."""
        masked = self._everything.text(text, {}, role=Role.IDENTITY)
        return None if masked == text else masked

    def score(self, score: Score, mode: Mode) -> tuple[Score, Counts]:
        """Return a score with comment, label and session masked; in `off` it has no comment."""
        counts: Counts = {}
        lens = self._secrets if mode == "full" else self._everything
        comment = score.comment
        if mode == "off" and comment:
            comment, counts[DROPPED] = None, 1

        def masked(text: str | None, role: Role) -> str | None:
            return None if text is None else lens.text(text, counts, role=role)

        try:
            changed = msgspec.structs.replace(
                score,
                comment=masked(comment, Role.CONTENT),
                label=masked(score.label, Role.CONTENT),
                session_id=masked(score.session_id, Role.IDENTITY if mode != "full" else Role.STRUCTURE),
            )
        except Exception as error:  # noqa: BLE001 - whatever fails, nothing unmasked may pass
            _failed("a score", score.id, error)
            return msgspec.structs.replace(score, comment=None, label=None, session_id=None), {FAILED: 1}
        return changed, counts


class Batch:
    """Masks the records of one request. Not for two threads at once."""

    def __init__(self, secrets: Lens, everything: Lens) -> None:
        self._secrets = secrets
        self._everything = everything
        self._shared: dict[tuple[int, bool], tuple[Attributes, Attributes, Counts]] = {}

    def spans(self, raws: Sequence[RawSpan], modes: Sequence[Mode]) -> list[tuple[RawSpan, Counts]]:
        """Return what `span` does for each span in its mode; several without anything to mask take one look."""
        found: list[tuple[RawSpan, Counts]] = []
        for start in range(0, len(raws), _AT_ONCE):
            some, ways = raws[start : start + _AT_ONCE], modes[start : start + _AT_ONCE]
            clean = self._together(some, ways[0]) if ways.count(ways[0]) == len(ways) else None
            if clean is None:
                clean = [self.span(raw, mode) for raw, mode in zip(some, ways, strict=True)]
            found += clean
        return found

    def _together(self, raws: Sequence[RawSpan], mode: Mode) -> list[tuple[RawSpan, Counts]] | None:
        """Return the spans where there is nothing to mask in any (in `off`, in what is left of them), else None."""
        lens = self._secrets if mode == "full" else self._everything
        try:
            left = [strip_span(raw) if mode == "off" else (raw, 0) for raw in raws]
            if not self._are_clean((raw for raw, _ in left), lens):
                return None
        except Exception:  # noqa: BLE001 - one span fails: each is looked at by itself, and that one says so
            return None
        told: list[Counts] = [{DROPPED: dropped} if dropped else {} for _, dropped in left]
        return [(_told(raw, counts), counts) for (raw, _), counts in zip(left, told, strict=True)]

    def span(self, raw: RawSpan, mode: Mode) -> tuple[RawSpan, Counts]:
        """Return the span masked, with its counts among its attributes; the very same one where there is nothing to do."""
        try:
            dropped = 0
            if mode == "off":
                raw, dropped = strip_span(raw)
            lens = self._secrets if mode == "full" else self._everything
            counts: Counts = {DROPPED: dropped} if dropped else {}
            if self._are_clean((raw,), lens):
                return _told(raw, counts), counts
            return self._span(raw, lens, mode, counts)
        except Exception as error:  # noqa: BLE001 - whatever fails, nothing unmasked may pass
            _failed("span", raw.span_id, error)
            return _bare_span(raw), {FAILED: 1}

    def log(self, log: RawLog, mode: Mode) -> tuple[RawLog, Counts]:
        """Return the log record masked, with its counts among its attributes."""
        try:
            dropped = 0
            if mode == "off":
                log, dropped = strip_log(log)
            counts: Counts = {DROPPED: dropped} if dropped else {}
            lens = self._secrets if mode == "full" else self._everything
            attributes = lens.attributes(log.attributes, counts)
            body = lens.value(log.body, counts)
            named = lens.text(log.event_name, counts)
            return (
                msgspec.structs.replace(log, attributes=attributes | _counted(counts), body=body, event_name=named),
                counts,
            )
        except Exception as error:  # noqa: BLE001 - whatever fails, nothing unmasked may pass
            _failed("a log record of span", log.span_id, error)
            bare = RawLog(
                trace_id=log.trace_id, span_id=log.span_id, time=log.time, severity=log.severity,
                attributes=_counted({FAILED: 1}),
            )  # fmt: skip
            return bare, {FAILED: 1}

    def _are_clean(self, raws: Iterable[RawSpan], lens: Lens) -> bool:
        """Say, with one look at all their texts, whether there is nothing to mask in any of the spans."""
        content: list[str] = []
        structure: list[str] = []
        return (
            all(self._gather(raw, lens, content, structure) for raw in raws)
            and not lens.scanner.may_hold("\n".join(content))
            and not (structure and lens.scanner.may_hold("\n".join(structure), numbers=False))
        )

    def _gather(self, raw: RawSpan, lens: Lens, content: list[str], structure: list[str]) -> bool:
        """Put every text of a span on the two lists; False when it has to be masked whatever they hold."""
        resource, _, counts = self._resource(raw.resource, lens)
        if counts or resource is not raw.resource or raw.logs:
            return False
        scope = raw.scope
        content += (raw.name, raw.status_message, raw.trace_state, scope.name, scope.version)
        plain = lens.gather(raw.attributes, content, structure)
        if scope.attributes:
            plain = lens.gather(scope.attributes, content, structure) and plain
        for event in raw.events:
            content.append(event.name)
            plain = lens.gather(event.attributes, content, structure) and plain
        for link in raw.links:
            plain = lens.gather(link.attributes, content, structure) and plain
        return plain

    def _resource(self, resource: Attributes, lens: Lens) -> tuple[Attributes, Attributes, Counts]:
        """Mask a resource once a request. The map itself is held on to, so that its id stays its own."""
        key = id(resource), lens is self._secrets
        found = self._shared.get(key)
        if found is None:
            counts: Counts = {}
            masked = lens.attributes(resource, counts)
            found = self._shared[key] = (resource if masked == resource else masked, resource, counts)
        return found

    def _span(self, raw: RawSpan, lens: Lens, mode: Mode, counts: Counts) -> tuple[RawSpan, Counts]:
        resource, _, of_resource = self._resource(raw.resource, lens)
        for kind, count in of_resource.items():
            counts[kind] = counts.get(kind, 0) + count
        attributes = lens.attributes(raw.attributes, counts)
        changes = {
            "name": lens.text(raw.name, counts),
            "status_message": lens.text(raw.status_message, counts),
            "trace_state": lens.text(raw.trace_state, counts),
            "resource": resource,
            "scope": Scope(
                name=lens.text(raw.scope.name, counts),
                version=lens.text(raw.scope.version, counts),
                attributes=lens.attributes(raw.scope.attributes, counts),
            ),
            "events": tuple(
                RawEvent(
                    name=lens.text(one.name, counts),
                    time=one.time,
                    attributes=lens.attributes(one.attributes, counts),
                )
                for one in raw.events
            ),
            "links": tuple(
                RawLink(trace_id=one.trace_id, span_id=one.span_id, attributes=lens.attributes(one.attributes, counts))
                for one in raw.links
            ),
            "logs": tuple(self.log(one, mode)[0] for one in raw.logs),
        }
        return msgspec.structs.replace(raw, attributes=attributes | _counted(counts), **changes), counts


def _counted(counts: Counts) -> Attributes:
    return {f"{COUNT_PREFIX}{kind}": count for kind, count in sorted(counts.items())}


def _told(raw: RawSpan, counts: Counts) -> RawSpan:
    """Write counts among the attributes; without any the span is the very same one."""
    return msgspec.structs.replace(raw, attributes=raw.attributes | _counted(counts)) if counts else raw


def _bare_span(raw: RawSpan) -> RawSpan:
    """Keep of a span what cannot hold content: ids, times, numbers, and whose it is."""
    figures: Attributes = {
        key: value
        for key, value in raw.attributes.items()
        if isinstance(value, bool | int | float) and key.startswith(("gen_ai.usage.", "llm.token_count."))
    }
    service = raw.resource.get(_SERVICE)
    return RawSpan(
        trace_id=raw.trace_id, span_id=raw.span_id, parent_span_id=raw.parent_span_id, otel_kind=raw.otel_kind,
        start_time=raw.start_time, end_time=raw.end_time, status_code=raw.status_code, flags=raw.flags,
        attributes=figures | _counted({FAILED: 1}),
        resource={_SERVICE: service} if isinstance(service, str) else {},
    )  # fmt: skip


def _failed(what: str, name: str, error: Exception) -> None:
    # The error's text may quote the content, so its type has to do.
    _log.error("masking %s %s failed (%s); its content was dropped", what, name, type(error).__name__)
