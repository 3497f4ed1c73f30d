"""The committed JSON Schemas: what the types say, and what recorded events fit."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from referencing import Registry, Resource

from contracts.envelope import CloudEvent
from contracts.schemas import ENVELOPE, FOLDER, differences, generate, main, write

RECORDED = sorted((FOLDER.parent / "recordings").glob("*/*/expected.json"))
COMMITTED = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in FOLDER.glob("*.json")}


@pytest.fixture(scope="module")
def validator() -> Any:
    """Return a validator of structured-mode events that knows every schema of ours."""
    registry: Registry[Any] = Registry().with_resources(
        (schema["$id"], Resource.from_contents(schema)) for schema in COMMITTED.values()
    )
    formats = jsonschema.Draft202012Validator.FORMAT_CHECKER
    return jsonschema.Draft202012Validator(COMMITTED[ENVELOPE], registry=registry, format_checker=formats)


def first_event() -> dict[str, Any]:
    """Return one recorded event."""
    events = (event for path in RECORDED for event in json.loads(path.read_text(encoding="utf-8"))["facts"])
    event: dict[str, Any] = next(event for event in events if event["type"] == "medlist.order.v1")
    return event


def test_the_committed_schemas_are_what_the_types_say() -> None:
    """A type is never changed without its schema: run ``python -m contracts.schemas``."""
    assert differences() == []
    assert main(["--check"]) == 0


def test_a_schema_that_differs_is_found_and_written_anew(tmp_path: Path) -> None:
    """A changed, a missing and a superfluous file are each named, and writing puts them right."""
    write(tmp_path)
    names = sorted(generate())
    (tmp_path / names[0]).write_text("{}", encoding="utf-8")
    (tmp_path / names[1]).unlink()
    (tmp_path / "medlist.gone.v1.json").write_text("{}", encoding="utf-8")

    found = differences(tmp_path)
    write(tmp_path)

    assert found == sorted([names[0], names[1], "medlist.gone.v1.json"])
    assert differences(tmp_path) == []


def test_generating_twice_gives_the_same_bytes() -> None:
    """The schemas are deterministic, so that a difference always means a change of a type."""
    assert generate() == generate()


@pytest.mark.parametrize("name", sorted(COMMITTED))
def test_every_schema_is_a_valid_schema(name: str) -> None:
    """A vendor's tools can load every file by itself."""
    jsonschema.Draft202012Validator.check_schema(COMMITTED[name])

    assert COMMITTED[name]["description"]


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: f"{path.parent.parent.name}/{path.parent.name}")
def test_recorded_facts_fit_the_schemas(path: Path, validator: Any) -> None:
    """What readers make of the recordings is what the schemas promise."""
    events = json.loads(path.read_text(encoding="utf-8"))["facts"]

    errors = [error.message for event in events for error in validator.iter_errors(event)]

    assert errors == []


@pytest.mark.parametrize("field", ["status", "person", "medication"])
def test_an_event_whose_data_lacks_a_required_field_does_not_fit(field: str, validator: Any) -> None:
    """The envelope's schema reaches into the data of each type."""
    event = first_event()
    del event["data"][field]

    assert not validator.is_valid(event)


def test_an_unknown_field_in_the_data_does_not_fit(validator: Any) -> None:
    """A mistyped name of a field is found by the schema, as it is by the reader."""
    event = first_event()
    event["data"]["dosagetext"] = "1 tablett"

    assert not validator.is_valid(event)


def test_a_type_that_is_none_of_ours_does_not_fit(validator: Any) -> None:
    """Only published types are events of ours."""
    event = first_event()
    event["type"] = "medlist.order.v2"

    assert not validator.is_valid(event)


def test_the_schema_of_the_event_names_every_attribute() -> None:
    """The envelope's schema and its type list the same attributes."""
    assert set(COMMITTED[ENVELOPE]["properties"]) == set(CloudEvent.__struct_fields__)
