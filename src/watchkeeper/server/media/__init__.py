"""Media: bytes that traces and test cases refer to, kept as files beside the store (ADR 15, docs/langfuse.md)."""

from __future__ import annotations

from watchkeeper.server.media.files import MEDIA_FOLDER, MediaFiles, media_id
from watchkeeper.server.media.links import Links
from watchkeeper.server.media.service import MediaService
from watchkeeper.server.media.sweep import prune, sweep

__all__ = ["MEDIA_FOLDER", "Links", "MediaFiles", "MediaService", "media_id", "prune", "sweep"]
