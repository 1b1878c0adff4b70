"""What Langfuse's shapes share: camelCase names, pages by number, names with slashes."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import unquote

from fastapi import Query, Request
from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from watchkeeper.kit.errors import NotServedError

__all__ = ["Limit", "Meta", "PageNumber", "Theirs", "names", "not_served"]

PageNumber = Annotated[int, Query(ge=1, le=1_000_000)]
Limit = Annotated[int, Query(ge=1, le=100)]


class Theirs(BaseModel):
    """A shape of theirs. What a client sends besides is left alone: their generations differ in what they add."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore")


class Meta(Theirs):
    """Which page this is, and of how many."""

    page: int
    limit: int
    total_items: int
    total_pages: int

    @classmethod
    def of(cls, page: int, limit: int, total: int) -> Meta:
        """Build it from the number of rows in all."""
        return cls(page=page, limit=limit, total_items=total, total_pages=-(-total // limit))


def names(request: Request, pattern: str) -> tuple[str, ...]:
    """Return the decoded names that a pattern finds in the path as it was sent, where a name's own slash is %2F.

    Raises:
        NotServedError: the path is of another form.
    """
    sent = request.scope.get("raw_path") or request.url.path.encode()
    found = re.fullmatch(pattern, sent.decode("latin-1").partition("?")[0])
    if found is None:
        raise not_served(request)
    return tuple(unquote(name) for name in found.groups() if name is not None)


def not_served(request: Request, what: str = "") -> NotServedError:
    """Return the refusal of a call, or of a part of it, that is not served."""
    return NotServedError(
        f"Watchkeeper does not serve {request.method} {request.url.path}{what and ' with ' + what}",
        hint="see docs/langfuse.md",
    )
