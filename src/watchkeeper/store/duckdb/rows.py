"""A span as a row: one list a column on the way in, a typed span on the way out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
from msgspec.structs import astuple

from watchkeeper.model import Cost, RawSpan, Score, Span, Usage, preview
from watchkeeper.store import codec, once
from watchkeeper.store.api import SpanRow

__all__ = [
    "COST_COLUMNS",
       "FACT_BITS", "SCORE_READ", "SPAN_READ", "SPAN_ROW_READ", "Encoded", "Row", "amended_table", "encode", "keys_table",
    "logs_table", "row_of", "score_of", "scores_table", "span_of", "span_row_of", "spans_table", "traces_table",
]  # fmt: skip

FACT_BITS: tuple[tuple[str, int], ...] = (("session_id", 1), ("user_id", 2), ("tags", 4), ("release", 8))
_INT64 = (-(2**63), 2**63 - 1)
_TEXT, _LONG, _HASH = pa.string(), pa.int64(), pa.uint64()
_JSON = pa.json_(pa.string())


class Encoded(msgspec.Struct, frozen=True):
    """What is stored of a raw span beside its attributes, whether those are flat, and the fingerprint of it all."""

    resource: str
    rest: str
    fingerprint: bytes
    flat: bool


class Row:
    """A span on its way into the table. `facts` are what its trace gave it, used where it has none of its own."""

    __slots__ = ("encoded", "facts", "key_hash", "revision", "span", "trace_hash")

    def __init__(self, span: Span, encoded: Encoded, key_hash: int, trace_hash: int, revision: int) -> None:
        self.span = span
        self.encoded = encoded
        self.key_hash = key_hash
        self.trace_hash = trace_hash
        self.revision = revision
        self.facts: dict[str, Any] = {}

    def own(self, name: str) -> Any:  # noqa: ANN401 - text or tags
        """Return the span's own value of a trace fact, None where it has none."""
        return getattr(self.span, name) or None

    @property
    def copied(self) -> int:
        """Return the bits of the facts that came from the trace."""
        return sum(bit for name, bit in FACT_BITS if name in self.facts and not self.own(name))

    def fact(self, name: str) -> Any:  # noqa: ANN401 - text or tags
        """Return the value to store: the span's own, else the trace's."""
        return self.own(name) or self.facts.get(name)


def encode(raw: RawSpan, resources: dict[int, str]) -> Encoded:
    """Encode a raw span; `resources` remembers texts by identity, for one request's spans share theirs."""
    text = resources.get(id(raw.resource))
    if text is None:
        text = resources[id(raw.resource)] = codec.encode_attributes(raw.resource)
    rest = codec.encode_raw_rest(raw)
    flat = codec.is_flat(raw.attributes)
    return Encoded(text, rest, codec.fingerprint(raw.attributes, text, rest, flat=flat), flat)


_PLAIN: tuple[tuple[str, pa.DataType, str], ...] = (
    ("project", _TEXT, "project"), ("trace_id", _TEXT, "trace_id"), ("span_id", _TEXT, "span_id"),
    ("parent_span_id", _TEXT, "parent_span_id"), ("start_ns", _LONG, "start_time"),
    ("duration_ns", _LONG, "duration_ns"), ("service", _TEXT, "service"), ("environment", _TEXT, "environment"),
    ("kind", _TEXT, "kind"), ("name", _TEXT, "name"), ("operation", _TEXT, "operation"),
    ("status", _TEXT, "status"), ("status_message", _TEXT, "status_message"), ("error_type", _TEXT, "error_type"),
    ("provider", _TEXT, "provider"), ("model", _TEXT, "model"), ("request_model", _TEXT, "request_model"),
    ("response_model", _TEXT, "response_model"), ("response_id", _TEXT, "response_id"),
    ("time_to_first_token_ns", _LONG, "time_to_first_token_ns"), ("streaming", pa.bool_(), "streaming"),
    ("tool_name", _TEXT, "tool_name"), ("agent_name", _TEXT, "agent_name"), ("prompt_name", _TEXT, "prompt_name"),
    ("prompt_version", _TEXT, "prompt_version"), ("endpoint_host", _TEXT, "endpoint_host"),
    ("region", _TEXT, "region"), ("operator", _TEXT, "operator"), ("model_digest", _TEXT, "model_digest"),
    ("duplicate_of", _TEXT, "duplicate_of"),
    ("mapper", _LONG, "mapper"), ("received_at", _LONG, "received_at"),
)  # fmt: skip

_JSON_LISTS = ("finish_reasons", "parameters", "tools", "dialects")

COST_COLUMNS: tuple[tuple[str, pa.DataType, Callable[[Cost], Any]], ...] = (
    ("cost_state", _TEXT, attrgetter("state")),
    ("cost_nano", _LONG, attrgetter("nano")),
    ("currency", _TEXT, attrgetter("currency")),
    ("cost_nano_usd", _LONG, attrgetter("nano_usd")),
    ("price_source", _TEXT, attrgetter("source")),
    ("price_version", _TEXT, attrgetter("version")),
    ("cost_detail", _TEXT, lambda cost: codec.encode_json(cost.detail) if cost.detail else None),
    ("cost_reason", _TEXT, attrgetter("reason")),
)


_COST_FIELDS = ("state", "nano", "currency", "nano_usd", "source", "version", "detail", "reason")
_NO_COST = Cost(state=None, currency=None)  # type: ignore[arg-type]  # a row of nulls


def spans_table(rows: Sequence[Row]) -> pa.Table:
    """Turn rows into an Arrow table with the columns of `spans` but `revision`, each column converted once."""
    columns: dict[str, pa.Array] = {}
    told = _transposed(Span.__struct_fields__, [row.span for row in rows])
    for column, kind, field in _PLAIN:
        columns[column] = _array(told[field], kind)
    for column, values in _transposed(Usage.__struct_fields__, told["usage"]).items():
        columns[column] = _array(values, _LONG)
    columns["start_time"] = pa.array(columns["start_ns"].to_numpy() // 1_000).view(pa.timestamp("us"))
    columns.update(_cost_columns(told["cost"]))
    for column in _JSON_LISTS:
        columns[column] = _array(_json_or_none(told[column]), _TEXT)
    for column in ("input", "output"):
        contents = told[column]
        columns[column] = _array([codec.encode_content(one) for one in contents], _JSON)
        columns[f"{column}_preview"] = _array([preview(one) for one in contents], _TEXT)
    columns.update(_fact_columns(rows, told))
    columns["key_hash"] = _hashes([row.key_hash for row in rows])
    columns["trace_hash"] = _hashes([row.trace_hash for row in rows])
    slim = [_taken_out(row) for row in rows]
    columns["attributes"] = _array([text for text, _ in slim], _JSON)
    columns["pieces"] = _array([noted for _, noted in slim], _TEXT)
    encoded = [row.encoded for row in rows]
    columns["resource"] = _array([one.resource for one in encoded], _JSON)
    columns["raw_rest"] = _array([one.rest for one in encoded], _TEXT)
    columns["fingerprint"] = pa.array([one.fingerprint for one in encoded], pa.binary())
    return pa.table(columns)


def _cost_columns(costs: Sequence[Cost | None]) -> dict[str, pa.Array]:
    fields = _transposed(Cost.__struct_fields__, [_NO_COST if cost is None else cost for cost in costs])
    return {
        column: _array(_json_or_none(fields[field]) if field == "detail" else fields[field], kind)
        for field, (column, kind, _) in zip(_COST_FIELDS, COST_COLUMNS, strict=True)
    }


def _fact_columns(rows: Sequence[Row], told: dict[str, Sequence[Any]]) -> dict[str, pa.Array]:
    """Return what the spans say of their traces, with what their traces gave where they say nothing."""
    columns: dict[str, pa.Array] = {}
    given = [row.facts for row in rows]
    for name, _ in FACT_BITS:
        values = [own or facts.get(name) for own, facts in zip(told[name], given, strict=True)]
        columns[name] = _array(_json_or_none(values) if name == "tags" else values, _TEXT)
    columns["copied"] = pa.array([row.copied if row.facts else 0 for row in rows], pa.uint8())
    return columns


def _taken_out(row: Row) -> tuple[str, str | None]:
    span = row.span
    attributes, noted = once.take_out(span.raw.attributes, span.input, span.output)
    return codec.encode_attributes(attributes, flat=row.encoded.flat), noted


def _transposed(names: Sequence[str], structs: Sequence[msgspec.Struct]) -> dict[str, Sequence[Any]]:
    if not structs:
        return dict.fromkeys(names, ())
    return dict(zip(names, zip(*map(astuple, structs), strict=True), strict=True))


def amended_table(rows: Sequence[Row]) -> pa.Table:
    """Turn rows that may be stored already into an Arrow table; each keeps the revision that first brought it."""
    return spans_table(rows).append_column("revision", pa.array([row.revision for row in rows], _LONG))


def scores_table(scores: Sequence[tuple[int, Score]]) -> pa.Table:
    """Turn (id hash, score) pairs into an Arrow table with the columns of `scores`."""
    columns = {
        name: _array([getattr(score, name) for _, score in scores], pa.float64() if name == "value" else _TEXT)
        for name in Score.__struct_fields__
        if name != "time"
    }
    columns["time_ns"] = _array([score.time for _, score in scores], _LONG)
    columns["time"] = pa.array([value // 1_000 for value in columns["time_ns"].to_pylist()], pa.timestamp("us"))
    columns["id_hash"] = pa.array([hashed for hashed, _ in scores], _HASH)
    return pa.table(columns)


def keys_table(keys: Sequence[tuple[int, str, str, str]]) -> pa.Table:
    """Turn (hash, project, trace id, span id) into an Arrow table to join with."""
    return pa.table(
        {
            "key_hash": pa.array([key[0] for key in keys], _HASH),
            "project": _array([key[1] for key in keys], _TEXT),
            "trace_id": _array([key[2] for key in keys], _TEXT),
            "span_id": _array([key[3] for key in keys], _TEXT),
        }
    )


def traces_table(traces: Sequence[tuple[int, str, str]]) -> pa.Table:
    """Turn (hash, project, trace id) into an Arrow table."""
    return pa.table(
        {
            "trace_hash": pa.array([trace[0] for trace in traces], _HASH),
            "project": _array([trace[1] for trace in traces], _TEXT),
            "trace_id": _array([trace[2] for trace in traces], _TEXT),
        }
    )


def logs_table(logs: Sequence[tuple[tuple[int, str, str, str], str]]) -> pa.Table:
    """Turn ((hash, project, trace id, span id), encoded log) into an Arrow table."""
    return keys_table([key for key, _ in logs]).append_column("log", _array([text for _, text in logs], _TEXT))


def _array(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    # Most columns of a request are empty, or the same throughout.
    if not any(values) and values.count(None) == len(values):
        return _wrapped(pa.nulls(len(values), _TEXT if kind is _JSON else kind), kind)
    try:
        return _typed(values, kind)
    except (OverflowError, pa.ArrowInvalid):
        low, high = _INT64  # a time or count beyond 64 bits: the raw span keeps it as it came
        return _typed([None if value is None else max(low, min(high, value)) for value in values], kind)
    except UnicodeEncodeError:
        return _typed([codec.clean_text(value) for value in values], kind)


def _typed(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    return _wrapped(pa.array(values, _TEXT if kind is _JSON else kind), kind)


def _wrapped(values: pa.Array, kind: pa.DataType) -> pa.Array:
    return pa.ExtensionArray.from_storage(_JSON, values) if kind is _JSON else values


def _hashes(values: list[int]) -> pa.Array:
    return pa.array(np.array(values, np.uint64))


def _json_or_none(values: Iterable[Any]) -> list[str | None]:
    """Write lists and maps as JSON texts, empty ones as null."""
    return [codec.encode_json(one) if one else None for one in values]


SPAN_READ: tuple[str, ...] = (
    *(column for column, _, _ in _PLAIN), *Usage.__struct_fields__, *(column for column, _, _ in COST_COLUMNS),
    *_JSON_LISTS, "input", "output", "session_id", "user_id", "tags", "release", "copied", "revision",
    "attributes", "pieces", "resource", "raw_rest", "fingerprint", "key_hash", "trace_hash",
)  # fmt: skip
"""The columns that make a whole span, in the order `span_of` takes them."""

_DIRECT = tuple((column, field) for column, _, field in _PLAIN)
_USAGE = tuple(Usage.__struct_fields__)


def span_of(values: Sequence[Any]) -> Span:
    """Build a span from a row of SPAN_READ."""
    row = dict(zip(SPAN_READ, values, strict=True))
    fields: dict[str, Any] = {field: row[column] for column, field in _DIRECT}
    if row["cost_state"] is not None:
        fields["cost"] = Cost(
            state=row["cost_state"], nano=row["cost_nano"], currency=row["currency"], nano_usd=row["cost_nano_usd"],
            source=row["price_source"], version=row["price_version"], reason=row["cost_reason"],
            detail=msgspec.json.decode(row["cost_detail"]) if row["cost_detail"] else {},
        )  # fmt: skip
    told, answered = codec.decode_content(row["input"]), codec.decode_content(row["output"])
    raw = codec.decode_raw(row["attributes"], row["resource"], row["raw_rest"])
    if row["pieces"] is not None:
        whole = once.put_back(raw.attributes, row["pieces"], told, answered)
        raw = msgspec.structs.replace(raw, attributes=whole)
    return Span(
        **fields,
        usage=Usage(**{name: row[name] for name in _USAGE}),
        session_id=row["session_id"], user_id=row["user_id"], release=row["release"],
        tags=_tuple(row["tags"]), finish_reasons=_tuple(row["finish_reasons"]), dialects=_tuple(row["dialects"]),
        tools=_tuple(row["tools"]), parameters=msgspec.json.decode(row["parameters"]) if row["parameters"] else {},
        input=told, output=answered, raw=raw,
    )  # fmt: skip


def _tuple(text: str | None) -> tuple[Any, ...]:
    return tuple(msgspec.json.decode(text)) if text else ()


SPAN_ROW_READ: tuple[str, ...] = tuple(
    {"start_time": "start_ns", "input": "input_preview", "output": "output_preview"}.get(name, name)
    for name in SpanRow.__struct_fields__
)
SCORE_READ: tuple[str, ...] = tuple("time_ns" if name == "time" else name for name in Score.__struct_fields__)


def row_of(values: Sequence[Any]) -> Row:
    """Build a row to amend from a row of SPAN_READ, its own facts apart from those the trace gave."""
    stored = dict(zip(SPAN_READ, values, strict=True))
    span = span_of(values)
    encoded = encode(span.raw, {})  # made anew: an earlier release hashed otherwise
    given = {name: getattr(span, name) for name, bit in FACT_BITS if stored["copied"] & bit}
    bare = msgspec.structs.replace(span, **{name: () if name == "tags" else None for name in given})
    row = Row(bare, encoded, stored["key_hash"], stored["trace_hash"], stored["revision"])
    row.facts = given
    return row


def span_row_of(values: Iterable[Any]) -> SpanRow:
    """Build a list row from a row of SPAN_ROW_READ."""
    return SpanRow(**dict(zip(SpanRow.__struct_fields__, values, strict=True)))


def score_of(values: Iterable[Any]) -> Score:
    """Build a score from a row of SCORE_READ."""
    return Score(**dict(zip(Score.__struct_fields__, values, strict=True)))
