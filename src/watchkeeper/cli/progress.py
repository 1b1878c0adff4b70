"""Progress of long work on the terminal: a bar where there is one to show, plain lines in a pipe."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.progress import BarColumn, DownloadColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from watchkeeper.cli.terminal import stderr

__all__ = ["TerminalProgress"]


class TerminalProgress:
    """What `demo` says, on stderr."""

    def __init__(self) -> None:
        self._console = stderr()
        self._bar = Progress(
            SpinnerColumn(), TextColumn("{task.description}"), BarColumn(bar_width=30), DownloadColumn(),
            TimeElapsedColumn(), console=self._console, transient=True,
        )  # fmt: skip
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        """Start."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the bar away."""
        self._bar.stop()

    def step(self, text: str) -> None:
        """Say what is being done now."""
        self._clear()
        self._console.print(f"[cyan]·[/] {text}")

    def progress(self, text: str, done_bytes: int, total_bytes: int) -> None:
        """Show how far a transfer has come."""
        if not self._console.is_terminal:
            return
        if self._task is None:
            self._bar.start()
            self._task = self._bar.add_task(text, total=total_bytes or None)
        self._bar.update(self._task, description=text, completed=done_bytes, total=total_bytes or None)

    def done(self, text: str) -> None:
        """Say what was finished, or found."""
        self._clear()
        self._console.print(f"[green]✓[/] {text}")

    def _clear(self) -> None:
        if self._task is not None:
            self._bar.remove_task(self._task)
            self._task = None
            self._bar.stop()
