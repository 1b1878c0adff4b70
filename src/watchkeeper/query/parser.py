"""DuckDB's grammar with bounds: no text holds the parser for long, however it is nested.

sqlglot tries one reading after another and starts anew after each. Nested, that is exponential: 24 times `row(`
inside each other, 148 characters, cost 40 s. So brackets are counted before anything is parsed, and the parser's
steps and nodes are counted while it works.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.errors import SqlglotError
from sqlglot.parsers.duckdb import DuckDBParser
from sqlglot.tokenizer_core import Token, TokenType

from watchkeeper.kit.errors import QueryComplexError, QueryRefusedError

__all__ = ["MAX_DEPTH", "MAX_SQL", "parse_statements"]

MAX_SQL = 20_000
"""Characters."""
MAX_DEPTH = 100
"""Levels of the tree: `a or a or …` is one a term."""
_MAX_NESTING = 40
"""Brackets and CASEs inside each other: sqlglot takes some 25 Python frames for one, and Python has 1,000."""
_MAX_TOKENS = 5_000
_STEPS, _STEPS_A_TOKEN = 2_000, 6
"""Tokens may be looked at again and again where the parser goes back. A plain query takes less than 2 a token."""
_HINT = "split it, or ask for less at once"

_OPENS = frozenset({TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE, TokenType.CASE})
_CLOSES = frozenset({TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE, TokenType.END})


class _Bounded(DuckDBParser):
    """Counts its steps and refuses past a limit."""

    steps_left = _STEPS

    def _advance(self, times: int = 1) -> None:
        # Not a ParseError: those are what the parser itself catches to try the next reading.
        self.steps_left -= 1
        if self.steps_left < 0:
            raise QueryComplexError("the query takes too many steps to parse", hint=_HINT)
        super()._advance(times)

    def _warn_unsupported(self) -> None:
        """Stay silent: its base logs the text, and what a user asks is no business of the log's readers."""


class _Verbatim(DuckDB):
    """DuckDB's dialect with JSON paths and subscripts left as they were written.

    sqlglot reads `attributes->>'gen_ai.request.model'` as a path of three steps; DuckDB means one key. Counting
    subscripts from 0 makes it infer the type of all that stands before each, which is quadratic in a chain.
    """

    INDEX_OFFSET = 0

    def to_json_path(self, path: exp.Expr | None) -> exp.Expr | None:
        return path


def parse_statements(sql: str) -> list[exp.Expr]:
    """Parse the text; every subscript in the tree counts from 1, as DuckDB's own do.

    Raises:
        QueryRefusedError: it is no SQL.
        QueryComplexError: it is too long, too deep or too hard to parse.
    """
    if len(sql) > MAX_SQL:
        raise QueryComplexError(f"the query has {len(sql)} characters; the limit is {MAX_SQL}", hint=_HINT)
    try:
        dialect = _Verbatim()
        tokens = dialect.tokenize(sql)
        _measure(tokens)
        parser = _Bounded(dialect=dialect)
        parser.steps_left = _STEPS + _STEPS_A_TOKEN * len(tokens)
        statements = [one for one in parser.parse(tokens, sql) if one is not None]
    except RecursionError:
        raise QueryComplexError("the query is nested too deeply", hint=_HINT) from None
    except SqlglotError as error:
        raise QueryRefusedError(f"the SQL does not parse: {_first_line(error)}") from error
    for one in statements:
        _check_depth(one)
        for subscript in one.find_all(exp.Bracket):
            if subscript.args.get("offset") is None:
                subscript.set("offset", 1)
    return statements


def _measure(tokens: Sequence[Token]) -> None:
    if len(tokens) > _MAX_TOKENS:
        raise QueryComplexError(f"the query has {len(tokens)} words and signs; the limit is {_MAX_TOKENS}", hint=_HINT)
    depth = 0
    for token in tokens:
        if token.token_type in _OPENS:
            depth += 1
            if depth > _MAX_NESTING:
                raise QueryComplexError(f"the query is nested deeper than {_MAX_NESTING} brackets", hint=_HINT)
        elif token.token_type in _CLOSES and depth:
            depth -= 1


def _check_depth(tree: exp.Expr) -> None:
    level = [tree]
    for _ in range(MAX_DEPTH):
        level = [child for node in level for child in node.iter_expressions()]
        if not level:
            return
    raise QueryComplexError(f"the query is nested deeper than {MAX_DEPTH} levels", hint=_HINT)


def _first_line(error: BaseException) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0].replace("\x1b[4m", "").replace("\x1b[0m", "")[:300]
