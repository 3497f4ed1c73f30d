"""Readers are total: whatever arrives becomes facts or named problems, never an exception, and never leaks a value."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from contracts.envelope import decode_fact, encode_fact
from contracts.problems import PROBLEM_CODES
from contracts.sources import DEFAULT_SOURCES, SourceSystem
from mappings.sources.readers import READERS
from mappings.sources.reading import Context, Message, Reading
from tests.examples import examples
from tests.mappings.mutations import MARKER, damaged_bytes, damaged_json, damaged_xml
from tests.mappings.recordings import Recording, discover, message_file, name_of, pseudonym

RECORDINGS = [recording for recording in discover() if recording.source.reader in READERS]
SOURCES = [source for source in DEFAULT_SOURCES if source.reader in READERS]
XML = [recording for recording in RECORDINGS if message_file(recording.folder).suffix == ".xml"]
JSON = [recording for recording in RECORDINGS if message_file(recording.folder).suffix == ".json"]
thorough = settings(max_examples=examples(2))


def read(recording: Recording, value: bytes) -> Reading:
    """Read other bytes as if this recording had carried them; check everything that holds for any reading."""
    message = msgspec.structs.replace(recording.message, value=value)
    reading = READERS[recording.source.reader](message, recording.context)
    assert_sound(reading)
    return reading


def assert_sound(reading: Reading) -> None:
    """A reading is not empty, its problems are catalogued, and its facts can be written and read back."""
    assert reading.facts or reading.problems
    assert all(problem.code in PROBLEM_CODES and problem.place and problem.text for problem in reading.problems)
    assert tuple(decode_fact(encode_fact(fact)) for fact in reading.facts) == reading.facts
    assert not any(MARKER in problem.place + problem.text for problem in reading.problems)


def is_well_formed(value: bytes) -> bool:
    """Tell whether a recording is XML or JSON that can be damaged part by part."""
    try:
        etree.fromstring(value) if value.startswith(b"<") else msgspec.json.decode(value)
    except (etree.XMLSyntaxError, msgspec.DecodeError):
        return False
    return True


WELL_FORMED_XML = [recording for recording in XML if is_well_formed(recording.message.value)]
WELL_FORMED_JSON = [recording for recording in JSON if is_well_formed(recording.message.value)]


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.id)
@given(value=st.binary(max_size=400) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace")))
@thorough
def test_any_bytes_become_problems(source: SourceSystem, value: bytes) -> None:
    """Bytes that are no message at all are refused by name."""
    context = Context(source=source, received_at=RECORDINGS[0].context.received_at, pseudonym=pseudonym)

    assert_sound(READERS[source.reader](Message(value=value), context))


@pytest.mark.parametrize("reader", sorted({recording.source.reader for recording in RECORDINGS}))
@given(data=st.data())
@thorough
def test_damaged_messages_become_facts_or_problems(reader: str, data: st.DataObject) -> None:
    """A message that was cut, patched or mixed up on its way never stops the reader."""
    recording = data.draw(st.sampled_from([found for found in RECORDINGS if found.source.reader == reader]))

    read(recording, data.draw(damaged_bytes(recording.message.value)))


@pytest.mark.parametrize("reader", sorted({recording.source.reader for recording in WELL_FORMED_JSON}))
@given(data=st.data())
@thorough
def test_json_with_wrong_parts_becomes_facts_or_problems(reader: str, data: st.DataObject) -> None:
    """Any value in any place of a JSON message is read or named, and never quoted."""
    recording = data.draw(st.sampled_from([found for found in WELL_FORMED_JSON if found.source.reader == reader]))

    read(recording, data.draw(damaged_json(recording.message.value)))


@given(st.data())
@thorough
def test_xml_with_wrong_parts_becomes_facts_or_problems(data: st.DataObject) -> None:
    """Any text in any place of an XML message is read or named, and never quoted."""
    recording = data.draw(st.sampled_from(WELL_FORMED_XML))

    read(recording, data.draw(damaged_xml(recording.message.value)))


@pytest.mark.parametrize("recording", RECORDINGS, ids=name_of)
def test_reading_twice_gives_the_same(recording: Recording) -> None:
    """A reader depends on the message and its context alone."""
    assert read(recording, recording.message.value) == read(recording, recording.message.value)


@pytest.mark.parametrize("recording", RECORDINGS, ids=name_of)
def test_a_later_receipt_changes_no_id(recording: Recording) -> None:
    """A message that is sent again a day later gives the same statements."""
    later = msgspec.structs.replace(recording.context, received_at=recording.context.received_at.replace(year=2027))

    again = READERS[recording.source.reader](recording.message, later)

    assert {fact.id for fact in read(recording, recording.message.value).facts} <= {fact.id for fact in again.facts}
