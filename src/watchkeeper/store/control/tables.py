"""The control store's tables, as SQLAlchemy models. The migrations beside them make these."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

__all__ = [
    "HEAD", "KNOWN", "ApiKey", "Base", "DatasetItemRow", "DatasetItemVersion", "DatasetRow", "DatasetRunItemRow",
    "DatasetRunRow", "Link", "LoginSession", "MediaUseRow", "MediumRow", "Membership", "Project",
    "PromptLabelRow", "PromptRow", "PromptVersionRow", "User",
]  # fmt: skip

KNOWN = ("0001", "0002", "0003", "0004")
"""Every revision this release can bring up to date, in order."""

HEAD = KNOWN[-1]
"""The newest revision this release knows. Kept here so that an up-to-date file needs no Alembic to open."""


class Base(DeclarativeBase):
    """The root of the models. Times are UTC without a zone."""


class Project(Base):
    """What spans and keys belong to."""

    __tablename__ = "projects"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    created_at: Mapped[datetime]


class ApiKey(Base):
    """A key pair: the public part names it, of the secret part only the SHA-256 is kept."""

    __tablename__ = "api_keys"

    id: Mapped[str] = mapped_column(primary_key=True)
    project: Mapped[str] = mapped_column(ForeignKey("projects.id"), index=True)
    public_id: Mapped[str] = mapped_column(unique=True)
    secret_sha256: Mapped[str] = mapped_column(unique=True)
    scopes: Mapped[str]
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    name: Mapped[str] = mapped_column(server_default="")
    created_by: Mapped[str | None]
    last_used_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    replaced_by: Mapped[str | None]


class User(Base):
    """A person; the password is kept as an argon2id hash, None until it was chosen."""

    __tablename__ = "users"

    id: Mapped[str] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    password_hash: Mapped[str | None]
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]


class Membership(Base):
    """What a person may do in a project."""

    __tablename__ = "memberships"

    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"), primary_key=True)
    project: Mapped[str] = mapped_column(ForeignKey("projects.id"), primary_key=True, index=True)
    role: Mapped[str]
    created_at: Mapped[datetime]


class Link(Base):
    """An invitation, or (with a user) a way to choose a new password; good once, of the token only the SHA-256 is kept."""

    __tablename__ = "links"

    id: Mapped[str] = mapped_column(primary_key=True)
    project: Mapped[str] = mapped_column(ForeignKey("projects.id"), index=True)
    email: Mapped[str]
    role: Mapped[str]
    user_id: Mapped[str | None] = mapped_column(ForeignKey("users.id"), index=True)
    token_sha256: Mapped[str] = mapped_column(unique=True)
    created_by: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class LoginSession(Base):
    """A signed-in browser; of its token only the SHA-256 is kept. Ended ones are deleted."""

    __tablename__ = "login_sessions"

    id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"), index=True)
    token_sha256: Mapped[str] = mapped_column(unique=True)
    agent: Mapped[str]
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class PromptRow(Base):
    """A prompt's name and what all its versions share. JSON is kept as text, here and below."""

    __tablename__ = "prompts"
    __table_args__ = (UniqueConstraint("project", "name"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    project: Mapped[str] = mapped_column(ForeignKey("projects.id"))
    name: Mapped[str]
    tags: Mapped[str]
    newest: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class PromptVersionRow(Base):
    """One version of a prompt; never changed once written."""

    __tablename__ = "prompt_versions"

    prompt: Mapped[str] = mapped_column(ForeignKey("prompts.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    type: Mapped[str]
    content: Mapped[str]
    config: Mapped[str]
    message: Mapped[str | None]
    created_by: Mapped[str]
    created_at: Mapped[datetime]


class PromptLabelRow(Base):
    """Which version of a prompt a label sits on: one."""

    __tablename__ = "prompt_labels"
    __table_args__ = (
        ForeignKeyConstraint(["prompt", "version"], ["prompt_versions.prompt", "prompt_versions.version"]),
    )

    prompt: Mapped[str] = mapped_column(primary_key=True)
    label: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]


class DatasetRow(Base):
    """A named set of test cases."""

    __tablename__ = "datasets"
    __table_args__ = (UniqueConstraint("project", "name"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    project: Mapped[str] = mapped_column(ForeignKey("projects.id"))
    name: Mapped[str]
    description: Mapped[str | None]
    about: Mapped[str]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class DatasetItemRow(Base):
    """A test case's id, and the dataset it belongs to for good."""

    __tablename__ = "dataset_items"

    project: Mapped[str] = mapped_column(ForeignKey("projects.id"), primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    dataset: Mapped[str] = mapped_column(ForeignKey("datasets.id"), index=True)
    created_at: Mapped[datetime]


class DatasetItemVersion(Base):
    """What a test case said from `since` until `until`, which is empty while it holds."""

    __tablename__ = "dataset_item_versions"
    __table_args__ = (
        ForeignKeyConstraint(["project", "item"], ["dataset_items.project", "dataset_items.id"]),
        Index("ix_dataset_item_versions_item", "project", "item"),
        Index("ix_dataset_item_versions_source", "project", "source_trace"),
    )

    key: Mapped[int] = mapped_column(primary_key=True)
    project: Mapped[str]
    item: Mapped[str]
    dataset: Mapped[str] = mapped_column(ForeignKey("datasets.id"), index=True)
    since: Mapped[datetime]
    until: Mapped[datetime | None]
    archived: Mapped[bool]
    input: Mapped[str]
    expected: Mapped[str]
    about: Mapped[str]
    source_trace: Mapped[str | None]
    source_span: Mapped[str | None]
    erased_at: Mapped[datetime | None]


class DatasetRunRow(Base):
    """One pass over a dataset: an experiment."""

    __tablename__ = "dataset_runs"
    __table_args__ = (UniqueConstraint("dataset", "name"),)

    project: Mapped[str] = mapped_column(ForeignKey("projects.id"), primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    dataset: Mapped[str] = mapped_column(ForeignKey("datasets.id"))
    name: Mapped[str]
    description: Mapped[str | None]
    about: Mapped[str]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class DatasetRunItemRow(Base):
    """The trace that a run made of one item."""

    __tablename__ = "dataset_run_items"
    __table_args__ = (
        ForeignKeyConstraint(["project", "run"], ["dataset_runs.project", "dataset_runs.id"]),
        UniqueConstraint("project", "run", "item", "trace_id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    project: Mapped[str]
    run: Mapped[str]
    item: Mapped[str]
    trace_id: Mapped[str]
    span_id: Mapped[str | None]
    created_at: Mapped[datetime]


class MediumRow(Base):
    """Bytes that a project keeps in a file; empty `uploaded_at` while they are not there."""

    __tablename__ = "media"

    project: Mapped[str] = mapped_column(ForeignKey("projects.id"), primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    sha256: Mapped[str]
    content_type: Mapped[str]
    size: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime]
    uploaded_at: Mapped[datetime | None]


class MediaUseRow(Base):
    """A place that refers to a medium; what does not apply is empty text, so that each place is there once."""

    __tablename__ = "media_uses"
    __table_args__ = (
        ForeignKeyConstraint(["project", "media"], ["media.project", "media.id"]),
        Index("ix_media_uses_trace", "project", "trace_id"),
        Index("ix_media_uses_item", "project", "item"),
    )

    project: Mapped[str] = mapped_column(primary_key=True)
    media: Mapped[str] = mapped_column(primary_key=True)
    trace_id: Mapped[str] = mapped_column(primary_key=True)
    span_id: Mapped[str] = mapped_column(primary_key=True)
    dataset: Mapped[str] = mapped_column(primary_key=True)
    item: Mapped[str] = mapped_column(primary_key=True)
    field: Mapped[str] = mapped_column(primary_key=True)
    created_at: Mapped[datetime]
