"""The listing on the embedded broker: lists in, Bundles out."""

from collections.abc import Iterator

import msgspec
import pytest

from connectors.kafka.embedded import EmbeddedBroker
from connectors.settings import Settings
from contracts.medication_list import encode_list
from contracts.topics import LIST, LIST_FHIR
from mappings.fhir.exact_json import write_json
from mappings.fhir.regional import Edition, list_version, regional_bundle
from streams.topology.listing.translating import BUNDLE_BYTES, written_at
from streams.topology.publisher.problems import PublisherCode, PublisherError
from tests.mappings.fhir.regional.lists import story
from tests.streams.publish.cases import line, standing, the_list
from tests.streams.topology.listing.wire import (
    PARTITIONS,
    committed,
    eventually,
    listing,
    numbered,
    put,
    read,
    send,
    stored,
)


@pytest.fixture
def settings() -> Iterator[Settings]:
    """Settings for an embedded broker."""
    with EmbeddedBroker({LIST: PARTITIONS, LIST_FHIR: PARTITIONS}) as broker:
        yield Settings.for_demo(broker.bootstrap)


def test_a_list_becomes_its_bundle(settings: Settings) -> None:
    """In the partition and under the key of the list, to the byte what the mapping makes of it."""
    one = story()
    send(settings, one, partition=2)

    with listing(settings) as stop:
        eventually(lambda: committed(settings) == 1, "the list is committed")

    (record,) = read(settings, LIST)
    edition = Edition(version=list_version(encode_list(one)), put_out_at=written_at(record))
    (found,) = stored(settings)
    assert edition.put_out_at is not None
    assert (found.partition, found.key) == (2, one.patient.encode())
    assert found.value == write_json(regional_bundle(one, edition))
    assert found.headers == {"content-type": b"application/fhir+json"}
    assert stop.causes == []


def test_of_a_patients_lists_that_wait_only_the_newest_is_translated(settings: Settings) -> None:
    """The others of the batch are done with; other patients are not touched."""
    send(settings, *(numbered(number) for number in range(50)), numbered(7, patient="b" * 32))

    with listing(settings):
        eventually(lambda: committed(settings) == 51, "all lists are committed")

    found = stored(settings)
    newest = list_version(encode_list(numbered(49)))
    versions = [one.bundle["identifier"]["value"] for one in found if one.key == b"a" * 32]
    assert versions[-1] == newest
    assert len(versions) < 10
    assert [one.key for one in found].count(b"b" * 32) == 1


def test_a_list_that_is_gone_takes_its_bundle_with_it(settings: Settings) -> None:
    """An erased patient is erased here too."""
    send(settings, numbered(1))
    put(settings, (b"a" * 32, None))

    with listing(settings):
        eventually(lambda: committed(settings) == 2, "both are committed")

    assert stored(settings)[-1].value is None


def test_a_bundle_that_no_broker_takes_says_so(settings: Settings) -> None:
    """An older Bundle must not stand in its place."""
    lines = [msgspec.structs.replace(line(standing(f"rx-{n}")), dosage_text="x" * 300) for n in range(400)]
    one = the_list(*lines)
    send(settings, one)

    with listing(settings):
        eventually(lambda: committed(settings) == 1, "the list is committed")

    (found,) = stored(settings)
    codes = [
        entry["resource"]["code"]["coding"][0]["code"]
        for entry in found.bundle["entry"]
        if entry["resource"]["resourceType"] == "DetectedIssue"
    ]
    assert found.value is not None
    assert len(found.value) < BUNDLE_BYTES < len(write_json(regional_bundle(one, Edition(version="v"))))
    assert codes == ["list-too-large"]
    assert found.bundle["identifier"]["value"] == list_version(encode_list(one))


@pytest.mark.parametrize("value", [b"{", b'{"patient":"other","rules":"r"}'])
def test_what_is_no_list_of_its_patient_stops_it(settings: Settings, value: bytes) -> None:
    """Nothing is committed, and the cause names the place, never the value."""
    put(settings, (b"a" * 32, value), partition=1)

    with listing(settings) as stop:
        eventually(lambda: bool(stop.causes), "it stops")

    (cause,) = stop.causes
    assert isinstance(cause, PublisherError)
    assert (cause.reason, cause.detail) == (PublisherCode.LIST_UNREADABLE, "partition 1 offset 0")
    assert committed(settings) == 0


@pytest.mark.usefixtures("short_memory")
def test_a_second_one_goes_on_where_the_first_stopped(settings: Settings) -> None:
    """What was stored is not stored again."""
    send(settings, numbered(1))
    with listing(settings):
        eventually(lambda: committed(settings) == 1, "the first is committed")

    send(settings, numbered(2))
    with listing(settings):
        eventually(lambda: committed(settings) == 2, "the second is committed")

    assert len(stored(settings)) == 2
