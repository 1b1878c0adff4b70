"""WKD72x: is anything that was acknowledged not in the store, and is the journal this store's?"""

from __future__ import annotations

from collections.abc import Iterator

from watchkeeper.doctor.findings import Finding, Rule
from watchkeeper.doctor.scene import Scene
from watchkeeper.kit.errors import StoreError
from watchkeeper.store.factory import SPANS_FILE, foreign_journal, kept_files

__all__ = ["RULES", "check"]

WELL = Rule("WKD720", "ok", "journal", "Everything that was acknowledged is stored, or waits for the next start.")
REFUSED = Rule(
    "WKD721", "warn", "journal", "Exports that were acknowledged could not be stored and were set aside.",
    "watchkeeper journal list, then after an upgrade: watchkeeper journal retry NAME",
)  # fmt: skip
DAMAGED = Rule(
    "WKD722", "warn", "journal", "Pieces of the journal are damaged and were kept: the disk may be failing.",
    "see what the kernel says of the disk (dmesg), then watchkeeper journal drop NAME",
)  # fmt: skip
FOREIGN = Rule(
    "WKD723", "fail", "journal", "The journal belongs to another store than the database beside it: the server does not start.",
    "put back the database it belongs to, or mv FOLDER/spans.duckdb.journal elsewhere",
)  # fmt: skip
RULES = (WELL, REFUSED, DAMAGED, FOREIGN)


def check(scene: Scene) -> Iterator[Finding]:
    """Look at the files in the journal's folder; at whose it is, where no server has the store open."""
    path = scene.folder / SPANS_FILE
    folder = path.with_name(path.name + ".journal")
    try:
        files = kept_files(path)
    except StoreError:
        return  # the data folder's own finding has said so
    bad = 0
    for kind, rule, verb in (("refused", REFUSED, "retry"), ("damaged", DAMAGED, "drop")):
        found = [one for one in files if one.kind == kind]
        if found:
            bad += len(found)
            what = f"{len(found)} {kind}, {sum(one.bytes for one in found):,} bytes, the first {found[0].name}"
            yield rule.found(folder, what, f"watchkeeper journal list; watchkeeper journal {verb} {found[0].name}")
    if scene.running is None and path.exists():
        try:
            owner = foreign_journal(path)
        except StoreError:
            owner = None  # that the store cannot be opened is a finding of its own
        if owner is not None:
            bad += 1
            yield FOREIGN.found(folder, f"it names the store {owner}", f"mv {folder} {folder}.other")
    if not bad and folder.is_dir():
        yield WELL.found(folder)
