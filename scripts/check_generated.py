"""What leaves the process is checked against a committed copy: openapi.json and the pages that are generated.

`--write` writes them anew.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.main import get_command

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.clients.page import page

from watchkeeper.cli.verbs import application
from watchkeeper.doctor import RULES
from watchkeeper.kit.settings import ForeignSettings, ImportSettings, SdkSettings, ServerSettings, describe
from watchkeeper.server import assemble, create_app, openapi

ROOT = Path(__file__).resolve().parents[1]
FINDINGS = "<!-- findings: written by scripts/check_generated.py -->"


def main() -> int:
    """Return 1 when a committed copy is stale."""
    stale = []
    for name, text in generated().items():
        path = ROOT / name
        if "--write" in sys.argv:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        elif not path.is_file() or path.read_text() != text:
            stale.append(name)
    for name in stale:
        sys.stderr.write(f"{name} is stale; make format writes it anew\n")
    return 1 if stale else 0


def generated() -> dict[str, str]:
    """Return each generated file's path and text."""
    return {
        "openapi.json": _openapi(),
        "docs/reference/settings.md": _settings(),
        "docs/reference/cli.md": _cli(),
        "docs/operations/doctor.md": _doctor(),
        "docs/compatibility.md": page(),
    }


def _openapi() -> str:
    services = assemble(ServerSettings(), None)
    try:
        return json.dumps(openapi(create_app(services)), indent=1, sort_keys=True) + "\n"
    finally:
        services.close()


def _settings() -> str:
    parts = ["# Settings", "", "Generated from `src/watchkeeper/kit/settings.py`. A flag wins over a variable."]
    kinds = {"Server": ServerSettings, "SDK": SdkSettings, "Doctor": ForeignSettings, "Import": ImportSettings}
    for title, kind in kinds.items():
        parts += ["", f"## {title}", "", "| variable | default | meaning |", "|---|---|---|"]
        parts += [
            f"| `{env}` | {f'`{default}`' if default else ''} | {text} |" for env, text, default in describe(kind)
        ]
    return "\n".join(parts) + "\n"


def _cli() -> str:
    root = get_command(application)
    parts = [
        "# Command line",
        "",
        "Generated from `watchkeeper --help`. Exit codes: 0 good, 2 configuration, 103 infrastructure.",
    ]
    for name, command in _commands(root):
        parts += ["", f"## watchkeeper {name}", "", (command.help or "").strip().replace("\x0c", ""), ""]
        for parameter in command.params:
            names = ", ".join(f"`{option}`" for option in parameter.opts) if parameter.opts else parameter.name
            text = " ".join((getattr(parameter, "help", None) or "").split())
            parts.append(f"- {names}: {text}")
    return "\n".join(parts).rstrip() + "\n"


def _commands(group: Any, before: str = "") -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - click's commands and groups
    for name, command in sorted(getattr(group, "commands", {}).items()):
        if hasattr(command, "commands"):
            yield from _commands(command, f"{before}{name} ")
        else:
            yield before + name, command


def _doctor() -> str:
    """Return the page with the table of findings in its place, the rest as it is."""
    before, mark, rest = (ROOT / "docs/operations/doctor.md").read_text().partition(FINDINGS)
    rows = ["", "", "| id | | looked at | what it means | how it is mended |", "|---|---|---|---|---|"]
    rows += [
        f"| {one.id} | {one.severity} | {one.check} | {one.meaning} | {_code(one.mend)} |" for one in RULES.values()
    ]
    return before + mark + "\n".join(rows) + "\n" + rest[rest.index("\n<!-- end") :]


def _code(mend: str) -> str:
    return mend.replace("|", "\\|")


if __name__ == "__main__":
    sys.exit(main())
