"""Floor 7: the main job, run on a real local model."""

from __future__ import annotations

from watchkeeper.demo.progress import Progress
from watchkeeper.demo.run import DemoOptions, run

__all__ = ["DemoOptions", "Progress", "run"]
