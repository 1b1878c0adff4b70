"""Progress of long work on the terminal: a bar where there is one to show, plain lines in a pipe."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from watchkeeper.cli.terminal import stderr

__all__ = ["Counting", "TerminalProgress", "counting"]


class TerminalProgress:
    """What long work says of itself, on stderr; it counts bytes, or rows."""

    def __init__(self, *, rows: bool = False) -> None:
        self._console = stderr()
        self._bar = Progress(
            SpinnerColumn(), TextColumn("{task.description}"), BarColumn(bar_width=30),
            MofNCompleteColumn() if rows else DownloadColumn(), TimeElapsedColumn(), console=self._console, transient=True,
        )  # fmt: skip
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        """Start."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the bar away."""
        self._clear()

    def step(self, text: str) -> None:
        """Say what is being done now."""
        self._clear()
        self._console.print(f"[cyan]·[/] {text}")

    def progress(self, text: str, done: int, total: int) -> None:
        """Show how far it has come."""
        if not self._console.is_terminal:
            return
        if self._task is None:
            self._bar.start()
            self._task = self._bar.add_task(text, total=total or None)
        self._bar.update(self._task, description=text, completed=done, total=total or None)

    def done(self, text: str) -> None:
        """Say what was finished, or found."""
        self._clear()
        self._console.print(f"[green]✓[/] {text}")

    def _clear(self) -> None:
        if self._task is not None:
            self._bar.remove_task(self._task)
            self._task = None
            self._bar.stop()


class Counting:
    """A bar over things that are counted; nothing in a pipe."""

    def __init__(self, bar: Progress | None, task: TaskID | None) -> None:
        self._bar = bar
        self._task = task

    def tell(self, done: int, total: int | None) -> None:
        """Say how many are done, and of how many where that is known now."""
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=done, total=total)  # None leaves what was said before


@contextmanager
def counting(text: str) -> Iterator[Counting]:
    """Show a bar on stderr while the work lasts."""
    console = stderr()
    if not console.is_terminal:
        yield Counting(None, None)
        return
    columns = SpinnerColumn(), TextColumn("{task.description}"), BarColumn(bar_width=30), MofNCompleteColumn()
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as bar:
        yield Counting(bar, bar.add_task(text, total=None))
