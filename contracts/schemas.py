"""JSON Schemas of the published language, generated from the types: ``python -m contracts.schemas [--check]``.

One file per fact type (the ``data`` of an event), one for the event around it, one each for the list, its
changes, how it stands toward NLL and what a person asks of the publisher.
They describe what is written; amounts are strings, since a JSON number is not exact everywhere. A test and ``--check``
fail when a file differs from what the types say.
"""

import inspect
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from contracts import topics
from contracts.envelope import CloudEvent
from contracts.fact import FACT_TYPES
from contracts.medication_list import Change, MedicationList
from contracts.publication import Publication, PublishRequest

FOLDER: Final = Path(__file__).with_name("schemas")
DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
ENVELOPE: Final = "medlist.event.v1"


def generate() -> Mapping[str, str]:
    """Return file name -> text of every schema."""
    published = {**FACT_TYPES, topics.LIST: MedicationList, topics.CHANGE: Change}
    published |= {topics.PUBLISH: Publication, topics.PUBLISH_REQUEST: PublishRequest}
    schemas = {name: _schema(name, kind) for name, kind in published.items()}
    schemas[ENVELOPE] = _envelope()
    return {
        f"{name}.json": json.dumps(schema, ensure_ascii=False, indent=2, sort_keys=True) + "\n"
        for name, schema in sorted(schemas.items())
    }


def differences(folder: Path = FOLDER) -> list[str]:
    """Return the names of the files that are missing, superfluous, or not what the types say."""
    expected = generate()
    found = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.json")}
    return sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))


def write(folder: Path = FOLDER) -> None:
    """Write every schema, and remove those of types that are no more."""
    folder.mkdir(parents=True, exist_ok=True)
    expected = generate()
    for path in folder.glob("*.json"):
        if path.name not in expected:
            path.unlink()
    for name, text in expected.items():
        (folder / name).write_text(text, encoding="utf-8")


def main(arguments: list[str]) -> int:
    """Write the schemas, or with ``--check`` only tell which differ; the exit status is 1 if any does."""
    if arguments not in ([], ["--check"]):
        sys.stderr.write("usage: python -m contracts.schemas [--check]\n")
        return 2
    changed = differences()
    if not arguments:
        write()
    for name in changed:
        sys.stdout.write(f"{'differs' if arguments else 'written'}: {name}\n")
    return 1 if arguments and changed else 0


def _schema(name: str, kind: Any) -> dict[str, Any]:
    """Return a schema that stands alone: its own type spelled out, the types that it uses in ``$defs``."""
    schema = msgspec.json.schema(kind)
    definitions: dict[str, Any] = schema.pop("$defs")
    own = definitions.pop(schema["$ref"].rpartition("/")[2])
    used = {"$defs": _described(definitions)} if definitions else {}
    return {"$schema": DIALECT, "$id": f"urn:medlist:{name}", **_described(own), **used}


def _envelope() -> dict[str, Any]:
    """Return the schema of a structured-mode event: the data must fit the type."""
    schema = _schema(ENVELOPE, CloudEvent[msgspec.Raw])
    schema["title"] = CloudEvent.__name__
    schema["properties"]["type"]["enum"] = sorted(FACT_TYPES)
    schema["allOf"] = [
        {
            "if": {"properties": {"type": {"const": name}}},
            "then": {"properties": {"data": {"$ref": f"urn:medlist:{name}"}}},
        }
        for name in sorted(FACT_TYPES)
    ]
    return schema


def _described(schema: Any) -> Any:
    """Return a schema whose descriptions are indented alike on every version of Python."""
    if isinstance(schema, list):
        return [_described(member) for member in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: inspect.cleandoc(value) if key == "description" and isinstance(value, str) else _described(value)
        for key, value in schema.items()
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
