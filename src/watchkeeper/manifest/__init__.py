"""Floor 2: `watchkeeper.toml` to typed, validated objects. What a key means in action is another room's business."""

from __future__ import annotations

from watchkeeper.manifest.policy import CONTENT_MODES, Manifest, ServicePolicy, currency_code, default_policy
from watchkeeper.manifest.read import load, loads
from watchkeeper.manifest.watch import ManifestFile

__all__ = [
    "CONTENT_MODES",
    "Manifest",
    "ManifestFile",
    "ServicePolicy",
    "currency_code",
    "default_policy",
    "load",
    "loads",
]
