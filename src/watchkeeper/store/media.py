"""What is known of media: which bytes a project keeps, and what refers to them; what the store promises, and its shapes.

The bytes themselves are files; here are their facts. A **medium** is named by its content: its id is the first 22
characters of the URL-safe base64 of its SHA-256. A **use** is a place that refers to it: a trace (and a span of it), or an
item of a dataset. Within one project:

- **Waiting.** A medium is made by its first use, and waits until `arrived` says that its bytes are there.
- **Going.** A medium that nothing uses is deleted with its last use; `drop` returns which, so that their bytes can go.
- **Projects.** No call sees or changes another project's rows; the same bytes in two projects are two media.
- **Durable.** What a call that changes something returned is on disk.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

import msgspec

__all__ = ["MediaStore", "Medium", "NewMedium", "Use"]


class Use(msgspec.Struct, frozen=True, kw_only=True):
    """A place that refers to a medium: a trace, or an item; the other is "". `field` says where in it."""

    trace_id: str = ""
    span_id: str = ""
    dataset: str = ""
    item: str = ""
    field: str = ""


class NewMedium(msgspec.Struct, frozen=True, kw_only=True):
    """A medium that was announced. `sha256` is 64 hex digits, `size` bytes."""

    id: str
    sha256: str
    content_type: str
    size: int


class Medium(NewMedium, frozen=True, kw_only=True):
    """A medium. Times are nanoseconds since the epoch; `uploaded_at` is None while its bytes are not there."""

    project: str
    created_at: int
    uploaded_at: int | None


class MediaStore(Protocol):
    """See the module. Every method may be called from any thread."""

    def announce(self, project: str, given: NewMedium, use: Use) -> Medium:
        """Note a use of a medium, which is made if need be. What it is said to be is only changed while it waits.

        Raises:
            RequestError: there is another medium of this id.
        """
        ...

    def find(self, project: str, media_id: str) -> Medium | None:
        """Return the medium of this id."""
        ...

    def arrived(self, project: str, media_id: str) -> bool:
        """Note that its bytes are there; False where it is not announced any more."""
        ...

    def size(self) -> int:
        """Return the bytes of all media of all projects, those that are waited for too."""
        ...

    def projects(self) -> tuple[str, ...]:
        """Return the projects that have media."""
        ...

    def traces(self, project: str, *, after: str = "", limit: int | None = None) -> list[tuple[str, int]]:
        """Return the traces that use media and their newest use (ns), sorted, those after `after`."""
        ...

    def items(self, project: str, *, after: str = "", limit: int | None = None) -> list[tuple[str, int]]:
        """Return the items of datasets that use media and their newest use (ns), sorted, those after `after`."""
        ...

    def drop(self, project: str, *, traces: Collection[str] = (), items: Collection[str] = ()) -> list[Medium]:
        """Forget every use by these; return the media that nothing uses now, which are forgotten too."""
        ...

    def drop_waiting(self, before: int) -> list[Medium]:
        """Forget media announced before a time (ns) whose bytes never came; return them."""
        ...
