"""Media, and what uses them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

__all__ = ["down_revision", "revision", "upgrade"]

revision = "0004"
down_revision = "0003"


def _text(name: str, *more: sa.ForeignKey, key: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(), *more, nullable=False, primary_key=key)


def _time(name: str, *, null: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(), nullable=null)


def upgrade() -> None:
    """Make their tables."""
    op.create_table(
        "media", _text("project", sa.ForeignKey("projects.id"), key=True), _text("id", key=True), _text("sha256"),
        _text("content_type"), sa.Column("size", sa.BigInteger(), nullable=False), _time("created_at"),
        _time("uploaded_at", null=True),
    )  # fmt: skip
    op.create_table(
        "media_uses", _text("project", key=True), _text("media", key=True), _text("trace_id", key=True),
        _text("span_id", key=True), _text("dataset", key=True), _text("item", key=True), _text("field", key=True),
        _time("created_at"),
        sa.ForeignKeyConstraint(["project", "media"], ["media.project", "media.id"]),
    )  # fmt: skip
    op.create_index("ix_media_uses_trace", "media_uses", ["project", "trace_id"])
    op.create_index("ix_media_uses_item", "media_uses", ["project", "item"])
