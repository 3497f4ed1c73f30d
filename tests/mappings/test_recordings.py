"""Every recording: the reader of its source makes of it what ``expected.json`` says, byte for byte."""

import json
from collections import Counter

import pytest

from contracts.envelope import decode_fact, encode_fact
from contracts.problems import PROBLEM_CODES
from mappings.sources.readers import READERS
from mappings.sources.reading import Reading
from tests.mappings.recordings import Recording, discover, name_of, outcome

RECORDINGS = discover()
AT_LEAST = {"hospital": 6, "primary_care": 8, "municipal": 4, "dose_pharmacy": 6, "pharmacy": 3, "canonical": 6}

every_recording = pytest.mark.parametrize("recording", RECORDINGS, ids=name_of)


def read(recording: Recording) -> Reading:
    """Read a recording with the reader that its source is configured with."""
    return READERS[recording.source.reader](recording.message, recording.context)


@every_recording
def test_a_recording_gives_what_is_expected_of_it(recording: Recording) -> None:
    """What a stored message becomes never changes unnoticed."""
    expected = json.loads(recording.expected_path.read_text(encoding="utf-8"))

    assert outcome(read(recording)) == expected


@every_recording
def test_a_reading_is_never_empty_and_its_problems_are_catalogued(recording: Recording) -> None:
    """A message ends as a fact or with a named problem, and every problem has a known code, a place and a text."""
    reading = read(recording)

    assert reading.facts or reading.problems
    assert all(problem.code in PROBLEM_CODES and problem.place and problem.text for problem in reading.problems)


@every_recording
def test_facts_survive_the_envelope_and_have_ids_of_their_own(recording: Recording) -> None:
    """A fact is the same after writing and reading it, and no two records of a message share an id."""
    facts = read(recording).facts

    assert tuple(decode_fact(encode_fact(fact)) for fact in facts) == facts
    assert max(Counter(fact.id for fact in facts).values(), default=1) == 1
    assert max(Counter(fact.source_id for fact in facts).values(), default=1) == 1


@every_recording
def test_the_person_stands_in_payloads_only(recording: Recording) -> None:
    """Problem texts and places never quote the person number, and the subject is its pseudonym."""
    reading = read(recording)

    persons = {fact.content.person for fact in reading.facts}
    said = " ".join(f"{problem.place} {problem.text}" for problem in reading.problems)
    assert not any(person.value in said or person.value[2:] in said for person in persons)
    assert all(fact.patient == recording.context.pseudonym(fact.content.person) for fact in reading.facts)


@pytest.mark.parametrize(("reader", "at_least"), sorted(AT_LEAST.items()))
def test_every_reader_is_recorded(reader: str, at_least: int) -> None:
    """A reader has recordings of what it reads, and of what it refuses."""
    recorded = [recording for recording in RECORDINGS if recording.source.reader == reader]

    assert len(recorded) >= at_least
    assert any(read(recording).problems for recording in recorded)
