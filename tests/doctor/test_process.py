"""WKD9xx."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.doctor.conftest import found, look


def test_few_open_files_warn(tmp_path: Path) -> None:
    """A shell that allows 256 files is told to allow more."""
    command = f"ulimit -n 256; exec {sys.executable} -m watchkeeper.cli doctor --json --data-dir {tmp_path}/new"
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, timeout=60, check=False, env=os.environ
    )
    told = {one["id"]: one for one in json.loads(done.stdout)["findings"]}

    assert told["WKD901"]["mend"] == "ulimit -n 256"


def test_a_misspelt_variable_is_named(tmp_path: Path) -> None:
    """A variable nothing reads is a warning that names the one that was probably meant."""
    told = found(look(tmp_path / "new", {"WATCHKEEPER_ENDPONT": "http://127.0.0.1:1"}), "WKD912")

    assert "WATCHKEEPER_ENDPOINT was probably meant" in told.what


def test_values_that_do_not_parse_do_not_stop_the_rest(tmp_path: Path) -> None:
    """Two settings that do not parse are two failures, and every other check still runs."""
    report = look(tmp_path / "new", {"WATCHKEEPER_MEMORY_MIB": "much", "WATCHKEEPER_SAMPLE": "half"})
    told = [one.where for one in report.findings if one.id == "WKD911"]

    assert told == ["WATCHKEEPER_MEMORY_MIB", "WATCHKEEPER_SAMPLE"]
    assert len({one.check for one in report.findings}) > 8
    assert report.exit_code == 2


def test_a_wrong_manifest_fails(tmp_path: Path) -> None:
    """A manifest with a key nobody knows fails with its line."""
    path = tmp_path / "watchkeeper.toml"
    path.write_text("[capture]\ncontnt = 'off'\n")

    assert "line 2" in found(look(tmp_path / "new", {"WATCHKEEPER_MANIFEST": str(path)}), "WKD921").what


@pytest.mark.parametrize("value", ["sideways", "full"])
def test_a_capture_mode_is_checked(tmp_path: Path, value: str) -> None:
    """A capture mode nobody knows is found where the manifest is looked at; a known one is well."""
    path = tmp_path / "watchkeeper.toml"
    path.touch()
    report = look(tmp_path / "new", {"WATCHKEEPER_CAPTURE": value, "WATCHKEEPER_MANIFEST": str(path)})

    assert ("WKD921" in {one.id for one in report.findings}) == (value == "sideways")
