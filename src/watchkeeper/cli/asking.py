"""How price verbs reach what they ask: a running server, else the folder that no server holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from watchkeeper.cli.remote import server_of
from watchkeeper.kit.settings import ServerSettings, read

if TYPE_CHECKING:
    from watchkeeper.server import Services

__all__ = ["Ask", "asking"]

Ask = Callable[[dict[str, Any]], dict[str, Any]]
"""A question to its answer, both as JSON."""


@contextmanager
def asking(
    method: str,
    path: str,
    here: Callable[[Services, str, dict[str, Any]], dict[str, Any]],
    *,
    url: str | None,
    data_dir: Path | None,
    project: str | None,
) -> Iterator[Ask]:
    """Give the way to ask `path` under `/api/v1`; `here` answers from (services, project, question) without a server.

    A GET sends its question in the query, leaving out what is None.
    """
    settings = read(ServerSettings, data_dir=data_dir)
    server = server_of(settings, url, project)
    if server is not None:
        if method == "GET":
            yield lambda body: dict(server.ask(method, f"{path}{_query(body)}"))
        else:
            yield lambda body: dict(server.ask(method, path, body))
        return
    from watchkeeper.server import assemble
    from watchkeeper.server.lockfile import FolderLock

    with FolderLock(settings.folder()):
        services = assemble(settings, settings.folder())
        try:
            yield lambda body: here(services, project or "default", body)
        finally:
            services.close()


def _query(body: dict[str, Any]) -> str:
    from urllib.parse import urlencode

    told = {name: one for name, one in body.items() if one is not None}
    return f"?{urlencode(told)}" if told else ""
