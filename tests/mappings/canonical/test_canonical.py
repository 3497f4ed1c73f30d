"""Canonical messages: each rule by itself, on a fact that is right but for one thing."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from contracts.envelope import CONTENT_TYPE_STRUCTURED, encode_fact, to_binary
from contracts.fact import Fact
from contracts.sources import DEFAULT_SOURCES
from mappings.sources.canonical import read
from mappings.sources.reading import Context, Message, Reading
from tests.mappings.recordings import ROOT, load, pseudonym

SOURCE = next(source for source in DEFAULT_SOURCES if source.reader == "canonical")
CONTEXT = Context(source=SOURCE, received_at=datetime(2026, 3, 12, 10, tzinfo=UTC), pseudonym=pseudonym)

DECISION = "a-pharmacist-decides-that-two-records-are-the-same-treatment"
CHOICE = "a-pharmacist-chooses-whose-dose-stands"
BLOCK = "a-block-on-a-care-unit-is-set"
LINK = "a-coordination-number-has-become-a-personnummer"
ROW = "a-row-of-a-discharge-list"
RETRACTION = "a-source-takes-back-what-it-said"


def recorded(case: str) -> Fact:
    """Return the fact of a recording."""
    recording = load(ROOT / "canonical" / case)
    (fact,) = read(recording.message, recording.context).facts
    return fact


def read_changed(case: str, change: Callable[[dict[str, Any]], object]) -> Reading:
    """Read a recorded event after a change to it, in structured mode."""
    event = json.loads(encode_fact(recorded(case)))
    change(event)
    headers = {"content-type": CONTENT_TYPE_STRUCTURED.encode()}
    return read(Message(value=json.dumps(event).encode(), headers=headers), CONTEXT)


def data(**changes: Any) -> Callable[[dict[str, Any]], object]:
    """Change fields of the data; ``None`` takes one out."""

    def change(event: dict[str, Any]) -> None:
        event["data"].update(changes)
        event["data"] = {name: value for name, value in event["data"].items() if value is not None}

    return change


def attributes(**changes: Any) -> Callable[[dict[str, Any]], object]:
    """Change attributes of the event."""
    return lambda event: event.update(changes)


@pytest.mark.parametrize(
    ("case", "change", "problem"),
    [
        (DECISION, data(records=[{"system": "hospital", "value": "1"}]), ("missing", "data.records")),
        (DECISION, data(records=[{"system": "hospital", "value": "1"}] * 2), ("missing", "data.records")),
        (DECISION, data(basis=[]), ("missing", "data.basis")),
        (CHOICE, data(field=None), ("missing", "data.field")),
        (CHOICE, data(chosen=None), ("missing", "data.chosen")),
        (CHOICE, data(chosen={"system": "hospital", "value": "2"}), ("contradiction", "data.chosen")),
        (CHOICE, data(kind="accept"), ("missing", "data.finding")),
        (BLOCK, data(target=None), ("missing", "data.target")),
        (BLOCK, data(scope="ward"), ("unreadable", "data.scope")),
        (BLOCK, data(period={"end": "2026-03-12T09:00:00"}), ("unreadable", "data.period.end")),
        (
            BLOCK,
            data(period={"start": "2026-03-12T09:00:00Z", "end": "2026-03-12T08:00:00Z"}),
            ("contradiction", "data.period.end"),
        ),
        (LINK, data(other_patient="p-0"), ("contradiction", "data.other_patient")),
        (ROW, data(references=[]), ("missing", "data.references")),
        (ROW, data(dosage={"steps": [{"cycle_days": 10**9}]}), ("unreadable", "data.dosage.steps[0].cycle_days")),
        (ROW, data(dosage={"steps": [{"frequency": 0}]}), ("unreadable", "data.dosage.steps[0].frequency")),
        (
            ROW,
            data(dosage={"max_per_day": {"value": "NaN", "unit": "mg"}}),
            ("unreadable", "data.dosage.max_per_day.value"),
        ),
        (RETRACTION, data(target={"system": "hospital", "value": "1"}), ("contradiction", "data.target.system")),
        (BLOCK, attributes(source="hospital"), ("contradiction", "source")),
        (BLOCK, attributes(subject="p-0"), ("contradiction", "subject")),
        (BLOCK, attributes(sourceid=" "), ("missing", "sourceid")),
        (BLOCK, attributes(time="2026-03-12T09:00:00"), ("unreadable", "time")),
        (BLOCK, attributes(time="9999-12-31T00:00:00Z"), ("time-impossible", "time")),
        (BLOCK, attributes(recordedat="2026-03-12T10:06:00Z"), ("future", "recordedat")),
        (BLOCK, attributes(type="medlist.block.v9"), ("unknown-code", "type")),
    ],
)
def test_each_rule_is_named_when_it_is_broken(
    case: str, change: Callable[[dict[str, Any]], object], problem: tuple[str, str]
) -> None:
    """One thing wrong gives one problem, and no fact."""
    reading = read_changed(case, change)

    assert [(found.code, found.place) for found in reading.problems] == [problem]
    assert reading.facts == ()


def test_the_senders_id_and_receipt_are_not_believed() -> None:
    """The id follows from what is said, and the receipt is ours."""
    changed = attributes(id="made-up", receivedat="2020-01-01T00:00:00Z")

    (fact,) = read_changed(BLOCK, changed).facts

    assert fact.id == recorded(BLOCK).id
    assert fact.received_at == CONTEXT.received_at


def test_equal_statements_have_equal_ids_however_they_are_written() -> None:
    """Offsets and trailing zeros are ways of writing."""
    written = data(period={"start": "2026-03-12T08:00:00.000Z"})

    (fact,) = read_changed(BLOCK, written).facts

    assert fact.id == recorded(BLOCK).id


def test_both_modes_say_the_same() -> None:
    """A fact in binary mode and in structured mode is one fact."""
    fact = recorded(ROW)
    headers, value = to_binary(fact)

    binary = read(Message(value=value, headers=dict(headers)), CONTEXT)

    assert [found.id for found in binary.facts] == [fact.id]
    assert read_changed(ROW, lambda _: None).facts == binary.facts
