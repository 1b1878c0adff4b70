"""WKD5xx."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from tests.doctor.conftest import bad, bending, found, look
from tests.serving import Served
from watchkeeper.doctor.versions import CLIENTS, _python, within

ROOT = Path(__file__).parents[2]


def _installed(folder: Path, name: str, version: str, *needs: str) -> None:
    place = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    place.mkdir(parents=True)
    (place / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        + "".join(f"Requires-Dist: {one}\n" for one in needs)
    )


def test_packages_out_of_range_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An old model client is a warning, an old package of the server a failure, each with the install line."""
    _installed(tmp_path / "site", "openai", "1.99.0")
    _installed(tmp_path / "site", "duckdb", "1.4.0")
    monkeypatch.syspath_prepend(tmp_path / "site")
    report = look(tmp_path / "new")

    assert found(report, "WKD521").mend == f"pip install 'openai{CLIENTS['openai']}'"
    assert found(report, "WKD512").where == "duckdb"
    assert report.exit_code == 2


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What this release needs for the server and is not here fails; what only another extra needs is not missed."""
    _installed(
        tmp_path, "watchkeeper", "0.1.0", 'gone>=1; extra == "server"', 'away>=1; extra == "demo"', "lost (<2,>=1)"
    )
    monkeypatch.syspath_prepend(tmp_path)

    assert [one.where for one in look(tmp_path / "new").findings if one.id == "WKD511"] == ["gone", "lost"]


@pytest.mark.parametrize(("version", "rule"), [("0.0.9", "WKD531"), ("9.1.0", "WKD532"), ("0.1.7", "WKD530")])
def test_a_server_of_another_release_is_told(
    served: tuple[Served, Path], tmp_path: Path, version: str, rule: str
) -> None:
    """An older or newer server is a warning that says which side to upgrade; a patch apart is none."""

    def older(path: str, headers: dict[str, str], body: bytes) -> bytes:
        if path != "/api/v1/status":
            return body
        return json.dumps(json.loads(body) | {"version": version}).encode()

    with bending(served[0].url, older) as url:
        assert version in found(look(tmp_path / "new", url=url), rule).what


def test_python_is_compared_with_what_was_tested() -> None:
    """A Python of our classifiers is well, another is a warning."""
    assert _python((3, 11)).id == "WKD500"
    assert _python((3, 99)).id == "WKD501"


def test_ranges_are_the_projects_own() -> None:
    """The ranges of model clients are those that pyproject.toml tests on."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    told = [*project["dependency-groups"]["test"], *project["project"]["optional-dependencies"]["demo"]]

    assert {f"{name}{spec}" for name, spec in CLIENTS.items()} <= set(told)


def test_ranges_are_read_as_pip_reads_them() -> None:
    """The lower bound is in, the upper one is out, and a missing part is zero."""
    assert within("2.8", ">=2.8,<4")
    assert within("3.99.1", ">=2.8,<4")
    assert not within("4.0.0", ">=2.8,<4")
    assert not within("2.7.9", ">=2.8,<4")
    assert within("0.63b2", ">=0.59b0")


def test_nothing_is_wrong_with_this_environment(tmp_path: Path) -> None:
    """Where the suite runs, every package is in range."""
    assert not {one for one in bad(look(tmp_path / "new")) if one.startswith("WKD5")}
