"""Floor 5: history from other tools, brought to a running server over its own HTTP ingest.

One module a source; each turns what it finds into pages of OTLP spans and of scores (`page.py`). `run` delivers them.
"""

from __future__ import annotations

from watchkeeper.importers.deliver import IMPORTED_FROM, Delivery, DryRun, Server
from watchkeeper.importers.langfuse import Langfuse, LangfuseFiles
from watchkeeper.importers.mlflow import MLflow, MLflowFiles
from watchkeeper.importers.otlp_json import OtlpJson
from watchkeeper.importers.page import OtlpSpan, Page, Skipped, Source, Window
from watchkeeper.importers.phoenix import Phoenix, PhoenixFiles
from watchkeeper.importers.run import run
from watchkeeper.importers.state import State, Summary
from watchkeeper.importers.wire import Client

__all__ = [
    "IMPORTED_FROM", "Client", "Delivery", "DryRun", "Langfuse", "LangfuseFiles", "MLflow", "MLflowFiles", "OtlpJson", "OtlpSpan",
    "Page", "Phoenix", "PhoenixFiles", "Server", "Skipped", "Source", "State", "Summary", "Window", "run",
]  # fmt: skip
