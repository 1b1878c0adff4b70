"""Floor 3: the SQL a user may write. Text to AST; nothing is executed here."""

from __future__ import annotations

from watchkeeper.query.parser import MAX_SQL
from watchkeeper.query.select import TABLES, parse_select

__all__ = ["MAX_SQL", "TABLES", "parse_select"]
