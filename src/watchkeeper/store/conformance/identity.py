"""Identity: no-op, merge, replacement, and both receipts in one batch."""

from __future__ import annotations

import math
from typing import Any

import msgspec

from watchkeeper.model import RawEvent, RawLink, RawLog, Scope
from watchkeeper.store.api import SpanFilter, SpanStore, WriteBatch
from watchkeeper.store.conformance.samples import Maker, log_of, refine, stored, stored_logs

__all__ = ["Identity", "LateLogs", "Verbatim"]

make = Maker()


class Identity:
    """One row a key."""

    def test_identical_is_unchanged(self, store: SpanStore) -> None:
        """A span that is sent again as it was changes nothing."""
        stored(store, make.span(1, 1, model="m"))
        receipt = stored(store, make.span(1, 1, model="m"))
        assert receipt.outcomes == ("unchanged",)
        assert store.stats().spans == 1

    def test_order_of_attributes_is_no_difference(self, store: SpanStore) -> None:
        """The same attributes in another order are the same receipt."""
        stored(store, make.span(1, 1, model="m", provider="p"))
        assert stored(store, make.span(1, 1, provider="p", model="m")).outcomes == ("unchanged",)

    def test_part_of_what_is_stored_is_unchanged(self, store: SpanStore) -> None:
        """A receipt that brings nothing new is a no-op, even if it holds less than the row."""
        stored(store, make.span(1, 1, model="m", provider="p"))
        assert stored(store, make.span(1, 1, model="m")).outcomes == ("unchanged",)

    def test_types_are_a_difference(self, store: SpanStore) -> None:
        """1 and 1.0 are not the same attribute, and the later receipt wins."""
        stored(store, make.span(1, 1, depth=1))
        receipt = stored(store, make.span(1, 1, depth=1.0))
        span = store.get_span("default", f"{1:032x}", f"{1:016x}")
        assert receipt.outcomes == ("merged",)
        assert span is not None
        assert type(span.raw.attributes["depth"]) is float

    def test_differing_is_merged_and_mapped_again(self, store: SpanStore) -> None:
        """A differing receipt is merged by key, later winning, and goes through `refine`."""
        stored(store, make.span(1, 1, model="old", provider="p"))
        receipt = stored(store, make.span(1, 1, model="new", environment="prod"))
        span = store.get_span("default", f"{1:032x}", f"{1:016x}")
        assert receipt.outcomes == ("merged",)
        assert span is not None
        assert (span.model, span.provider, span.environment) == ("new", "p", "prod")
        assert store.stats().spans == 1

    def test_two_receipts_in_one_batch(self, store: SpanStore) -> None:
        """Two receipts of one key in one batch follow the same rule, in order."""
        receipt = stored(store, make.span(1, 1, model="a"), make.span(1, 1, model="a"), make.span(1, 1, model="b"))
        span = store.get_span("default", f"{1:032x}", f"{1:016x}")
        assert receipt.outcomes == ("inserted", "unchanged", "merged")
        assert span is not None
        assert span.model == "b"
        assert store.stats().spans == 1

    def test_stored_and_twice_in_one_batch(self, store: SpanStore) -> None:
        """The identical receipt first and a differing one after it in a batch: unchanged, then merged."""
        stored(store, make.span(1, 1, model="a"))
        receipt = stored(store, make.span(1, 1, model="a"), make.span(1, 1, model="b"))
        assert receipt.outcomes == ("unchanged", "merged")

    def test_merge_may_move_the_start(self, store: SpanStore) -> None:
        """An amendment that changes the start time replaces the row, and is found again."""
        stored(store, make.span(1, 1, at=5))
        stored(store, make.span(1, 1, at=2))
        assert stored(store, make.span(1, 1, at=2)).outcomes == ("unchanged",)
        assert len(store.list_spans("default", SpanFilter()).items) == 1

    def test_keys_differ_by_project(self, store: SpanStore) -> None:
        """The same ids in two projects are two spans."""
        stored(store, make.span(1, 1), Maker("other").span(1, 1, model="m"))
        span = store.get_span("default", f"{1:032x}", f"{1:016x}")
        assert span is not None
        assert span.model is None
        assert store.stats().spans == 2


class LateLogs:
    """Log records join the span they name, whichever comes first."""

    def test_log_after_its_span(self, store: SpanStore) -> None:
        """A log record for a stored span is joined at once, and mapped."""
        span = make.span(1, 1)
        stored(store, span)
        stored_logs(store, log_of(span, "late"))
        found = store.get_span("default", span.trace_id, span.span_id)
        assert found is not None
        assert [log.body for log in found.raw.logs] == ["late"]
        assert store.stats().pending_logs == 0

    def test_log_before_its_span(self, store: SpanStore) -> None:
        """A log record that comes first waits, and is joined when the span arrives."""
        span = make.span(1, 1)
        stored_logs(store, log_of(span, "early"))
        assert store.stats().pending_logs == 1
        assert stored(store, span).outcomes == ("inserted",)
        found = store.get_span("default", span.trace_id, span.span_id)
        assert found is not None
        assert [log.body for log in found.raw.logs] == ["early"]
        assert store.stats().pending_logs == 0

    def test_log_and_span_in_one_batch(self, store: SpanStore) -> None:
        """A log record in its span's own batch is joined."""
        span = make.span(1, 1)
        store.submit(WriteBatch(spans=(span,), logs=(log_of(span, "with"),))).result(30)
        found = store.get_span("default", span.trace_id, span.span_id)
        assert found is not None
        assert [log.body for log in found.raw.logs] == ["with"]

    def test_log_twice_is_once(self, store: SpanStore) -> None:
        """A log record that is already on the span, or already waits, is a no-op."""
        span = make.span(1, 1)
        stored_logs(store, log_of(span, "x"), log_of(span, "x"))
        stored_logs(store, log_of(span, "x"))
        stored(store, span)
        stored_logs(store, log_of(span, "x"))
        found = store.get_span("default", span.trace_id, span.span_id)
        assert found is not None
        assert len(found.raw.logs) == 1

    def test_log_of_another_project_stays_apart(self, store: SpanStore) -> None:
        """A log record of one project never joins another's span."""
        stored_logs(store, log_of(Maker("other").span(1, 1), "theirs"))
        stored(store, make.span(1, 1))
        found = store.get_span("default", f"{1:032x}", f"{1:016x}")
        assert found is not None
        assert found.raw.logs == ()

    def test_span_sent_again_keeps_its_log(self, store: SpanStore) -> None:
        """The identical span after its log was joined is unchanged."""
        span = make.span(1, 1)
        stored(store, span)
        stored_logs(store, log_of(span, "x"))
        assert stored(store, span).outcomes == ("unchanged",)


class Verbatim:
    """What comes out is what went in."""

    def test_raw_is_verbatim(self, store: SpanStore) -> None:
        """Bytes, NaN, infinities, nested values, events, links, logs and scope come back typed as they came."""
        odd: dict[str, Any] = {
            "bytes": b"\x00\xff", "nan": math.nan, "inf": math.inf, "minus": -math.inf, "int": 2**63 - 1, "float": 1.0,
            "none": None, "list": [1, 1.0, "x", [b"y"]], "map": {"$bytes": "no escape", "a": {"b": None}},
            "$text": "one key", "escape": {"$bytes": "x"}, "empty": {}, "": "no name", "nul": "a\x00b", "lone": "\ud800",
            "snow": "☃",
        }  # fmt: skip
        span = make.span(1, 1, **odd)
        raw = msgspec.structs.replace(
            span.raw,
            resource={"service.name": "s", "blob": b"1"},
            scope=Scope(name="lib", version="1", attributes={"k": 1.0}),
            events=(RawEvent(name="e", time=5, attributes={"b": b"2"}),),
            links=(RawLink(trace_id="a" * 32, span_id="b" * 16, attributes={}),),
            logs=(RawLog(trace_id=span.trace_id, span_id=span.span_id, time=9, body={"k": [b"3"]}),),
            trace_state="a=b",
            flags=257,
            dropped_links=3,
        )
        stored(store, refine("default", raw, 7))
        found = store.get_span("default", span.trace_id, span.span_id)
        assert found is not None
        assert math.isnan(found.raw.attributes.pop("nan"))  # type: ignore[arg-type]
        raw.attributes.pop("nan")
        assert found.raw == raw
        assert {k: type(v) for k, v in found.raw.attributes.items()} == {k: type(v) for k, v in raw.attributes.items()}

    def test_span_is_whole(self, store: SpanStore) -> None:
        """Every field of a span comes back."""
        span = msgspec.structs.replace(
            make.span(1, 1, parent=2, kind="llm", model="m", provider="p", tokens=3, cost=5, input="hi", output="yo"),
            environment="prod", release="1.2", operation="chat", status="error", status_message="boom",
            error_type="E", session_id="s", user_id="u", tags=("a", "b"), request_model="rm", response_model="pm",
            response_id="r", time_to_first_token_ns=12, streaming=True, finish_reasons=("stop",),
            parameters={"temperature": 0.5}, tools=({"name": "t"},), tool_name="t", agent_name="a", prompt_name="n",
            prompt_version="3", endpoint_host="h", region="eu", operator="o", model_digest="d", dialects=("x",),
        )  # fmt: skip
        stored(store, span)
        assert store.get_span("default", span.trace_id, span.span_id) == span

    def test_unusual_times_do_not_fail_the_batch(self, store: SpanStore) -> None:
        """A start time or a count beyond 64 bits is stored; raw keeps it as it came."""
        span = make.span(1, 1)
        raw = msgspec.structs.replace(span.raw, start_time=2**64 - 1, end_time=2**64 - 1)
        stored(store, refine("default", raw, 7))
        found = store.get_span("default", span.trace_id, span.span_id)
        assert found is not None
        assert found.raw == raw
