"""How Alembic runs here: on the connection it is handed, never on a URL of its own."""

from __future__ import annotations

from alembic import context

from watchkeeper.store.control.tables import Base

__all__: list[str] = []

context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata)
with context.begin_transaction():
    context.run_migrations()
