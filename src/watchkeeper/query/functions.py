"""What a user's SELECT may be made of.

Adding a name here is a security decision: it must read no file, no setting and no other table, and
must not allocate without bound (hence no `range`, `repeat`, `lpad`).
"""

from __future__ import annotations

from sqlglot import exp

__all__ = ["FUNCTIONS", "NODES"]

_NAMES = """
    abs age and any_value approx_count_distinct approx_distinct approx_quantile approxquantile arg_max arg_min
    argmax argmin array array_agg array_contains array_length array_size arrayagg avg between bool_and bool_or
    case cast ceil ceiling char_length coalesce concat concat_ws contains corr count count_if countif cume_dist
    current_date current_datetime current_timestamp date date_add date_bin date_diff date_part date_sub
    date_trunc datediff datetrunc day day_of_week dayofweek days dense_rank ends_with endswith epoch epoch_ms
    epoch_ns epoch_us exists exp explode extract filter first first_value floor greatest group_concat
    groupconcat hour hours if ifnull ilike initcap instr is_inf is_nan isinf isnan json_array_length json_exists
    json_extract json_extract_path json_extract_scalar json_extract_string json_keys json_type jsonarraylength
    jsonextract jsonextractscalar lag last last_value lead least left len length like list list_contains
    list_distinct list_extract list_filter list_sort list_sum list_value ln log log10 log2 logical_and
    logical_or lower ltrim make_timestamp max max_by median min min_by minute mod mode month monthname now
    nth_value ntile nullif or parse_json percent_rank percentile_cont percentile_disc position pow power
    quantile quantile_cont quantile_disc quarter rank regexp_extract regexp_full_match regexp_like
    regexp_matches regexp_replace replace right round row_number rownumber rtrim second sign split split_part
    sqrt starts_with startswith stddev stddev_pop stddev_samp stddevpop stddevsamp str_position str_to_time
    strftime string_agg string_split strip strlen strpos strptime strtotime struct_extract substr substring sum
    time_bucket time_to_str timestamp_trunc timestamptrunc timetostr to_days to_hours to_minutes to_seconds
    to_timestamp trim trunc try_cast trycast typeof unix_to_time unixtotime unnest upper var_pop var_samp
    variance variance_pop variancepop week xor year
"""

FUNCTIONS = frozenset(_NAMES.split())
"""Lower-case names: DuckDB's, and sqlglot's own names for the ones it knows."""

NODES: tuple[type[exp.Expr], ...] = (
    exp.Select, exp.SetOperation, exp.Subquery, exp.With, exp.CTE, exp.From, exp.Join, exp.Where, exp.Group,
    exp.Having, exp.Order, exp.Ordered, exp.Limit, exp.Offset, exp.Distinct, exp.Qualify, exp.Table, exp.TableAlias,
    exp.Column, exp.Star, exp.Identifier, exp.Alias, exp.Aliases, exp.Literal, exp.Boolean, exp.Null, exp.Paren,
    exp.Tuple, exp.Binary, exp.Unary, exp.Between, exp.In, exp.Case, exp.If, exp.Cast, exp.DataType,
    exp.DataTypeParam, exp.Interval, exp.IntervalSpan, exp.Var, exp.Window, exp.WindowSpec, exp.Filter,
    exp.WithinGroup, exp.Bracket, exp.Slice, exp.Dot, exp.JSONPath, exp.JSONPathKey, exp.JSONPathRoot,
    exp.JSONPathSubscript, exp.JSONPathPart, exp.IgnoreNulls, exp.RespectNulls, exp.AtTimeZone, exp.Collate,
    exp.Cube, exp.Rollup, exp.GroupingSets, exp.Lateral, exp.Unnest, exp.Predicate, exp.Any, exp.All, exp.Exists,
    exp.Lambda, exp.Escape,
)  # fmt: skip
