"""Backup and restore: the `backups` slice of the API, and the archive itself."""

from __future__ import annotations

from watchkeeper.server.backup.archive import Archive, Facts, pack, save
from watchkeeper.server.backup.endpoints import router
from watchkeeper.server.backup.exchange import ASIDE as RESTORED_OVER
from watchkeeper.server.backup.record import BACKUP_FILE, last_backup
from watchkeeper.server.backup.restore import RestoreReport, restore
from watchkeeper.server.backup.service import BackupService

__all__ = [
    "BACKUP_FILE", "RESTORED_OVER", "Archive", "BackupService", "Facts", "RestoreReport", "last_backup", "pack", "restore",
    "router", "save",
]  # fmt: skip
