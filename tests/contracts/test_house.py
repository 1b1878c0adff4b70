"""The house rules no linter holds."""

from __future__ import annotations

import ast
import importlib
import re
from pathlib import Path

import pytest

import watchkeeper

SOURCE = Path(watchkeeper.__file__).parent
TESTS = Path(__file__).parents[1]
MODULES = sorted(SOURCE.rglob("*.py"))
ROOMS = sorted(path.parent.name for path in SOURCE.glob("*/__init__.py"))
HARD_MODULE, HARD_FUNCTION = 600, 100


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_a_module_keeps_the_house_rules(path: Path) -> None:
    """No module is longer than the limit, no function either, none reads the environment or prints where it may not."""
    text = path.read_text()
    tree = ast.parse(text)
    room = path.relative_to(SOURCE).parts[0]
    long = [
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno > HARD_FUNCTION
    ]

    assert len(text.splitlines()) <= HARD_MODULE
    assert long == []
    assert path.name == "settings.py" or not re.search(r"\bos\.(environ|getenv)", text)
    assert room == "cli" or not re.search(r"^\s*print\(", text, re.MULTILINE)
    assert path.name not in {"utils.py", "helpers.py", "common.py"}


@pytest.mark.parametrize("room", [room for room in ROOMS if room != "store"])
def test_a_room_has_a_front_door(room: str) -> None:
    """Each room's `__all__` is importable and sorted."""
    door = importlib.import_module(f"watchkeeper.{room}")

    assert all(hasattr(door, name) for name in door.__all__)
    assert sorted(door.__all__, key=lambda name: (not name.isupper(), not name[0].isupper(), name)) == door.__all__


def test_every_code_folder_is_a_package() -> None:
    """A folder without `__init__.py` would be invisible to import-linter."""
    folders = {path.parent for path in MODULES}

    assert [folder for folder in folders if not (folder / "__init__.py").is_file()] == []


def test_every_test_states_its_truth() -> None:
    """Each test has a docstring of at least five words."""
    bare = [
        f"{path.name}::{node.name}"
        for path in sorted(TESTS.rglob("test_*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
        and len((ast.get_docstring(node) or "").split()) < 5
    ]

    assert bare == []
