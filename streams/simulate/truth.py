"""The truth about simulated patients: which facts belong to one course of treatment, and what state it is in when."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from contracts.medication_list import ItemState
from streams.simulate.book import Book, Entry
from streams.simulate.courses import Course, probes


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """One course of one drug. ``facts`` are event ids, ``records`` pairs of source and source id."""

    id: str
    kind_of_mess: tuple[str, ...]
    facts: tuple[str, ...]
    records: tuple[tuple[str, str], ...]


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """The state that a group really has at a time of validity, for one who knows everything that was ever received."""

    at: datetime
    group: str
    state: ItemState


class PatientTruth(msgspec.Struct, frozen=True, kw_only=True):
    """The truth about one patient.

    ``unattached``: event ids that are about no treatment, or name none. ``retracted``: event ids that their source took
    back; they belong on no list.
    """

    groups: tuple[Group, ...]
    states: tuple[Probe, ...]
    unattached: tuple[str, ...]
    retracted: tuple[str, ...] = ()


class Truth(msgspec.Struct, frozen=True, kw_only=True):
    """The truth about all patients, by pseudonym; ``kinds`` explains every kind of mess, ``known_at`` is the end."""

    seed: int
    known_at: datetime
    kinds: Mapping[str, str]
    patients: Mapping[str, PatientTruth]


def patient_truth(book: Book, courses: Sequence[Course]) -> PatientTruth:
    """Return the truth about the patient of a book. Courses that nobody wrote about are not part of it."""
    entries = _without_repetition(book.entries)
    standing = [entry for entry in entries if not entry.record.taken_back]
    groups = [
        _group(course, mine)
        for course in courses
        if (mine := [entry for entry in standing if entry.record.course is course])
    ]
    written = {group.id for group in groups}
    return PatientTruth(
        groups=tuple(groups),
        states=tuple(
            Probe(at=moment, group=course.id, state=state)
            for course in courses
            if course.id in written
            for moment, state in probes(course)
        ),
        unattached=tuple(entry.fact.id for entry in standing if entry.record.course is None),
        retracted=tuple(entry.fact.id for entry in entries if entry.record.taken_back),
    )


def encode_truth(truth: Truth) -> bytes:
    """Return the truth as indented JSON, equal truths as equal bytes."""
    return msgspec.json.format(msgspec.json.encode(truth, order="deterministic"), indent=1)


def decode_truth(data: bytes) -> Truth:
    """Read a truth back. Raises ``msgspec.DecodeError`` for anything else."""
    return msgspec.json.decode(data, type=Truth)


def _group(course: Course, entries: Sequence[Entry]) -> Group:
    return Group(
        id=course.id,
        kind_of_mess=tuple(sorted(course.kinds)) or ("plain",),
        facts=tuple(entry.fact.id for entry in entries),
        records=tuple(dict.fromkeys((entry.fact.source, entry.fact.source_id) for entry in entries)),
    )


def _without_repetition(entries: Sequence[Entry]) -> list[Entry]:
    return list({entry.fact.id: entry for entry in entries}.values())
