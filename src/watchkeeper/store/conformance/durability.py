"""Overload, closing, reopening, bad batches, many threads."""

from __future__ import annotations

import threading
from concurrent.futures import Future

from watchkeeper.kit.errors import CapabilityError, OverloadedError, StoreError
from watchkeeper.model import RawSpan, Span
from watchkeeper.store.api import Selector, SpanFilter, SpanStore, TraceFilter, WriteBatch, WriteReceipt
from watchkeeper.store.conformance.samples import Maker, log_of, refine, score_of, stored, stored_logs, stored_scores
from watchkeeper.store.conformance.support import Backend, needs, refused
from watchkeeper.store.factory import packed_bytes

__all__ = ["Accepting", "Closing", "Overload", "Packing", "Restarts", "Threads"]

make = Maker()


class _Gate:
    """A mapper that waits until it is let go."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.entered = threading.Event()

    def refine(self, project: str, raw: RawSpan, received_at: int) -> Span:
        self.entered.set()
        self.open.wait(30)
        return refine(project, raw, received_at)


class Overload:
    """The queue is bounded, and says so at once."""

    @needs("queue")
    def test_a_full_queue_refuses(self, backend: Backend) -> None:
        """While a commit is held up, batches beyond the queue's bytes are refused and those taken are stored."""
        gate = _Gate()
        store = backend.open(refine=gate.refine, queue_bytes=10_000)
        stored(store, make.span(1, 1))
        held: list[Future[WriteReceipt]] = []
        # A differing receipt needs the mapper, which waits.
        slow = threading.Thread(
            target=lambda: held.append(store.submit(WriteBatch(spans=(make.span(1, 1, model="m"),), size=6_000)))
        )
        slow.start()
        assert gate.entered.wait(30)
        taken: list[Future[WriteReceipt]] = []
        refusals = 0
        for number in range(2, 20):
            try:
                taken.append(store.submit(WriteBatch(spans=(make.span(number, 1),), size=3_000)))
            except OverloadedError:
                refusals += 1
        assert (len(taken), refusals) == (1, 17)
        gate.open.set()
        slow.join(30)
        for future in held + taken:
            future.result(30)
        assert store.stats().spans == 1 + len(taken)
        assert store.stats().queued == 0

    def test_one_batch_larger_than_the_queue(self, backend: Backend) -> None:
        """A batch larger than the whole queue is taken when the queue is empty: it could never be otherwise."""
        store = backend.open(queue_bytes=100)
        assert store.submit(WriteBatch(spans=(make.span(1, 1),), size=5_000)).result(30).outcomes == ("inserted",)


class Closing:
    """Drain, then close."""

    def test_what_was_submitted_is_stored(self, backend: Backend) -> None:
        """Closing right after submitting loses nothing."""
        store = backend.open()
        futures = [store.submit(WriteBatch(spans=(make.span(n, 1, at=n),))) for n in range(1, 50)]
        store.close()
        assert all(future.result(0).outcomes == ("inserted",) for future in futures)
        if store.capabilities.survives_restart:
            assert backend.open().stats().spans == 49

    def test_later_calls_are_refused(self, store: SpanStore) -> None:
        """After closing, every call raises StoreError, and closing again does nothing."""
        store.close()
        store.close()
        with refused(StoreError):
            store.submit(WriteBatch())
        with refused(StoreError):
            store.list_traces("default", TraceFilter())
        with refused(StoreError):
            store.get_span("default", "a" * 32, "b" * 16)
        with refused(StoreError):
            store.stats()

    def test_a_failing_mapper_fails_its_batch_alone(self, backend: Backend) -> None:
        """A batch that cannot be stored fails whole, as a StoreError, and its neighbours are stored."""

        def broken(project: str, raw: RawSpan, received_at: int) -> Span:
            if "poison" in raw.attributes:
                message = "broken"
                raise ValueError(message)
            return refine(project, raw, received_at)

        store = backend.open(refine=broken)
        stored(store, make.span(1, 1))
        bad = store.submit(WriteBatch(spans=(make.span(2, 1), make.span(1, 1, poison=1))))
        good = store.submit(WriteBatch(spans=(make.span(3, 1),)))
        assert good.result(30).outcomes == ("inserted",)
        assert isinstance(bad.exception(30), StoreError)
        assert store.get_span("default", f"{2:032x}", f"{1:016x}") is None
        assert store.stats().spans == 2


class Accepting:
    """What `accept` made durable is read by whoever asks next, and is what `submit` would have stored."""

    def test_the_next_read_sees_it(self, store: SpanStore) -> None:
        """A read that begins once it is durable finds the spans, and their outcomes are those of `submit`."""
        taken = [store.accept(WriteBatch(spans=(make.span(n, 1, at=n),), size=100)) for n in range(1, 40)]
        for number, one in enumerate(taken, 1):
            one.durable.result(30)
            assert store.get_span("default", f"{number:032x}", f"{1:016x}") is not None
        again = store.accept(
            WriteBatch(spans=(make.span(1, 1, at=1), make.span(2, 1, at=2, model="m"), make.span(99, 1)))
        )
        assert again.receipt.result(30).outcomes == ("unchanged", "merged", "inserted")
        assert store.settle(30)
        assert store.stats().spans == 40

    def test_a_read_of_a_trace_sees_all_of_it(self, store: SpanStore) -> None:
        """Spans, packed or not, log records and scores of one trace are there, whatever waits of others."""
        for number in range(2, 20):
            store.accept(WriteBatch(spans=(make.span(number, 1),)))
        root = make.span(1, 1)
        store.accept(WriteBatch(spans=(root,))).durable.result(30)
        assert store.get_trace("default", root.trace_id) is not None
        store.accept(store.pack((make.span(1, 2, parent=1),))).durable.result(30)
        assert len(store.list_spans("default", SpanFilter(trace_id=root.trace_id)).items) == 2
        store.accept(WriteBatch(logs=(log_of(root, "late"),))).durable.result(30)
        assert [len(span.raw.logs) for span in store.scan_spans("default", SpanFilter(trace_id=root.trace_id))] == [
            1,
            0,
        ]
        store.accept(WriteBatch(scores=(score_of(1, trace_id=root.trace_id),))).durable.result(30)
        assert len(store.list_scores("default", trace_id=root.trace_id).items) == 1

    def test_in_its_turn(self, store: SpanStore) -> None:
        """Accepted and submitted receipts of one span merge in the order they were acknowledged."""
        for number in range(10):
            store.accept(WriteBatch(spans=(make.span(1, 1, model=f"a{number}"),))).durable.result(30)
            assert stored(store, make.span(1, 1, model=f"s{number}")).outcomes != ("unchanged",)
        span = store.get_span("default", f"{1:032x}", f"{1:016x}")
        assert span is not None
        assert span.model == "s9"

    def test_logs_and_scores_too(self, store: SpanStore) -> None:
        """Log records join and scores are stored, in whichever order they came."""
        span = make.span(1, 1)
        store.accept(WriteBatch(logs=(log_of(span, "early"),), scores=(score_of(1),))).durable.result(30)
        store.accept(WriteBatch(spans=(span,))).durable.result(30)
        found = store.get_span("default", span.trace_id, span.span_id)
        assert found is not None
        assert [log.body for log in found.raw.logs] == ["early"]
        assert len(store.list_scores("default").items) == 1

    def test_erasing_comes_after_it(self, store: SpanStore) -> None:
        """What was durable when erasing was asked for is erased with the rest."""
        store.accept(WriteBatch(spans=(make.span(1, 1, user_id="u"),))).durable.result(30)
        assert store.erase("default", Selector(users=("u",))).spans == 1

    def test_closing_stores_it(self, backend: Backend) -> None:
        """Closing stores all that was accepted, and then nothing is taken."""
        store = backend.open()
        taken = [store.accept(WriteBatch(spans=(make.span(n, 1),))) for n in range(1, 20)]
        store.close()
        assert [one.receipt.result(30).outcomes for one in taken] == [("inserted",)] * 19
        with refused(StoreError):
            store.accept(WriteBatch(spans=(make.span(1, 1),)))


class Packing:
    """Spans packed ahead are stored as they would have been."""

    def test_packed_here(self, store: SpanStore) -> None:
        """`pack` changes nothing: the same outcomes, the same spans, facts shared within their trace."""
        spans = _varied()
        assert store.submit(store.pack(spans)).result(30).outcomes == ("inserted",) * len(spans)
        assert stored(store, *spans).outcomes == ("unchanged",) * len(spans)
        _same(store, spans)

    @needs("packs")
    def test_packed_elsewhere(self, store: SpanStore) -> None:
        """`unpack` takes what another process packed: the same outcomes, the same spans."""
        spans = _varied()
        assert store.submit(store.unpack(bytes(packed_bytes(spans)))).result(30).outcomes == ("inserted",) * len(spans)
        assert stored(store, *spans).outcomes == ("unchanged",) * len(spans)
        _same(store, spans)

    @needs("no packs")
    def test_what_does_not_pack_says_so(self, store: SpanStore) -> None:
        """A backend that packs nothing for other processes refuses to unpack."""
        with refused(CapabilityError):
            store.unpack(b"")


def _varied() -> tuple[Span, ...]:
    text = 'a long "text", escaped \\ and \n broken, that is worth a reference: ' * 4
    return (
        make.span(
            1, 1, session_id="s", tags=["a", "b"], input=text, output=text + "!", copy=text, inside=f'["{text}"]'
        ),
        make.span(1, 2, parent=1, odd={"$map": [1.5, float("inf"), b"bytes", None]}, text="\ud800 € 🙂"),
        make.span(2, 1, at=5, kind="llm", model="m", tokens=7, cost=11, status="error"),
    )


def _same(store: SpanStore, spans: tuple[Span, ...]) -> None:
    for span in spans:
        found = store.get_span(span.project, span.trace_id, span.span_id)
        assert found is not None
        assert found.raw == span.raw
        assert (found.input, found.output, found.model, found.cost) == (span.input, span.output, span.model, span.cost)
        assert (found.session_id, found.tags) == (
            ("s", ("a", "b")) if span.trace_id == spans[0].trace_id else (None, ())
        )


class Restarts:
    """What was acknowledged is there after reopening."""

    @needs("survives_restart")
    def test_everything_is_there(self, backend: Backend) -> None:
        """Spans, scores and waiting log records survive, and identity goes on."""
        store = backend.open()
        stored(store, make.span(1, 1, model="m"), make.span(1, 2, parent=1))
        stored_scores(store, score_of(1))
        stored_logs(store, log_of(make.span(2, 1), "early"))
        store.close()
        again = backend.open()
        after = again.stats()
        assert (after.spans, after.scores, after.pending_logs) == (2, 1, 1)
        assert after.disk_bytes > 0
        assert stored(again, make.span(1, 1, model="m")).outcomes == ("unchanged",)
        assert stored(again, make.span(1, 1, model="n")).outcomes == ("merged",)
        stored(again, make.span(2, 1))
        joined = again.get_span("default", f"{2:032x}", f"{1:016x}")
        assert joined is not None
        assert [log.body for log in joined.raw.logs] == ["early"]
        stored_scores(again, score_of(1, value=0.9))
        assert [one.value for one in again.list_scores("default").items] == [0.9]

    @needs("survives_restart")
    def test_a_cursor_outlives_the_process(self, backend: Backend) -> None:
        """Paging goes on after reopening."""
        store = backend.open()
        stored(store, *(make.span(n, 1, at=n) for n in range(1, 5)))
        cursor = store.list_traces("default", TraceFilter(), limit=2).next_cursor
        store.close()
        page = backend.open().list_traces("default", TraceFilter(), limit=2, cursor=cursor)
        assert [int(row.trace_id, 16) for row in page.items] == [2, 1]


class Threads:
    """Any method, from any thread."""

    def test_writers_and_readers_at_once(self, store: SpanStore) -> None:
        """Threads that send the same spans while others read end with each span once."""
        failures: list[BaseException] = []

        def write(offset: int) -> None:
            try:
                for start in range(0, 100, 10):
                    numbers = range(start, start + 10)
                    stored(store, *(make.span(n + 1, 1, at=n, **{f"from{offset}": offset}) for n in numbers))
            except BaseException as error:  # noqa: BLE001 - told to the main thread
                failures.append(error)

        def read() -> None:
            try:
                for _ in range(20):
                    store.list_traces("default", TraceFilter(), limit=20)
                    store.list_spans("default", SpanFilter(), limit=20)
                    store.stats()
            except BaseException as error:  # noqa: BLE001 - told to the main thread
                failures.append(error)

        threads = [threading.Thread(target=write, args=(n,)) for n in range(3)]
        threads += [threading.Thread(target=read) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
        assert failures == []
        spans = list(store.scan_spans("default", SpanFilter()))
        assert len(spans) == 100
        assert all(set(span.raw.attributes) == {"from0", "from1", "from2"} for span in spans)

    def test_read_your_writes(self, store: SpanStore) -> None:
        """A read after the future has resolved sees the batch."""
        for number in range(1, 30):
            stored(store, make.span(number, 1, at=number))
            page = store.list_traces("default", TraceFilter(), limit=1)
            assert int(page.items[0].trace_id, 16) == number
