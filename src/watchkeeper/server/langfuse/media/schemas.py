"""Langfuse's shapes of media."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated

from pydantic import Field

from watchkeeper.kit.errors import RequestError
from watchkeeper.kit.ids import is_trace_id
from watchkeeper.server.langfuse.shapes import Theirs
from watchkeeper.server.media import media_id
from watchkeeper.server.schemas import Time
from watchkeeper.store.media import NewMedium, Use

__all__ = ["MediaOut", "MediumIn", "UploadOut", "UploadedIn"]

_SHA256 = 32
Name = Annotated[str | None, Field(max_length=500)]


class MediumIn(Theirs):
    """A medium to upload: of a trace, or of an item of a dataset. `sha256Hash` is in standard base64."""

    trace_id: Name = None
    observation_id: Name = None
    dataset_id: Name = None
    dataset_item_id: Name = None
    content_type: Annotated[str, Field(max_length=200)]
    content_length: Annotated[int, Field(ge=1, le=1 << 40)]
    sha256_hash: Annotated[str, Field(max_length=100, alias="sha256Hash")]
    field: Annotated[str | None, Field(max_length=100)] = None

    def medium(self) -> NewMedium:
        """Return it as the store takes it.

        Raises:
            RequestError: the hash is none.
        """
        try:
            raw = base64.b64decode(self.sha256_hash, validate=True)
        except (binascii.Error, ValueError):
            raw = b""
        if len(raw) != _SHA256:
            raise RequestError("sha256Hash is not a SHA-256 in base64")
        return NewMedium(
            id=media_id(raw.hex()), sha256=raw.hex(), content_type=self.content_type.lower(), size=self.content_length
        )

    def use(self) -> Use:
        """Return where it is used; a UUID of SDK 2 is the trace id that its trace is stored by.

        Raises:
            RequestError: it is of nothing, of both, or of a trace whose id is none.
        """
        if (self.trace_id is None) == (self.dataset_item_id is None):
            raise RequestError("media are of a trace (traceId) or of an item of a dataset (datasetItemId)")
        trace = (self.trace_id or "").replace("-", "").lower()
        if self.trace_id is not None and not is_trace_id(trace):
            raise RequestError(f"{self.trace_id[:100]!r} is not a trace id")
        return Use(
            trace_id=trace, span_id=self.observation_id or "", dataset=self.dataset_id or "",
            item=self.dataset_item_id or "", field=self.field or "",
        )  # fmt: skip


class UploadOut(Theirs):
    """Where to put the bytes; null where they are there already, or are not to be kept."""

    media_id: str
    upload_url: str | None


class UploadedIn(Theirs):
    """What the client says of its upload. What came is known from the upload itself."""

    upload_http_status: int | None = None


class MediaOut(Theirs):
    """A medium, and where to fetch it for a while."""

    media_id: str
    content_type: str
    content_length: int
    uploaded_at: Time
    url: str
    url_expiry: Time
