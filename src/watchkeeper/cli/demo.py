"""`watchkeeper demo`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["demo"]


def demo(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the dashboard.")] = 7070,
    model: Annotated[
        Path | None, typer.Option(help="A GGUF file to use instead of the downloaded SmolLM2-135M.")
    ] = None,
    data_dir: Annotated[
        Path | None, typer.Option(help="Keep the demo's data here instead of a temporary folder.")
    ] = None,
    seconds: Annotated[
        float | None, typer.Option(envvar="DEMO_SECONDS", help="End by itself after so many seconds.")
    ] = None,
) -> None:
    """Run the whole thing on a real local model: server, SmolLM2, an instrumented support bot. No API key. (beta)"""
    from watchkeeper.cli.progress import TerminalProgress
    from watchkeeper.demo import DemoOptions, run

    with TerminalProgress() as say:
        run(DemoOptions(host=host, port=port, model=model, data_dir=data_dir, seconds=seconds), say)
