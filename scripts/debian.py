"""Make sure Debian packages that tests drive are here: install them where we may, else say how.

`python scripts/debian.py prometheus:prometheus,promtool strace:strace`: each word is a package and the commands it brings.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys


def main(words: list[str]) -> int:
    """Return 0 when every command is here."""
    missing = [
        package
        for package, _, commands in (word.partition(":") for word in words)
        if not all(shutil.which(command) for command in (commands or package).split(","))
    ]
    if not missing:
        return 0
    names = " ".join(missing)
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        sys.stderr.write(f"error: the tests need Debian's {names}, not installed here.\n")
        sys.stderr.write(f"  sudo apt-get install --no-install-recommends {names}\n")
        return 2
    sys.stderr.write(f"== installing Debian's {names} ==\n")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *missing]):
        done = subprocess.run(["apt-get", *command], env=environment, stdout=subprocess.DEVNULL, check=False)  # noqa: S603, S607 - fixed words
        if done.returncode:
            sys.stderr.write(f"error: apt-get {' '.join(command)} failed; is a Debian mirror reachable?\n")
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
