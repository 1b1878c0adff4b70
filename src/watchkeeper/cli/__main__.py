"""`python -m watchkeeper.cli`."""

from __future__ import annotations

from watchkeeper.cli import main

if __name__ == "__main__":
    main()
