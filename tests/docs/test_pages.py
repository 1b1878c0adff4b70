"""Pages link to what is there, and their examples run against a real server."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.otlp import request, span
from tests.serving import Served, serving
from watchkeeper.kit import errors
from watchkeeper.kit.errors import WatchkeeperError

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
_LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
_CURL = re.compile(r"^    (curl (?:.*\\\n)*.*)$", re.MULTILINE)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server with one project's key and one span."""
    with serving(tmp_path_factory.mktemp("docs"), projects=("shop",)) as served:
        served.export(request(span()), "shop")
        yield served


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link of a page leads to a file that exists."""
    told = [link for link in _LINK.findall(page.read_text()) if "://" not in link]

    assert [link for link in told if not (page.parent / link).exists()] == []


def test_every_page_can_be_reached() -> None:
    """From the index, following links, one comes to every page but the decision records."""
    seen, todo = set(), [DOCS / "index.md"]
    while todo:
        page = todo.pop().resolve()
        if page in seen or page.suffix != ".md" or not page.is_file():
            continue
        seen.add(page)
        todo += [page.parent / link for link in _LINK.findall(page.read_text()) if "://" not in link]

    assert {one for one in DOCS.rglob("*.md") if one.parent.name != "adr"} <= seen


def _examples() -> list[str]:
    return _CURL.findall((DOCS / "api.md").read_text())


@pytest.mark.parametrize("example", _examples())
def test_the_apis_examples_run(server: Served, example: str) -> None:
    """Each curl of the page is answered as the page says: with JSON, and an error only where it shows one."""
    environ = {**os.environ, "URL": server.url, "KEY": server.keys["shop"]}
    done = subprocess.run(["bash", "-c", example], capture_output=True, text=True, timeout=60, check=True, env=environ)
    answer: dict[str, Any] = json.loads(done.stdout)

    assert answer.get("error", {}).get("code") == ("query_refused" if "drop table" in example else None), answer
    if "?" in example:
        assert {"items", "next_cursor"} <= set(answer)


def test_the_page_lists_every_code() -> None:
    """Every error that crosses HTTP stands in the table with its status."""
    kinds = {
        (kind.status, kind.code)
        for kind in vars(errors).values()
        if isinstance(kind, type)
        and issubclass(kind, WatchkeeperError)
        and not kind.code.startswith(("config", "missing", "store_locked", "store_format", "store_foreign"))
    }
    page = (DOCS / "api.md").read_text()
    rows = re.findall(r"^\| (\d{3}) \| ([^|]+) \|", page, re.MULTILINE)
    told = {(int(status), code.strip(" `")) for status, codes in rows for code in codes.split(",")}

    assert kinds <= told


def test_the_quickstarts_program_runs(server: Served, tmp_path: Path) -> None:
    """The quickstart's program prints its answer, and the query beside it finds its two spans."""
    page = (DOCS / "quickstart.md").read_text()
    program = re.search(r"```python\n(.*?)```", page, re.DOTALL)
    query = re.search(r'watchkeeper sql "([^"]+)"', page)
    assert program is not None
    assert query is not None
    (tmp_path / "app.py").write_text(program[1])
    environ = {**os.environ, "WATCHKEEPER_ENDPOINT": server.url}
    done = subprocess.run(
        [sys.executable, "app.py"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True, env=environ
    )

    assert done.stdout == "Lisbon: 21 degrees\n"
    assert server.sql(query[1])[1]["rows"] == [["answer", "agent", "first"], ["look_up", "tool", "first"]]
