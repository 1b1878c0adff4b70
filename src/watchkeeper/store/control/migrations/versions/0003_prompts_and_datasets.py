"""Prompts, and datasets with their items and runs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

__all__ = ["down_revision", "revision", "upgrade"]

revision = "0003"
down_revision = "0002"


def _text(name: str, *more: sa.ForeignKey, null: bool = False, key: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(), *more, nullable=null, primary_key=key)


def _time(name: str, *, null: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(), nullable=null)


def _project(*, key: bool = False) -> sa.Column[str]:
    return _text("project", sa.ForeignKey("projects.id"), key=key)


def upgrade() -> None:
    """Make their tables."""
    _prompts()
    _datasets()
    _runs()


def _prompts() -> None:
    op.create_table(
        "prompts", _text("id", key=True), _project(), _text("name"), _text("tags"),
        sa.Column("newest", sa.Integer(), nullable=False), _time("created_at"), _time("updated_at"),
        sa.UniqueConstraint("project", "name"),
    )  # fmt: skip
    op.create_table(
        "prompt_versions", _text("prompt", sa.ForeignKey("prompts.id"), key=True),
        sa.Column("version", sa.Integer(), primary_key=True, autoincrement=False), _text("type"), _text("content"),
        _text("config"), _text("message", null=True), _text("created_by"), _time("created_at"),
    )  # fmt: skip
    op.create_table(
        "prompt_labels", _text("prompt", key=True), _text("label", key=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["prompt", "version"], ["prompt_versions.prompt", "prompt_versions.version"]),
    )  # fmt: skip


def _datasets() -> None:
    op.create_table(
        "datasets", _text("id", key=True), _project(), _text("name"), _text("description", null=True), _text("about"),
        _time("created_at"), _time("updated_at"),
        sa.UniqueConstraint("project", "name"),
    )  # fmt: skip
    op.create_table(
        "dataset_items", _project(key=True), _text("id", key=True), _text("dataset", sa.ForeignKey("datasets.id")),
        _time("created_at"),
    )  # fmt: skip
    op.create_index("ix_dataset_items_dataset", "dataset_items", ["dataset"])
    op.create_table(
        "dataset_item_versions", sa.Column("key", sa.Integer(), primary_key=True), _text("project"), _text("item"),
        _text("dataset", sa.ForeignKey("datasets.id")), _time("since"), _time("until", null=True),
        sa.Column("archived", sa.Boolean(), nullable=False), _text("input"), _text("expected"), _text("about"),
        _text("source_trace", null=True), _text("source_span", null=True), _time("erased_at", null=True),
        sa.ForeignKeyConstraint(["project", "item"], ["dataset_items.project", "dataset_items.id"]),
    )  # fmt: skip
    op.create_index("ix_dataset_item_versions_dataset", "dataset_item_versions", ["dataset"])
    op.create_index("ix_dataset_item_versions_item", "dataset_item_versions", ["project", "item"])
    op.create_index("ix_dataset_item_versions_source", "dataset_item_versions", ["project", "source_trace"])


def _runs() -> None:
    op.create_table(
        "dataset_runs", _project(key=True), _text("id", key=True), _text("dataset", sa.ForeignKey("datasets.id")),
        _text("name"), _text("description", null=True), _text("about"), _time("created_at"), _time("updated_at"),
        sa.UniqueConstraint("dataset", "name"),
    )  # fmt: skip
    op.create_table(
        "dataset_run_items", _text("id", key=True), _text("project"), _text("run"), _text("item"), _text("trace_id"),
        _text("span_id", null=True), _time("created_at"),
        sa.ForeignKeyConstraint(["project", "run"], ["dataset_runs.project", "dataset_runs.id"]),
        sa.UniqueConstraint("project", "run", "item", "trace_id"),
    )  # fmt: skip
