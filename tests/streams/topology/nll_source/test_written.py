"""What is known of our own writes: the publications as they stand, read on whenever somebody asks."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import cast

import pytest
from confluent_kafka import Message

from contracts.publication import Publication, Written, encode_publication
from streams.publish.writes import Writes
from streams.topology.nll_source.problems import NllSourceCode, NllSourceError
from streams.topology.nll_source.written import Publications

SINCE = datetime(2026, 3, 2, tzinfo=UTC)


class Record:
    """One record of the publish topic."""

    def __init__(self, key: str, value: bytes | None, partition: int, offset: int) -> None:
        self._said = key.encode(), value, partition, offset

    def key(self) -> bytes:
        """The patient."""
        return self._said[0]

    def value(self) -> bytes | None:
        """The publication."""
        return self._said[1]

    def partition(self) -> int:
        """Where it stands."""
        return self._said[2]

    def offset(self) -> int:
        """Where it stands."""
        return self._said[3]


class Topic:
    """The publish topic; ``begun`` are the offsets from which it was read."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.begun: list[dict[int, int]] = []

    def put(self, patient: str, value: bytes | None, partition: int = 0) -> None:
        """Put a record at the end."""
        self.records.append(Record(patient, value, partition, len(self.records)))

    def read_on(self, starts: Mapping[int, int]) -> Iterator[Message]:
        """The records from these offsets on."""
        self.begun.append(dict(starts))
        found = [one for one in self.records if one.offset() >= starts.get(one.partition(), 1 << 40)]
        return iter(cast("list[Message]", found))


def publication(version: str) -> bytes:
    """What a publisher tells once it has written a version."""
    written = (Written(id="f-1", version=version, content="c"),)
    told = Publication(patient="a", state="published", list_hash="h", since=SINCE, written=written)
    return encode_publication(told)


def versions(writes: Writes) -> list[str]:
    """The versions that are ours."""
    return [one.version for one in writes.written]


def test_the_newest_publication_counts_and_nothing_is_read_twice() -> None:
    """Every question reads on from where the last one ended."""
    topic = Topic()
    known = Publications(topic.read_on)
    topic.put("a", publication("1"))
    topic.put("b", publication("7"), partition=1)

    first = known.of("a", 0)
    topic.put("a", publication("2"))
    second = known.of("a", 0)

    assert (versions(first), versions(second)) == (["1"], ["2"])
    assert topic.begun == [{0: 0}, {0: 1}]
    assert known.of("b", 0) == Writes()


def test_what_is_erased_or_another_processes_is_known_no_more() -> None:
    """A removed publication, and those of partitions that went; these are read anew when they come back."""
    topic = Topic()
    known = Publications(topic.read_on)
    topic.put("a", publication("1"))
    topic.put("c", publication("1"))
    known.of("a", 0)

    topic.put("a", None)
    erased, other = known.of("a", 0), known.of("c", 0)
    known.drop([0])

    assert (erased, versions(other)) == (Writes(), ["1"])
    assert versions(known.of("c", 0)) == ["1"]
    assert topic.begun[-1] == {0: 0}


def test_a_record_that_is_no_publication_stops_the_process() -> None:
    """Whose versions are would be a guess; the place is told."""
    topic = Topic()
    topic.put("a", b"{")

    with pytest.raises(NllSourceError) as raised:
        Publications(topic.read_on).of("a", 0)

    assert raised.value.code == NllSourceCode.PUBLICATION_UNREADABLE.value[0]
