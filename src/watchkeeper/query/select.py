"""One SELECT over two tables and known functions, or a refusal that says what and where.

An allow-list, because DuckDB's own switches do not stop `INSERT`, `ATTACH ':memory:'` or
`duckdb_settings()` from a user's cursor.
"""

from __future__ import annotations

from difflib import get_close_matches

from sqlglot import exp

from watchkeeper.kit.errors import QueryRefusedError
from watchkeeper.query.functions import FUNCTIONS, NODES
from watchkeeper.query.parser import parse_statements
from watchkeeper.query.weight import check_weight

__all__ = ["TABLES", "parse_select"]

TABLES = ("spans", "scores")


def parse_select(sql: str) -> exp.Query:
    """Parse the text as one SELECT (WITH and UNION included) over `spans` and `scores`.

    Raises:
        QueryRefusedError: anything else; the message names the offending part.
        QueryComplexError: it is too long, too deep or too hard to parse.
    """
    statements = parse_statements(sql)
    if len(statements) != 1:
        raise QueryRefusedError(f"one SELECT is expected, {len(statements)} statements were sent")
    tree = statements[0]
    if not isinstance(tree, exp.Query):
        raise QueryRefusedError(f"only SELECT is allowed, not {tree.key.upper()}")
    _check_tables(tree)
    for node in tree.walk():
        _check_node(node)
    check_weight(tree)
    return tree


def _check_tables(tree: exp.Query) -> None:
    # A name is good only where the WITH before it defines it: a looser rule would let a forward
    # reference fall through to a physical table, past the project filter.
    seen: set[str] = set()
    outer = tree.args.get("with_") or tree.args.get("with")
    for inner in tree.find_all(exp.With):
        if inner is not outer:
            raise QueryRefusedError("WITH is allowed at the top of the query only")
        if inner.args.get("recursive"):
            raise QueryRefusedError("WITH RECURSIVE is not allowed")
    in_ctes: set[int] = set()
    for cte in outer.expressions if outer is not None else ():
        name = cte.alias_or_name.lower()
        if name in TABLES:
            raise QueryRefusedError(f"WITH may not redefine the table {name!r}")
        for table in cte.find_all(exp.Table):
            _check_table(table, seen)
            in_ctes.add(id(table))
        seen.add(name)
    for table in tree.find_all(exp.Table):
        if id(table) not in in_ctes:
            _check_table(table, seen)


def _check_table(table: exp.Table, named: set[str]) -> None:
    if not isinstance(table.this, exp.Identifier):
        called = table.this
        name = (
            called.sql_name() if isinstance(called, exp.Func) and not isinstance(called, exp.Anonymous) else called.name
        )
        raise QueryRefusedError(f"table functions are not allowed: {name.lower()}")
    text = ".".join(part.name for part in table.parts)[:80]
    name = table.name.lower()
    if table.db or table.catalog or (name not in TABLES and name not in named):
        near = get_close_matches(name, TABLES, n=1, cutoff=0.5)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise QueryRefusedError(f"there is no table {text!r}{hint}", hint="the tables are spans and scores")


def _check_node(node: exp.Expr) -> None:
    if isinstance(node, exp.Anonymous):
        _check_function(node.name)
    elif isinstance(node, exp.Func):
        _check_function(node.sql_name())
    elif not isinstance(node, NODES):
        raise QueryRefusedError(f"{type(node).__name__} is not allowed{f': {node.name[:80]}' if node.name else ''}")


def _check_function(name: str) -> None:
    if name.lower() not in FUNCTIONS:
        raise QueryRefusedError(f"the function {name.lower()!r} is not allowed", hint="see docs/reference/sql.md")
