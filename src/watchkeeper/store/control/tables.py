"""The control store's tables, as SQLAlchemy models. The migrations beside them make these."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

__all__ = ["HEAD", "KNOWN", "ApiKey", "Base", "Project"]

KNOWN = ("0001",)
"""Every revision this release can bring up to date, in order."""

HEAD = KNOWN[-1]
"""The newest revision this release knows. Kept here so that an up-to-date file needs no Alembic to open."""


class Base(DeclarativeBase):
    """The root of the models."""


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
