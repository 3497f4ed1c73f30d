"""Every log statement of the project, read from its source: declared events, allowed fields, nothing put together."""

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from connectors.telemetry.catalogue import code_of
from connectors.telemetry.fields import FIELDS

ROOT = Path(__file__).parents[3]
PACKAGES = ("connectors", "streams", "mappings", "contracts")
LEVELS = frozenset({"debug", "info", "warning", "error", "critical", "exception"})


class Statement(NamedTuple):
    """One call of a logger in the source."""

    module: str
    line: int
    call: ast.Call


def statements(source: Path) -> Iterator[Statement]:
    """The calls in one file of what is named like a logger."""
    module = ".".join(source.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name) | ast.Attribute(attr=name), attr=level)):
                if name.lower().strip("_") in {"log", "logger"} and level in LEVELS:
                    yield Statement(module, node.lineno, node)
            case _:
                pass


def events_of(call: ast.Call) -> list[str]:
    """The events that a call can log: a literal, or the two of a condition; anything else is no event."""
    match call.args[0]:
        case ast.IfExp(body=ast.Constant(value=str(one)), orelse=ast.Constant(value=str(other))):
            return [one, other]
        case ast.Constant(value=str(one)):
            return [one]
        case _:
            return ["built.from_data"]


STATEMENTS = [
    statement
    for package in PACKAGES
    for source in sorted((ROOT / package).rglob("*.py"))
    for statement in statements(source)
]


def test_every_statement_logs_a_declared_event_with_allowed_fields() -> None:
    """Each log statement names a declared event literally, and passes only fields that will be written."""
    wrong = []
    for statement in STATEMENTS:
        importlib.import_module(statement.module)
        if any(code_of(event) is None for event in events_of(statement.call)):
            wrong.append(f"{statement.module}:{statement.line}: no declared event")
        wrong += [
            f"{statement.module}:{statement.line}: field {keyword.arg}"
            for keyword in statement.call.keywords
            if keyword.arg not in FIELDS and keyword.arg != "exc_info"
        ]

    assert wrong == []


@pytest.mark.parametrize("text", ["log.info('a.b')", "self._log.error('a.b', x=1)", "_logger.exception(event)"])
def test_the_search_finds_statements(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The search sees a logger however it is held, so that an empty result means no statement."""
    monkeypatch.setattr(f"{__name__}.ROOT", tmp_path)
    source = tmp_path / "one.py"
    source.write_text(text)

    assert [(found.module, found.line) for found in statements(source)] == [("one", 1)]
