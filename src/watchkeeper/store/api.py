"""The store's law. Every backend keeps it; `store/conformance` checks it.

**Durability.** `submit` returns at once with a future. The future resolves only after the batch is
committed and fsynced; a batch is stored whole or not at all. If the future fails, nothing of the
batch is promised. A backend MUST refuse with `OverloadedError` (raised by `submit`, before anything is
taken) when its bounded queue is full; it MUST NOT block the caller or grow without bound. `accept` promises the same
in two steps: `durable` resolves once the batch is fsynced and can no longer be lost, `receipt` once it is stored. What is
stored of it then is what `submit` would have stored in its place.

**Identity.** A span's key is (project, trace_id, span_id). A span that was stored with the same raw
content is `unchanged`. One that differs is merged with `model.merge_raw` (later receipt wins),
passed through the `refine` function given at opening (which maps and prices it anew) and replaces the row in
the same transaction: `merged`. Two receipts of one key in one batch follow the same rule. Scores
are replaced by id. Log records are joined to the span they name: at once where the span is stored,
else they MUST be kept durably and joined when it arrives; a log already on the span is a no-op.

**Trace facts.** session_id, user_id, tags and release known on any span of a trace are copied to its
spans that lack them, at most 1 s after the span that brings them is durable (the root wins over
children, then the earliest start). It holds after a crash too.

**Reading.** Reads see every batch whose future has resolved; of what `accept` made durable but has not stored yet they
wait a moment for all that came before them, and then MAY go without. `settle` waits longer. Lists are newest first
(start time, then ids, descending; traces by the start of their earliest span), pages follow an opaque cursor and
MUST neither skip nor repeat rows that were there when paging began. Nothing found is an empty page, not
an error; `get_span` and `get_trace` return None. Every method takes the project and MUST NOT show
another's rows. A bad cursor raises `RequestError`. A question a backend cannot answer
raises `CapabilityError`. Returned objects belong to the caller.

**Erasing.** The unit is the trace: one that holds a span of a selected user or session goes whole, with its
scores, its waiting log records, and scores on a session of which nothing is left; other projects are untouched.
`erase` runs in its turn after the batches submitted before it, at once or not at all, and is durable when it
returns. An erased trace MUST NOT come back: what arrives for it in the next `ERASED_DAYS` days (a retry, a late log,
a score) is taken, dropped and reported as `erased`; only a hash of its id is kept to know it. Nobody sees an erased
row in a read that began after the return. The bytes on disk may still hold it until `reclaim`, which MUST leave none
of them in the store's files. A user or session that sends new traces later is new data. `expire` takes spans by age, a
bounded number at a time, and leaves no such mark; scores and log records go with the last span of their trace. `erase` reaches
into exports that were set aside (`kept`); what of it cannot be searched is named in its report.

**Pricing anew.** `priced_spans` reads model calls as far as a price depends on them, oldest first, and `reprice`
replaces costs and nothing else, in its turn between commits, durably, at once or not at all. A span whose cost is no
longer the one that was read (a merge priced it in between) MUST be left as it is.

**Mapping anew.** `remap` reads spans with what is raw of them and only their own facts, and replaces those that `again` reads
otherwise, in the writer's turns, durably, each span at once or not at all; raw, receipt, scores and order stay. A span that is
no longer what was read MUST be left, and an erased one stay erased. What a trace's facts are follows.

**Backing up.** `backup` writes one file that is the store at one commit, and every batch whose future had resolved when it
was called is in it. Reads and writes go on. What was erased since is erased again with `erased_traces` and `erase_again`.

**Threads.** All methods may be called from any thread. `close` drains what was submitted, then
closes; later calls raise `StoreError`.

**Failure.** Foreign exceptions never leave a backend: they come as `StoreError` or a child.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, TypeAlias

import msgspec

from watchkeeper.model import RawLog, RawSpan, Score, Span
from watchkeeper.store.anew import CostChange, MapAnew, Remapped
from watchkeeper.store.listing import Facets, SessionFilter, SessionRow
from watchkeeper.store.upkeep import (
    BackupReport,
    ErasedTraces,
    ErasureReport,
    ExpiryReport,
    JournalStats,
    KeptFile,
    ReclaimReport,
    Selector,
    ServiceRow,
)

if TYPE_CHECKING:
    from sqlglot import exp

__all__ = [
    "ERASED_DAYS", "EXPIRE_MOST", "Accepted", "BackupReport", "Capabilities", "CostChange", "ErasedTraces",
    "ErasureReport", "ExpiryReport", "Facets", "Histogram", "HourRow", "JournalStats", "KeptFile", "MapAnew", "ModelRow",
    "Outcome", "Overview", "Page", "Parcel", "Progress", "QueryLimits", "ReclaimReport", "Refine", "Remapped", "Selector",
    "ServiceRow", "SessionFilter", "SessionRow", "SpanFilter", "SpanRow", "SpanStore",
    "StoreStats", "Table", "TimeBucket", "Timing", "TraceFilter", "TraceRow", "WriteBatch", "WriteReceipt",
]  # fmt: skip

Refine: TypeAlias = Callable[[str, RawSpan, int], Span]
"""(project, raw span, received_at ns) to the mapped and priced span. Pure; MUST NOT raise."""

Outcome: TypeAlias = Literal["inserted", "merged", "unchanged", "erased"]
"""`erased`: the span belongs to a trace that was erased, and was dropped."""

Progress: TypeAlias = Callable[[int, int], None]
"""(done, in all), of rows or bytes; called on the thread that works."""

EXPIRE_MOST = 20_000
"""How many spans one step of `expire` deletes at most, so that commits hardly wait."""

ERASED_DAYS = 30
"""How long an erased trace is kept from coming back."""


class Parcel(Protocol):
    """Spans packed by a backend for itself: opaque to everyone else."""

    def __len__(self) -> int:
        """Count the spans."""
        ...


class WriteBatch(msgspec.Struct, frozen=True, kw_only=True):
    """What one request brings. `logs` pairs a project with a record. `size` is its weight in the queue, bytes.

    `parcel` is what the backend's own `pack` made of the spans; `spans` is then empty.
    """

    spans: tuple[Span, ...] = ()
    parcel: Parcel | None = None
    scores: tuple[Score, ...] = ()
    logs: tuple[tuple[str, RawLog], ...] = ()
    size: int = 0


class WriteReceipt(msgspec.Struct, frozen=True, kw_only=True):
    """What became of it: one outcome a span, in the batch's order; `commit_ns` is how long the commit took."""

    outcomes: tuple[Outcome, ...] = ()
    commit_ns: int = 0


class Accepted(NamedTuple):
    """The two promises of `accept`. Where `durable` fails, `receipt` is cancelled or fails too."""

    durable: Future[None]
    receipt: Future[WriteReceipt]


class TraceFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which traces: any span of the trace matches service, model and text; status is the trace's.

    Times are ns, `since` inclusive, `until` exclusive, on the trace's start. `text` is a
    case-insensitive substring of a span's name, input or output.
    """

    service: str | None = None
    environment: str | None = None
    model: str | None = None
    status: Literal["ok", "error"] | None = None
    user_id: str | None = None
    session_id: str | None = None
    since: int | None = None
    until: int | None = None
    text: str | None = None


class HourRow(msgspec.Struct, frozen=True, kw_only=True):
    """Model calls of one project, price source and currency that began in one hour (its first ns, UTC).

    `unpriced` counts those without an amount. Costs are sums, None where no call has one.
    """

    project: str
    start: int
    source: str
    currency: str
    calls: int
    unpriced: int
    input_tokens: int
    output_tokens: int
    cost_nano: int | None
    cost_nano_usd: int | None


class SpanFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which spans; every given field must hold. `mapper_before` asks for those of an older mapper than this."""

    trace_id: str | None = None
    service: str | None = None
    environment: str | None = None
    kind: str | None = None
    model: str | None = None
    status: Literal["unset", "ok", "error"] | None = None
    user_id: str | None = None
    session_id: str | None = None
    since: int | None = None
    until: int | None = None
    text: str | None = None
    mapper_before: int | None = None


class SpanRow(msgspec.Struct, frozen=True, kw_only=True):
    """A span in a list or a tree: no content, no raw. `input` and `output` are previews of one line.

    `duplicate_of` is the span that tells the same call and is counted in place of this one.
    """

    trace_id: str
    span_id: str
    parent_span_id: str | None
    service: str
    environment: str | None
    kind: str
    name: str
    start_time: int
    duration_ns: int
    status: str
    status_message: str | None
    error_type: str | None
    session_id: str | None
    user_id: str | None
    provider: str | None
    model: str | None
    input_tokens: int | None
    output_tokens: int | None
    cost_state: str | None
    cost_nano_usd: int | None
    time_to_first_token_ns: int | None
    tool_name: str | None
    agent_name: str | None
    duplicate_of: str | None
    input: str
    output: str


class TraceRow(msgspec.Struct, frozen=True, kw_only=True):
    """A trace in a list.

    Name, service, input and output are the entry span's (the root, else the earliest). Where that has no
    content, the input is the earliest span's that has one, and the output the last model call's.

    `duration_ns` runs from the earliest start to the latest end. Tokens and cost are summed over
    model calls only (kinds llm, embedding, reranker; of one told twice, one), a parent's usage never added to its children's.
    `status` is error when the entry span failed; `errors` counts failed spans. `cost_nano_usd` is None when no
    call was priced; `unpriced` counts the calls that have no price. `masked` sums what was masked in its spans.
    """

    trace_id: str
    name: str
    service: str
    environment: str | None
    session_id: str | None
    user_id: str | None
    tags: tuple[str, ...]
    start_time: int
    duration_ns: int
    status: str
    spans: int
    calls: int
    errors: int
    unpriced: int
    models: tuple[str, ...]
    input_tokens: int
    output_tokens: int
    cost_nano_usd: int | None
    masked: int = 0
    input: str
    output: str


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Rows (TraceRow, SpanRow or Score) and the cursor of the next page, None at the end."""

    items: tuple[Any, ...] = ()
    next_cursor: str | None = None


class ModelRow(msgspec.Struct, frozen=True, kw_only=True):
    """Model calls of one provider and model in a window. Latencies in ns, exact percentiles."""

    provider: str | None
    model: str | None
    requests: int
    errors: int
    unpriced: int
    input_tokens: int
    output_tokens: int
    cost_nano_usd: int | None
    p50_ns: int
    p95_ns: int
    p99_ns: int


class TimeBucket(msgspec.Struct, frozen=True, kw_only=True):
    """Model calls in [start, start + step)."""

    start: int
    requests: int
    errors: int
    input_tokens: int
    output_tokens: int
    cost_nano_usd: int
    p50_ns: int | None
    p95_ns: int | None


class Histogram(msgspec.Struct, frozen=True, kw_only=True):
    """Counts by latency: `counts[i]` in (bounds[i-1], bounds[i]] ns, the last one above every bound."""

    bounds: tuple[int, ...] = ()
    counts: tuple[int, ...] = ()


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """Model calls in a window: totals, latency, by model (dearest, then busiest first), and over time."""

    traces: int
    requests: int
    errors: int
    unpriced: int
    input_tokens: int
    output_tokens: int
    cost_nano_usd: int | None
    p50_ns: int | None
    p95_ns: int | None
    p99_ns: int | None
    latency: Histogram
    models: tuple[ModelRow, ...]
    buckets: tuple[TimeBucket, ...]
    step_ns: int


class QueryLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What a user's query may take."""

    rows: int = 10_000
    seconds: float = 10.0


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """A query's answer: values are JSON-able (times as RFC 3339, big integers as int); `truncated` at the row limit."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    truncated: bool = False


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """How long something took: `counts[i]` in (bounds[i-1], bounds[i]] ns, the last one above every bound."""

    bounds: tuple[int, ...] = ()
    counts: tuple[int, ...] = ()
    total_ns: int = 0


class StoreStats(msgspec.Struct, frozen=True, kw_only=True):
    """The store about itself. `revision` grows with every commit.

    `queued` counts bytes and `queued_spans` spans waiting for a commit, `queue_limit` is when the queue is full.
    `disk_bytes` is the whole of it, `wal_bytes` the part that is a log not yet checkpointed.
    `commits` and `checkpoints` count since the store was opened.
    `reclaim_due` is when (ns) something was erased whose bytes may still be on disk. `erased` and `expired` count
    spans and `reclaimed_bytes` bytes since the store was opened; `full` says that batches are refused because too
    little of the disk is free.
    """

    revision: int
    spans: int
    scores: int
    pending_logs: int
    queued: int
    disk_bytes: int
    format_version: int
    reclaim_due: int | None = None
    erased: int = 0
    expired: int = 0
    reclaimed_bytes: int = 0
    full: bool = False
    queued_spans: int = 0
    queue_limit: int = 0
    wal_bytes: int = 0
    commits: Timing = Timing()
    checkpoints: Timing = Timing()
    journal: JournalStats = JournalStats()


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """What a backend can do beyond the law; the default is the least able."""

    sql: bool = False
    survives_restart: bool = False
    backup: bool = False


class SpanStore(Protocol):
    """Spans, scores and joined log records."""

    @property
    def capabilities(self) -> Capabilities:
        """Say what this backend can do."""
        ...

    def pack(self, spans: Sequence[Span]) -> WriteBatch:
        """Prepare spans for `submit` on the caller's thread, so that the writer has less to do. Touches nothing."""
        ...

    def unpack(self, data: bytes) -> WriteBatch:
        """Return the batch that `store.factory.packed_bytes` packed in another process.

        Raises:
            CapabilityError: this backend does not pack.
        """
        ...

    def submit(self, batch: WriteBatch) -> Future[WriteReceipt]:
        """Take a batch; the future resolves when it is durable and stored."""
        ...

    def accept(self, batch: WriteBatch) -> Accepted:
        """Take a batch that may be stored a little later than it is durable; refuses as `submit` does."""
        ...

    def settle(self, seconds: float) -> bool:
        """Wait until all that is durable by now is stored; False when that took longer than `seconds`."""
        ...

    def list_traces(self, project: str, where: TraceFilter, *, limit: int = 50, cursor: str | None = None) -> Page:
        """Return a page of TraceRow."""
        ...

    def get_trace(self, project: str, trace_id: str) -> TraceRow | None:
        """Return the summary of one trace."""
        ...

    def list_spans(
        self,
        project: str,
        where: SpanFilter,
        *,
        limit: int = 100,
        cursor: str | None = None,
        oldest_first: bool = False,
    ) -> Page:
        """Return a page of SpanRow; `oldest_first` turns the order round (for a trace's tree)."""
        ...

    def get_span(self, project: str, trace_id: str, span_id: str) -> Span | None:
        """Return one span whole."""
        ...

    def scan_spans(self, project: str, where: SpanFilter) -> Iterator[Span]:
        """Stream whole spans, oldest first, in bounded memory."""
        ...

    def list_scores(
        self,
        project: str,
        *,
        trace_id: str | None = None,
        span_id: str | None = None,
        name: str | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> Page:
        """Return a page of Score, newest first."""
        ...

    def overview(
        self, project: str, *, since: int, until: int, service: str | None = None, buckets: int = 60
    ) -> Overview:
        """Return figures over model calls that started in [since, until) ns."""
        ...

    def facets(self, project: str, *, since: int, until: int) -> Facets:
        """Return the values there are to filter by."""
        ...

    def list_sessions(
        self, project: str, where: SessionFilter = ..., *, offset: int = 0, limit: int = 50
    ) -> tuple[tuple[SessionRow, ...], int]:
        """Return sessions, the newest first, and how many there are in all."""
        ...

    def query(self, project: str, select: exp.Query, limits: QueryLimits) -> Table:
        """Run a SELECT that `query.parse` has allowed, over `spans` and `scores` of the project alone.

        The caller checks tables and functions; the store forces the project filter, the time limit
        (`QueryTimeoutError`) and the row limit, and gives user SQL no way to write.
        """
        ...

    def priced_spans(self, project: str, where: SpanFilter, *, limit: int = 1_000, cursor: str | None = None) -> Page:
        """Return a page of model calls as Span, oldest first, without content, raw attributes and trace facts."""
        ...

    def reprice(self, project: str, changes: Sequence[CostChange]) -> int:
        """Replace costs, and say how many were. See Pricing anew above."""
        ...

    def count_spans(self, project: str, where: SpanFilter) -> int:
        """Count spans."""
        ...

    def remap(
        self, project: str, where: SpanFilter, again: MapAnew, *, limit: int = 250, cursor: str | None = None,
        dry_run: bool = False,
    ) -> Remapped:  # fmt: skip
        """Map a page of spans anew, oldest first; with `dry_run` only say what would change. See Mapping anew above."""
        ...

    def hours(self, *, since: int, until: int, source: str) -> tuple[HourRow, ...]:
        """Return what model calls cost by hour, of all projects, where the price's source begins with `source`.

        Calls that began in [since, until) ns; ordered by start, source, currency and project. For whoever shares a
        machine's cost among projects, not for callers.
        """
        ...

    def erase(self, project: str, selector: Selector, *, dry_run: bool = False) -> ErasureReport:
        """Erase what is selected; with `dry_run` only count it. See Erasing above."""
        ...

    def services(self) -> tuple[ServiceRow, ...]:
        """Return the services of every project, sorted; for whoever keeps house, not for callers."""
        ...

    def expire(self, project: str, service: str, before: int, *, most: int = EXPIRE_MOST) -> ExpiryReport:
        """Delete at most about `most` spans of a service that started before a time (ns), the oldest first.

        Spans of one start go together. Scores and waiting log records go with the last span of their trace.
        """
        ...

    def reclaim(self, *, force: bool = False) -> ReclaimReport:
        """Give deleted rows' space back to the file system, and leave none of their bytes in the store's files.

        It is done where something was erased, where enough would be gained, or where `force` asks. Reads and writes go
        on meanwhile; a kill at any moment leaves the store as it was, or rewritten. Takes as long as it takes.

        Raises:
            StoreFullError: the store is written anew for it, and there is no room.
        """
        ...

    def backup(self, target: Path, *, together: Callable[[], None], progress: Progress) -> BackupReport:
        """Write the store to a new file, whole; see Backing up above. Takes as long as it takes.

        `together` runs at the commit the file is of, while no other can follow: what it does belongs to the same moment.
        On failure nothing is promised of the target, and it is the caller's to delete.

        Raises:
            StoreFullError: there is no room for it.
            CapabilityError: this backend has no file.
        """
        ...

    def erased_traces(self) -> ErasedTraces:
        """Return the marks of the traces that were erased and must not come back."""
        ...

    def erase_again(self, marks: ErasedTraces, digests: Collection[str]) -> ErasureReport:
        """Erase what was erased elsewhere, and keep it from coming back.

        Args:
            marks: another store's `erased_traces`.
            digests: `store.selecting.digest` of each user, session and trace that was erased.

        Raises:
            CapabilityError: this backend has no backups.
        """
        ...

    def kept(self) -> tuple[KeptFile, ...]:
        """Return what was acknowledged and could not be stored, sorted by name."""
        ...

    def expire_kept(self, before: int) -> int:
        """Delete what was kept before a time (ns); return how many files."""
        ...

    def drop_kept(self, name: str) -> None:
        """Delete one file that was kept, for good.

        Raises:
            NotFoundError: there is none of that name.
        """
        ...

    def retry_kept(self, name: str) -> WriteReceipt:
        """Store an export that was set aside, as if it came now, and delete its file; waits until that is done.

        Raises:
            NotFoundError: there is none of that name.
            StoreError: it cannot be read, or cannot be stored still; it stays.
        """
        ...

    def stats(self) -> StoreStats:
        """Return counts and sizes; cheap enough to ask every second."""
        ...

    def close(self) -> None:
        """Drain, then close. Safe to call twice."""
        ...
