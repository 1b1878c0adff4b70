"""What the query endpoint takes and answers."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ConfigDict, Field

from watchkeeper.query import MAX_SQL
from watchkeeper.server.schemas import Model
from watchkeeper.store.api import QueryLimits

__all__ = ["QueryIn", "QueryOut"]


class QueryIn(Model):
    """One SELECT over `spans` and `scores`; columns in docs/reference/sql.md."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"sql": "select model, count(*) from spans group by model"}]}
    )

    sql: Annotated[str, Field(min_length=1, max_length=MAX_SQL)]
    max_rows: Annotated[int, Field(ge=1, le=QueryLimits().rows)] = QueryLimits().rows


class QueryOut(Model):
    """The answer; `truncated` when the row limit cut it."""

    columns: list[str]
    rows: list[list[Any]]
    truncated: bool
