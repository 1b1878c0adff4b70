"""The end of the process: `atexit`, and what stands for it in multiprocessing's children, which leave without it."""

from __future__ import annotations

import atexit
import sys
from collections.abc import Callable

__all__ = ["at_exit", "in_child"]

_LAST = -100
"""Among multiprocessing's finalizers: after the children's children have been joined."""


def at_exit(call: Callable[[], None]) -> None:
    """Call it when this process ends."""
    atexit.register(call)
    in_child(call)
    process = sys.modules.get("multiprocessing.process")
    if process is not None and process.parent_process() is not None:
        _finalize(call)


def in_child(call: Callable[[], None]) -> None:
    """Call it when this process ends, if it is, or just before its work begins becomes, a child of multiprocessing.

    Those clear their finalizers before their work begins, and then call what is registered to be called after a fork.
    """
    util = sys.modules.get("multiprocessing.util")
    if util is not None:
        util.register_after_fork(call, _finalize)


def _finalize(call: Callable[[], None]) -> None:
    from multiprocessing import util

    util.Finalize(None, call, exitpriority=_LAST)
