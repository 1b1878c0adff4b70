"""`watchkeeper version`."""

from __future__ import annotations

import json
import platform
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed

from watchkeeper.cli.options import Json
from watchkeeper.cli.terminal import stdout

__all__ = ["version"]

_PARTS = ("duckdb", "genai-prices", "opentelemetry-sdk", "fastapi", "xllamacpp")


def version(as_json: Json = False) -> None:
    """Print the version, and those of the parts it stands on. (stable)"""
    parts = {"python": platform.python_version()} | {name: _installed(name) for name in _PARTS}
    console = stdout()
    if as_json:
        console.print(json.dumps({"watchkeeper": installed("watchkeeper"), **parts}), markup=False)
        return
    console.print(f"watchkeeper {installed('watchkeeper')}")
    for name, found in parts.items():
        console.print(f"  {name:<18} {found or 'not installed'}", style="dim")


def _installed(name: str) -> str | None:
    try:
        return installed(name)
    except PackageNotFoundError:
        return None
