"""`watchkeeper backup`."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Annotated, Any

import typer

from watchkeeper.cli.options import DataDir, Url
from watchkeeper.cli.progress import TerminalProgress
from watchkeeper.cli.remote import Server, server_of
from watchkeeper.cli.terminal import stderr, stdout
from watchkeeper.kit.errors import ConfigError, StoreError, StoreFullError, WatchkeeperError
from watchkeeper.kit.settings import ServerSettings, read

__all__ = ["backup"]

_POLL = 0.25
_STDOUT = "-"
Report = dict[str, Any]


def backup(
    file: Annotated[str, typer.Argument(help="File to write, or - for standard output.")],
    force: Annotated[bool, typer.Option("--force", help="Replace the file where it exists.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the report as JSON (to standard error with -).")
    ] = False,
    data_dir: DataDir = None,
    url: Url = None,
) -> None:
    """Back up everything stored into one file, while the server runs and ingests. (beta)

    Everything acknowledged before it began is in it. It is read back and verified. It holds what the data folder holds,
    keys' hashes and the pseudonyms' salt included: keep it as safe. Example: watchkeeper backup /backup/watchkeeper.zip
    """
    target = None if file == _STDOUT else Path(file)
    _check(target, force=force)
    began = time.monotonic()
    with _taking(url, data_dir) as (report, chunks), _writing(target) as out:
        report["bytes"], report["sha256"] = _save(chunks, out)
    if target is not None:
        report |= _verified(target)
    report |= {"file": file, "seconds": round(time.monotonic() - began, 3)}
    if report["set_aside"]:
        stderr().print(
            f"not in it: {report['set_aside']:,} files of what could not be stored (watchkeeper journal list)",
            style="yellow",
        )
    console = stderr() if target is None else stdout()
    if as_json:
        console.print(json.dumps(report), markup=False)
    else:
        console.print(f"backed up {_said(report)} to {'standard output' if target is None else file}", markup=False)


def _check(target: Path | None, *, force: bool) -> None:
    if target is None:
        if sys.stdout.isatty():
            raise ConfigError("a backup is not for a terminal", hint="name a file, or send standard output to one")
        return
    if target.is_dir():
        raise ConfigError(f"{target} is a folder", hint="name a file in it")
    if not target.parent.is_dir():
        raise ConfigError(f"the folder {target.parent} is missing", hint="make it first")
    if target.exists() and not force:
        raise ConfigError(f"{target} is there already", hint="--force replaces it once the new one is whole")


@contextmanager
def _taking(url: str | None, data_dir: Path | None) -> Iterator[tuple[Report, Iterator[bytes]]]:
    """Make the backup; give what it holds, and its archive in pieces."""
    settings = read(ServerSettings, data_dir=data_dir)
    folder = settings.folder()
    from watchkeeper.server.lockfile import FolderLock

    server = server_of(settings, url)
    if server is not None:
        with _remote(server) as found:
            yield found
        return
    from watchkeeper.store.factory import SPANS_FILE

    if not (folder / SPANS_FILE).exists():
        raise ConfigError(f"there is nothing to back up in {folder}", hint="--data-dir names another folder")
    from watchkeeper.server import assemble
    from watchkeeper.server.backup import pack

    with FolderLock(folder):
        services = assemble(settings, folder)
        try:
            with TerminalProgress(rows=True) as bar:
                snapshot = services.backups.make(lambda done, whole: bar.progress("copying", done, whole))
            try:
                facts = snapshot.facts
                yield (
                    {
                        "taken_at": facts.taken_at,
                        "spans": facts.spans,
                        "scores": facts.scores,
                        "set_aside": len(services.store.kept()),
                    },
                    pack(facts, snapshot.files()),
                )
                services.backups.note(facts)
            finally:
                snapshot.drop()
        finally:
            services.close()


@contextmanager
def _remote(server: Server) -> Iterator[tuple[Report, Iterator[bytes]]]:
    state = server.ask("POST", "/backups")
    path = f"/backups/{state['id']}"
    try:
        with TerminalProgress(rows=True) as bar:
            while state["state"] == "copying":
                time.sleep(_POLL)
                state = server.ask("GET", path)
                bar.progress("copying", state["rows_done"], state["rows_all"])
        if state["state"] == "failed":
            raise StoreError(f"the server could not make the backup: {state['error']}", hint=state["hint"])
        report = {name: state[name] for name in ("taken_at", "spans", "scores")}
        report["set_aside"] = len(server.ask("GET", "/journal")["files"])
        yield report, server.fetch(f"{path}/archive")
    finally:
        # It lets go of its copy by itself after a while, should this not reach it.
        with suppress(WatchkeeperError):
            server.ask("DELETE", path)


@contextmanager
def _writing(target: Path | None) -> Iterator[IO[bytes]]:
    if target is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    from watchkeeper.server.files import is_full, replacing

    try:
        with replacing(target) as out:
            yield out
    except OSError as error:
        if is_full(error):
            raise StoreFullError(
                f"no space left for {target}; nothing is left of it", hint="free some space, or choose another disk"
            ) from None
        raise ConfigError(f"{target} cannot be written: {error.strerror}") from None


def _save(chunks: Iterator[bytes], out: IO[bytes]) -> tuple[int, str]:
    from watchkeeper.server.backup import save

    with TerminalProgress() as bar:
        return save(_watched(chunks, lambda done: bar.progress("writing", done, 0)), out)


def _watched(chunks: Iterator[bytes], told: Callable[[int], None]) -> Iterator[bytes]:
    done = 0
    for chunk in chunks:
        yield chunk
        done += len(chunk)
        told(done)


def _verified(target: Path) -> Report:
    """Read the file back and compare every sum; it is worth nothing if it cannot be read."""
    from watchkeeper.server.backup import Archive

    with Archive.opened(target) as archive, TerminalProgress() as bar:
        archive.verify(lambda done, whole: bar.progress("verifying", done, whole))
        return {"spans": archive.manifest.spans, "scores": archive.manifest.scores, "verified": True}


def _said(report: Report) -> str:
    return f"{report['spans']:,} spans, {report['scores']:,} scores ({report['bytes']:,} bytes)"
