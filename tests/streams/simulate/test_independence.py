"""Independence: the truth knows nothing of how a list is made, or the score could not fail."""

import ast
from pathlib import Path

import streams.simulate


def test_simulation_does_not_know_the_reconciler() -> None:
    """No module of the simulation imports the reconciler, its rules, or anything else of the streams."""
    folder = Path(streams.simulate.__file__).parent

    imported = {
        name
        for path in folder.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for name in _modules(node)
        if name.startswith("streams")
    }

    assert imported
    assert all(name.startswith("streams.simulate") for name in imported)


def _modules(node: ast.AST) -> list[str]:
    if isinstance(node, ast.ImportFrom):
        return [node.module or ""]
    return [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
