"""Make sure a Chromium is here for the browser tests: install Debian's where we may, else say how."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys


def main() -> int:
    """Return 0 when a browser is here."""
    if shutil.which("chromium"):
        return 0
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        sys.stderr.write("error: the browser tests need Debian's chromium, and it is not installed.\n")
        sys.stderr.write("  sudo apt-get install chromium\n")
        return 2
    sys.stderr.write("== installing Debian's chromium ==\n")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        ["update", "-qq"],
        ["install", "-y", "-qq", "--no-install-recommends", "chromium", "fonts-dejavu-core"],
    ):
        subprocess.run(["apt-get", *command], check=True, env=environment, stdout=subprocess.DEVNULL)  # noqa: S603, S607 - fixed words
    return 0


if __name__ == "__main__":
    sys.exit(main())
