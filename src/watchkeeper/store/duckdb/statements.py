"""Every fixed statement of the backend. What depends on a filter is built in `filters`, as a tree."""

# ruff: noqa: S608 - the pieces are constants of this package; values travel as parameters

from __future__ import annotations

import re

from sqlglot import exp

from watchkeeper.model import Usage
from watchkeeper.model.semconv import MASKED_PREFIX
from watchkeeper.store.duckdb.rows import COST_COLUMNS, SCORE_READ, SPAN_READ, SPAN_ROW_READ
from watchkeeper.store.figures import LATENCY_BOUNDS

__all__: list[str] = []  # a vocabulary: used as statements.NAME

# A checkpoint writes the last, unfilled row group again: small ones keep its stall short. The size
# can only be set by attaching.
_ROW_GROUP = 16_384
USE = "USE store"


def attach(path: str) -> str:
    """Return the statement that attaches the file; a path cannot be a parameter."""
    return f"ATTACH {exp.Literal.string(path).sql('duckdb')} AS store (ROW_GROUP_SIZE {_ROW_GROUP})"


def memory_limit(size: int) -> str:
    """Return the statement that limits the engine's memory to so many bytes."""
    return f"SET GLOBAL memory_limit = '{int(size)}B'"


TABLES = "SELECT table_name FROM duckdb_tables() WHERE NOT internal"
FORMAT = "SELECT max(version) FROM format"
CREATE_FORMAT = "CREATE TABLE IF NOT EXISTS format (version INTEGER NOT NULL, applied TIMESTAMP NOT NULL)"
SET_FORMAT = "INSERT INTO format VALUES ($version, now()::TIMESTAMP)"
LOCK_DOWN = (
    # A store that is closed late, its file replaced already, must not touch the log of the one that took its place.
    "PRAGMA disable_checkpoint_on_shutdown",
    "SET GLOBAL TimeZone = 'UTC'",
    # The one that stays open, for `cache`; no statement of a user's can set anything.
    "SET GLOBAL allowed_configs = ['memory_limit']",
    "SET GLOBAL enable_external_access = false",
    "SET GLOBAL lock_configuration = true",
)
CHECKPOINT = "CHECKPOINT"
MEMORY = """
SELECT coalesce(sum(memory_usage_bytes), 0)::BIGINT,
       coalesce(sum(memory_usage_bytes) FILTER (WHERE tag = 'BASE_TABLE'), 0)::BIGINT
FROM duckdb_memory()
"""

# Opening: what the index is rebuilt from, and what was left to do.
KEYS = "SELECT key_hash, start_ns FROM spans"
TRACES = "SELECT trace_hash, min(start_ns) AS low, max(start_ns) AS high FROM spans GROUP BY trace_hash"
SCORE_KEYS = "SELECT id_hash, time_ns FROM scores"
PENDING_KEYS = "SELECT key_hash, count(*) FROM pending_logs GROUP BY key_hash"
REVISION = """
    SELECT greatest((SELECT coalesce(max(revision), 0) FROM spans), (SELECT coalesce(max(revision), 0) FROM erased))"""
FOLDED = "SELECT max(folded) FROM journal"
SET_FOLDED = "UPDATE journal SET folded = $entry::UBIGINT"
IDENTITY = "SELECT store FROM identity"
DUE_TRACES = "SELECT DISTINCT trace_hash FROM facts_due"

# Writing. `incoming` and `keys` are Arrow tables registered for the statement.
_SAME_KEY = "s.key_hash = k.key_hash AND s.span_id = k.span_id AND s.trace_id = k.trace_id AND s.project = k.project"
STORED_HEADS = f"""
    SELECT s.key_hash, s.project, s.trace_id, s.span_id, s.fingerprint
    FROM spans s JOIN keys k ON {_SAME_KEY} WHERE s.start_ns BETWEEN $low AND $high"""
STORED_SPANS = f"""
    SELECT {", ".join(f"s.{name}" for name in SPAN_READ)}
    FROM spans s JOIN keys k ON {_SAME_KEY} WHERE s.start_ns BETWEEN $low AND $high"""
DELETE_SPANS = f"DELETE FROM spans s USING keys k WHERE {_SAME_KEY} AND s.start_ns BETWEEN $low AND $high"
INSERT_SPANS = "INSERT INTO spans BY NAME SELECT *, $revision::BIGINT AS revision FROM incoming"
INSERT_ROWS = "INSERT INTO spans BY NAME SELECT * FROM incoming"
DELETE_SCORES = """
    DELETE FROM scores s USING incoming i
    WHERE s.id_hash = i.id_hash AND s.id = i.id AND s.project = i.project AND s.time_ns BETWEEN $low AND $high"""
INSERT_SCORES = "INSERT INTO scores BY NAME SELECT * FROM incoming"
PENDING_LOGS = """
    SELECT p.project, p.trace_id, p.span_id, p.log FROM pending_logs p JOIN keys k
    ON p.key_hash = k.key_hash AND p.span_id = k.span_id AND p.trace_id = k.trace_id AND p.project = k.project"""
DELETE_PENDING = """
    DELETE FROM pending_logs p USING keys k
    WHERE p.key_hash = k.key_hash AND p.span_id = k.span_id AND p.trace_id = k.trace_id AND p.project = k.project"""
INSERT_PENDING = "INSERT INTO pending_logs BY NAME SELECT * FROM incoming"
INSERT_DUE = "INSERT INTO facts_due BY NAME SELECT * FROM incoming"
DELETE_DUE = "DELETE FROM facts_due"


def _best(name: str, bit: int) -> str:
    return (
        f"arg_min(s.{name}, (s.parent_span_id IS NOT NULL, s.start_ns, s.span_id))"
        f" FILTER (s.{name} IS NOT NULL AND s.copied & {bit} = 0) AS {name}"
    )


_FACTS = (("session_id", 1), ("user_id", 2), ("tags", 4), ("release", 8))


def _lacks(name: str, bit: int) -> str:
    return f"(s.{name} IS NULL OR s.copied & {bit} <> 0)"


# One statement: the facts of each due trace from the spans' own values (the root first, then the
# earliest), then the spans that lack one or hold another copy.
COPY_FACTS = f"""
    WITH due AS (SELECT DISTINCT project, trace_id, trace_hash FROM facts_due),
    best AS (
        SELECT s.project, s.trace_id, s.trace_hash, {", ".join(_best(name, bit) for name, bit in _FACTS)}
        FROM spans s JOIN due d ON s.trace_hash = d.trace_hash AND s.trace_id = d.trace_id AND s.project = d.project
        WHERE s.start_ns BETWEEN $low AND $high
        GROUP BY s.project, s.trace_id, s.trace_hash
    )
    UPDATE spans s SET
        {", ".join(f"{name} = CASE WHEN {_lacks(name, bit)} THEN b.{name} ELSE s.{name} END" for name, bit in _FACTS)},
        copied = ({
    " + ".join(f"CASE WHEN {_lacks(name, bit)} AND b.{name} IS NOT NULL THEN {bit} ELSE 0 END" for name, bit in _FACTS)
})::UTINYINT
    FROM best b
    WHERE s.trace_hash = b.trace_hash AND s.trace_id = b.trace_id AND s.project = b.project
      AND s.start_ns BETWEEN $low AND $high
      AND ({" OR ".join(f"({_lacks(name, bit)} AND s.{name} IS DISTINCT FROM b.{name})" for name, bit in _FACTS)})"""

# Calls that two instrumentations told, among traces whose model calls come from more than one scope.
_SCOPE = "coalesce(raw_rest ->> '$.scope[0]', '')"
_TOLD = " + ".join(f"({name} IS NOT NULL)::INTEGER" for name in Usage.__struct_fields__)
CALLS_TWICE = f"""
    WITH mine AS (
        SELECT s.*, {_SCOPE} AS scope, kind IN ('llm', 'embedding', 'reranker') AS is_call
        FROM spans s SEMI JOIN facts_due d ON s.trace_hash = d.trace_hash AND s.trace_id = d.trace_id AND s.project = d.project
        WHERE start_ns BETWEEN $low AND $high
    ), several AS (
        SELECT project, trace_id FROM mine WHERE is_call GROUP BY ALL
        HAVING count(DISTINCT scope) > 1 OR bool_or(duplicate_of IS NOT NULL)
    )
    SELECT project, trace_id, key_hash, span_id, parent_span_id, is_call, kind, scope, start_ns, duration_ns,
           model, request_model, response_model, coalesce(input_tokens, 0), coalesce(output_tokens, 0), status = 'error',
           nullif(response_id, ''), {_TOLD} AS told, cost_state IS DISTINCT FROM 'provided', output IS NULL, input IS NULL,
           duplicate_of
    FROM mine SEMI JOIN several USING (project, trace_id)"""
SET_DUPLICATES = f"""
    UPDATE spans s SET duplicate_of = k.duplicate_of
    FROM keys k WHERE {_SAME_KEY} AND s.start_ns BETWEEN $low AND $high"""

# Erasing. `chosen` is an Arrow table of traces (or of hashes) registered for the statement.
ERASED = "SELECT trace_hash, erased_at FROM erased WHERE erased_at > $since"
INSERT_ERASED = "INSERT INTO erased SELECT trace_hash, $now::BIGINT, $revision::BIGINT FROM chosen"
INSERT_RECLAIM_DUE = "INSERT INTO reclaim_due VALUES ($now::BIGINT)"
SELECTED_TRACES = """
    SELECT DISTINCT trace_id FROM spans WHERE project = $project
    AND (user_id IN (SELECT unnest($users::VARCHAR[])) OR session_id IN (SELECT unnest($sessions::VARCHAR[])))"""
# A mark is a trace's hash; a digest is of project, kind and name, as `store.selecting` writes it.
MARKS = "SELECT trace_hash, max(erased_at) FROM erased GROUP BY trace_hash"
INSERT_MARKS = """
    INSERT INTO erased SELECT hash, erased_at, $revision::BIGINT FROM chosen
    WHERE hash NOT IN (SELECT trace_hash FROM erased)"""
_NAMED = """
    SELECT DISTINCT project, {0} FROM {1} WHERE {0} IS NOT NULL
    AND sha256(project || chr(0) || '{2}' || chr(0) || {0}) IN (SELECT digest FROM chosen)"""
MARKED_TRACES = "SELECT DISTINCT project, trace_id FROM spans WHERE trace_hash IN (SELECT hash FROM chosen)"
TRACES_BESIDE_SPANS = """
    SELECT project, trace_id FROM scores WHERE trace_id IS NOT NULL
    UNION SELECT project, trace_id FROM pending_logs"""
NAMED_USERS = _NAMED.format("user_id", "spans", "user")
NAMED_SESSIONS = tuple(_NAMED.format("session_id", table, "session") for table in ("spans", "scores"))
NAMED_TRACES = tuple(_NAMED.format("trace_id", table, "trace") for table in ("spans", "scores", "pending_logs"))
ALL_WAITING_LOGS = "SELECT project, log FROM pending_logs"
WAITING_LOGS = "SELECT trace_id, log FROM pending_logs WHERE project = $project"
_CHOSEN = "{0}.trace_hash = c.trace_hash AND {0}.trace_id = c.trace_id AND {0}.project = c.project"
_CHOSEN_SPAN = _CHOSEN.format("s")
CHOSEN_SPANS = f"SELECT s.key_hash, s.start_ns, s.trace_id FROM spans s JOIN chosen c ON {_CHOSEN_SPAN}"
EMPTIED_SESSIONS = f"""
    SELECT session_id FROM spans s
    WHERE project = $project AND session_id IN (SELECT session_id FROM spans s JOIN chosen c ON {_CHOSEN_SPAN})
    GROUP BY session_id HAVING bool_and(trace_hash IN (SELECT trace_hash FROM chosen))"""
_OF_SESSION = "trace_id IS NULL AND session_id IN (SELECT unnest($sessions::VARCHAR[]))"
_CHOSEN_SCORE = f"project = $project AND (trace_id IN (SELECT trace_id FROM chosen) OR ({_OF_SESSION}))"
CHOSEN_SCORES = f"SELECT id_hash, trace_id FROM scores WHERE {_CHOSEN_SCORE}"
CHOSEN_PENDING = """
    SELECT p.key_hash, p.trace_id, count(*) FROM pending_logs p
    JOIN chosen c ON p.trace_id = c.trace_id AND p.project = c.project GROUP BY p.key_hash, p.trace_id"""
DELETE_CHOSEN = (
    f"DELETE FROM spans s USING chosen c WHERE {_CHOSEN_SPAN}",
    "DELETE FROM pending_logs p USING chosen c WHERE p.trace_id = c.trace_id AND p.project = c.project",
    f"DELETE FROM facts_due d USING chosen c WHERE {_CHOSEN.format('d')}",
)
DELETE_CHOSEN_SCORES = f"DELETE FROM scores WHERE {_CHOSEN_SCORE}"
KEYS_LEFT = "SELECT key_hash FROM spans JOIN chosen ON key_hash = hash WHERE start_ns BETWEEN $low AND $high"
TRACES_LEFT = "SELECT trace_hash FROM spans JOIN chosen ON trace_hash = hash"
SCORES_LEFT = "SELECT id_hash FROM scores JOIN chosen ON id_hash = hash"

# Retention: the oldest spans of a service, at most so many.
EXPIRE_CUT = """
    SELECT start_ns FROM spans WHERE project = $project AND service = $service AND start_ns < $before
    ORDER BY start_ns LIMIT 1 OFFSET $most"""
_OLD = "project = $project AND service = $service AND start_ns < $before"
OLD_SPANS = f"SELECT key_hash, start_ns, trace_hash, trace_id FROM spans WHERE {_OLD}"
MAKE_LEANING_DUE = """
    INSERT INTO facts_due BY NAME SELECT DISTINCT s.trace_hash, s.project, s.trace_id FROM spans s
    JOIN chosen c ON s.trace_hash = c.trace_hash AND s.trace_id = c.trace_id AND s.project = c.project
    WHERE s.duplicate_of IS NOT NULL"""
DELETE_OLD = f"DELETE FROM spans WHERE {_OLD}"
TRACES_LEFT_WITHIN = (
    "SELECT DISTINCT trace_hash FROM spans JOIN chosen ON trace_hash = hash WHERE start_ns BETWEEN $low AND $high"
)
DELETE_SCORES_OF = """
    DELETE FROM scores s USING chosen c WHERE s.trace_id = c.trace_id AND s.project = c.project RETURNING s.id_hash"""
SERVICES = "SELECT project, service, min(start_ns) FROM spans GROUP BY project, service ORDER BY project, service"

# Copying into a new file.
TIME_EDGES = "SELECT quantile_disc(start_ns, $parts::DOUBLE[]) FROM spans"
BLOCKS = """
    SELECT used_blocks * block_size, free_blocks * block_size FROM pragma_database_size()
    WHERE database_name = 'store'"""
ALL_SCORES = "SELECT * FROM scores"
READ_TRACES = "SELECT s.* FROM spans s JOIN chosen c ON s.trace_hash = c.hash WHERE s.start_ns BETWEEN $low AND $high"
READ_SCORES = "SELECT s.* FROM scores s JOIN chosen c ON s.id_hash = c.hash"
DROP_TRACES = "DELETE FROM spans s USING chosen c WHERE s.trace_hash = c.hash"
DROP_SCORES = "DELETE FROM scores s USING chosen c WHERE s.id_hash = c.hash"
DETACH = ("USE memory", "DETACH store")
RECLAIM_DUE = "SELECT min(since) FROM reclaim_due"


def insert_into(table: str) -> str:
    """Return the statement that inserts `incoming` into a table of ours."""
    return f"INSERT INTO {table} BY NAME SELECT * FROM incoming"


def time_slice(low: int | None, high: int | None) -> tuple[str, dict[str, int]]:
    """Return the statement that reads the spans of (low, high] ns whole, and its parameters; None is no limit."""
    edges = {name: edge for name, edge in (("low", low), ("high", high)) if edge is not None}
    terms = " AND ".join(f"start_ns {'>' if name == 'low' else '<='} ${name}" for name in edges)
    return f"SELECT * FROM spans{' WHERE ' + terms if terms else ''}", edges


# Pricing anew. The costs that were read must still stand.
_COSTS = [column for column, _, _ in COST_COLUMNS]
REPRICE = f"""
    UPDATE spans s SET {", ".join(f"{name} = k.{name}" for name in _COSTS)}
    FROM changes k WHERE {_SAME_KEY} AND s.start_ns BETWEEN $low AND $high
      AND {" AND ".join(f"s.{name} IS NOT DISTINCT FROM k.old_{name}" for name in _COSTS)}"""

# Mapping anew. What was read must still stand.
REMAPPED_BY = ("fingerprint", "mapper", *_COSTS)
STORED_MARKS = f"""
    SELECT s.key_hash, s.project, s.trace_id, s.span_id, {", ".join(f"s.{name}" for name in REMAPPED_BY)}
    FROM spans s JOIN keys k ON {_SAME_KEY} WHERE s.start_ns BETWEEN $low AND $high"""
SET_MAPPER = f"""
    UPDATE spans s SET mapper = $mapper::INTEGER
    FROM keys k WHERE {_SAME_KEY} AND s.start_ns BETWEEN $low AND $high"""

# Reading. `filters` adds WHERE, ORDER BY and LIMIT.
SPANS = f"SELECT {', '.join(SPAN_READ)} FROM spans"
SPAN_ROWS = f"SELECT {', '.join(SPAN_ROW_READ)} FROM spans"
SCORES = f"SELECT {', '.join(SCORE_READ)} FROM scores"
COUNT_SPANS = "SELECT count(*) FROM spans"
WINDOW_START = "SELECT start_ns FROM spans"

_MODEL = "kind IN ('llm', 'embedding', 'reranker')"
PRICED_READ = (
    "trace_id", "span_id", "service", "kind", "start_ns", "duration_ns", "provider", "model", "request_model",
    "response_model", *Usage.__struct_fields__, "parameters", "endpoint_host", "region", *_COSTS,
)  # fmt: skip
PRICED_SPANS = f"SELECT {', '.join(PRICED_READ)} FROM spans WHERE {_MODEL}"
_COUNTED = f"{_MODEL} AND duplicate_of IS NULL"
_ENTRY = "(parent_span_id IS NOT NULL, start_ns, span_id)"
TRACE_KEYS = f"""
    SELECT trace_id, trace_hash, min(start_ns) FILTER (revision <= $seen) AS started,
           arg_min(status, {_ENTRY}) AS entry_status
    FROM spans GROUP BY trace_id, trace_hash"""
TRACES_BEFORE = "SELECT DISTINCT trace_id FROM spans"
# Of the span's own keys: inside a text of JSON the quote would be escaped.
_MASKED = rf"""list_sum(regexp_extract_all(attributes, '[{{,]"{re.escape(MASKED_PREFIX)}[a-z_]+":([0-9]{{1,9}})', 1)::BIGINT[])"""
TRACE_ROWS = f"""
    SELECT
        trace_id,
        arg_min(struct_pack(
            name := name, service := service, environment := environment, session_id := session_id,
            user_id := user_id, tags := tags, status := status, output := output_preview
        ), {_ENTRY}) AS entry,
        arg_min(input_preview, {_ENTRY}) FILTER (input_preview <> '') AS first_input,
        arg_max(output_preview, (start_ns, span_id)) FILTER (output_preview <> '' AND {_COUNTED}) AS last_output,
        arg_min(session_id, {_ENTRY}) AS session_id,
        arg_min(user_id, {_ENTRY}) AS user_id,
        arg_min(tags, {_ENTRY}) AS tags,
        min(start_ns) AS started,
        max(start_ns + duration_ns) - min(start_ns) AS duration_ns,
        count(*) AS spans,
        count(*) FILTER ({_COUNTED}) AS calls,
        count(*) FILTER (status = 'error') AS errors,
        count(*) FILTER ({_COUNTED} AND cost_nano_usd IS NULL) AS unpriced,
        list_sort(list(DISTINCT model) FILTER ({_COUNTED} AND model IS NOT NULL)) AS models,
        coalesce(sum(input_tokens) FILTER ({_COUNTED}), 0)::BIGINT AS input_tokens,
        coalesce(sum(output_tokens) FILTER ({_COUNTED}), 0)::BIGINT AS output_tokens,
        (sum(cost_nano_usd) FILTER ({_COUNTED}))::BIGINT AS cost_nano_usd,
        coalesce(sum({_MASKED}) FILTER (contains(attributes, '{MASKED_PREFIX}')), 0)::BIGINT AS masked
    FROM spans GROUP BY trace_id"""

_COUNTS = """
        count(*) AS requests,
        count(*) FILTER (status = 'error') AS errors,
        count(*) FILTER (cost_nano_usd IS NULL) AS unpriced,
        coalesce(sum(input_tokens), 0)::BIGINT AS input_tokens,
        coalesce(sum(output_tokens), 0)::BIGINT AS output_tokens,
        sum(cost_nano_usd)::BIGINT AS cost_nano_usd"""
_SUMS = f"""{_COUNTS},
        quantile_cont(duration_ns, [0.5, 0.95, 0.99]) AS percentiles"""
TOTALS = f"""
    SELECT {_SUMS}, [{", ".join(f"count(*) FILTER (duration_ns <= {bound})" for bound in LATENCY_BOUNDS)}] AS latency
    FROM spans WHERE {_COUNTED}"""
BY_MODEL = f"""
    SELECT provider, model, {_SUMS}
    FROM spans WHERE {_COUNTED} GROUP BY provider, model
    ORDER BY cost_nano_usd DESC NULLS LAST, requests DESC, provider NULLS FIRST, model NULLS FIRST"""
OVER_TIME = f"""
    SELECT (start_ns - $since) // $step AS bucket, {_SUMS}
    FROM spans WHERE {_COUNTED} GROUP BY bucket ORDER BY bucket"""
# Pieces of an overview, of a width of time each; see `rollup`.
CELLS = f"""
    SELECT start_ns // $width AS chunk, (start_ns - $since) // $step AS bucket, service, provider, model,
           {_COUNTS}, list(duration_ns) AS durations
    FROM spans WHERE {_COUNTED}
    GROUP BY chunk, bucket, service, provider, model ORDER BY chunk, bucket"""
SESSIONS = """
    SELECT session_id, min(start_ns) AS began, arg_min(environment, (start_ns, trace_id, span_id)) AS first_environment,
           count(*) OVER () AS total
    FROM spans WHERE session_id IS NOT NULL GROUP BY session_id"""
DISTINCT = {column: f"SELECT DISTINCT {column} FROM spans" for column in ("service", "environment", "model", "user_id")}
COUNT_TRACES = "SELECT count(DISTINCT trace_hash) FROM spans"

# Costs by the hour.
HOURS = f"""
    SELECT project, (start_ns // 3600000000000) * 3600000000000 AS start, price_source, currency,
           count(*) AS calls, count(*) FILTER (cost_nano IS NULL) AS unpriced,
           coalesce(sum(input_tokens), 0)::BIGINT AS input_tokens,
           coalesce(sum(output_tokens), 0)::BIGINT AS output_tokens,
           sum(cost_nano)::BIGINT AS cost_nano, sum(cost_nano_usd)::BIGINT AS cost_nano_usd
    FROM spans
    WHERE {_COUNTED} AND start_ns >= $since AND start_ns < $until AND starts_with(price_source, $source)
    GROUP BY project, start, price_source, currency ORDER BY start, price_source, currency, project"""

# What users see where it is stored otherwise.
USER_EXPRESSIONS = {
    "tags": "from_json(coalesce(tags, '[]'), '[\"VARCHAR\"]')",
    "finish_reasons": "from_json(coalesce(finish_reasons, '[]'), '[\"VARCHAR\"]')",
}
