"""Write requirements/lock.txt: every dependency of every extra and group at one version, no addresses."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COMMAND = (
    "-m", "uv", "pip", "compile", "pyproject.toml", "--extra", "server", "--extra", "demo", "--group", "dev",
    "--python-version", "3.11", "--universal", "--no-emit-index-url", "--no-header", "--no-annotate", "--quiet",
    "--output-file", "requirements/lock.txt",
)  # fmt: skip


def main() -> int:
    """Return the resolver's exit code."""
    return subprocess.run([sys.executable, *COMMAND], cwd=ROOT, check=False).returncode  # noqa: S603 - fixed words


if __name__ == "__main__":
    sys.exit(main())
