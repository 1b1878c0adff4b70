"""How large a query becomes when an engine writes it out: names replaced by what they stand for.

An engine's planner copies a WITH where it is named, an alias where it is used, an argument where a function is
rewritten, and hears no interrupt meanwhile. Each can double the one before: 20 short lines make a million tables,
or a string of a gigabyte out of constants. So what a query would become is weighed first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from sqlglot import exp

from watchkeeper.kit.errors import QueryComplexError

__all__ = ["check_weight"]

_MAX_TABLES = 32
_MAX_COLUMNS = 3_000
_MAX_WEIGHT = 10_000
_OWN_WIDTH = 60
"""Columns of `spans`, and some to come."""
_LITERAL = 100
"""Characters of a constant that weigh as much as one name."""
_UNKNOWN_REPLACEMENT = 50
_HINT = "split it, or ask for less at once"
_REPLACING = (exp.Replace, exp.RegexpReplace)
_QUERIES = (exp.Select, exp.SetOperation, exp.Subquery)


@dataclass
class _Shape:
    """What a FROM sees of a table: how many columns, and what those weigh that weigh more than a name."""

    width: int = 1
    weights: dict[str, int] = field(default_factory=dict)

    @property
    def heaviest(self) -> int:
        return max(self.weights.values(), default=1)


def check_weight(tree: exp.Query) -> None:
    """Refuse a query that would be written out too large.

    Raises:
        QueryComplexError: it names too many tables or columns, or an expression becomes too large.
    """
    tables: dict[str, int] = {}
    shapes: dict[str, _Shape] = {}
    outer = tree.args.get("with_") or tree.args.get("with")
    inside: set[int] = set()
    for cte in outer.expressions if outer is not None else ():
        name = cte.alias_or_name.lower()
        found = list(cte.find_all(exp.Table))
        inside |= {id(table) for table in found}
        tables[name] = max(1, _count(found, tables))
        shapes[name] = _renamed(_Weigher(shapes).query(cte.this), cte.args.get("alias"))
    _count((table for table in tree.find_all(exp.Table) if id(table) not in inside), tables)
    _Weigher(shapes).query(tree)


def _count(found: Iterable[exp.Table], tables: dict[str, int]) -> int:
    count = sum(tables.get(table.name.lower(), 1) for table in found)
    if count > _MAX_TABLES:
        raise QueryComplexError(
            f"the query reads {count} tables, each WITH counted wherever it is named; the limit is {_MAX_TABLES}",
            hint=_HINT,
        )
    return count


def _renamed(shape: _Shape, alias: exp.Expr | None) -> _Shape:
    """Give a table with an alias for its columns the heaviest weight under each of the new names."""
    names = alias.args.get("columns") if alias is not None else None
    if not names:
        return shape
    return _Shape(shape.width, shape.weights | {one.name.lower(): shape.heaviest for one in names})


class _Weigher:
    """Weighs the queries of one scope; `outer` are the names that a subquery sees around it."""

    def __init__(self, ctes: dict[str, _Shape], outer: dict[str, int] | None = None) -> None:
        self._ctes = ctes
        self._names: dict[str, int] = dict(outer or {})

    def query(self, node: exp.Expr) -> _Shape:
        """Return the shape of a SELECT, a set operation or one in parentheses."""
        if isinstance(node, exp.Select):
            return _Weigher(self._ctes, self._names).select(node)
        if isinstance(node, exp.SetOperation):
            left, right = self.query(node.this), self.query(node.expression)
            heaviest = max(left.heaviest, right.heaviest)
            shape = _Shape(max(left.width, right.width), dict.fromkeys(left.weights | right.weights, heaviest))
        else:
            shape = (
                _renamed(self.query(node.this), node.args.get("alias")) if isinstance(node, exp.Subquery) else _Shape()
            )
        self._rest(node, shape)
        return shape

    def select(self, select: exp.Select) -> _Shape:
        """Return the shape of a SELECT, having weighed all of it."""
        sources = [self._source(one) for one in _sources(select)]
        for one in sources:
            self._learn(one.weights)
        found = _Shape(width=0)
        for projected in select.expressions:
            inner = projected.unalias()
            star = inner if isinstance(inner, exp.Star) else inner.this if isinstance(inner, exp.Column) else None
            if isinstance(star, exp.Star):
                self._star(star, sources, found)
                continue
            weight = self.weigh(inner)
            found.width += 1
            self._learn({projected.alias_or_name.lower(): weight})
            found.weights[projected.alias_or_name.lower()] = weight
        if found.width > _MAX_COLUMNS:
            raise QueryComplexError(f"the query has {found.width} columns; the limit is {_MAX_COLUMNS}", hint=_HINT)
        self._rest(select, found)
        return found

    def _star(self, star: exp.Star, sources: list[_Shape], found: _Shape) -> None:
        for one in sources:
            found.width += one.width
            found.weights |= one.weights
        for changed in (*(star.args.get("replace") or ()), *(star.args.get("rename") or ())):
            found.weights[changed.alias_or_name.lower()] = max(self.weigh(changed), found.heaviest)

    def _rest(self, node: exp.Expr, shape: _Shape) -> None:
        """Weigh the clauses beside the projections: each may use the names they made."""
        self._learn(shape.weights)
        for name, value in node.args.items():
            if name in {
                "expressions",
                "from_",
                "from",
                "joins",
                "laterals",
                "with_",
                "with",
                "this",
                "expression",
                "alias",
            }:
                continue
            for one in value if isinstance(value, list) else [value]:
                if isinstance(one, exp.Expr):
                    self.weigh(one)
        for join in node.args.get("joins") or ():
            if isinstance(join.args.get("on"), exp.Expr):
                self.weigh(join.args["on"])

    def _source(self, node: exp.Expr) -> _Shape:
        alias = node.args.get("alias")
        if isinstance(node, exp.Table):
            shape = self._ctes.get(node.name.lower(), _Shape(width=_OWN_WIDTH))
        elif isinstance(node if isinstance(node, exp.Subquery) else node.this, exp.Subquery):
            shape = self.query(node.this)
        else:
            shape = _Shape(weights={"": self.weigh(node)})
        shape = _renamed(shape, alias)
        # A table's own name is a column too: the row as a whole.
        row = {node.alias_or_name.lower(): shape.width * shape.heaviest}
        return _Shape(shape.width, row | shape.weights) if row[node.alias_or_name.lower()] > 1 else shape

    def _learn(self, weights: dict[str, int]) -> None:
        for name, weight in weights.items():
            self._names[name] = max(weight, self._names.get(name, 1))

    def weigh(self, node: exp.Expr) -> int:
        """Return what an expression weighs with every name in it written out."""
        weight = self._weigh(node)
        if weight > _MAX_WEIGHT:
            raise QueryComplexError("an expression becomes too large with its names written out", hint=_HINT)
        return weight

    def _weigh(self, node: exp.Expr) -> int:
        if isinstance(node, _QUERIES):
            return 1 + self.query(node).heaviest
        if isinstance(node, exp.Column):
            parts = [self._names.get(part.name.lower(), 1) for part in node.parts]
            return max(parts, default=1)
        if isinstance(node, exp.Literal):
            return max(1, len(node.name) // _LITERAL)
        children = {name: sum(self.weigh(one) for one in _children(value)) for name, value in node.args.items()}
        whole = 1 + sum(children.values())
        if isinstance(node, exp.Nullif):
            whole += children.get("this", 0)
        elif isinstance(node, exp.Case):
            whole += children.get("this", 0) * len(node.args.get("ifs") or ())
        elif isinstance(node, _REPLACING):
            whole += children.get("this", 0) * _growth(node, children.get("replacement", 0))
        elif any(isinstance(one, exp.Lambda) for value in node.args.values() for one in _children(value)):
            whole *= 2  # rewritten with every name it captures
        return whole


def _growth(node: exp.Expr, weight: int) -> int:
    """Return how many times longer a replacement can make a text than it was, rounded down."""
    replacement, sought = node.args.get("replacement"), node.args.get("expression")
    if replacement is None:
        return 0
    if not isinstance(replacement, exp.Literal):
        return _UNKNOWN_REPLACEMENT * weight
    if isinstance(node, exp.Replace) and isinstance(sought, exp.Literal) and sought.name:
        return (len(replacement.name) - 1) // len(sought.name)
    return len(replacement.name)


def _children(value: object) -> list[exp.Expr]:
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, exp.Expr)]


def _sources(select: exp.Select) -> Iterator[exp.Expr]:
    source = select.args.get("from_") or select.args.get("from")
    tables = [source.this] if source is not None else []
    tables += [join.this for join in select.args.get("joins") or ()]
    tables += select.args.get("laterals") or ()
    for table in tables:
        yield table
        yield from (join.this for join in table.args.get("joins") or ())
