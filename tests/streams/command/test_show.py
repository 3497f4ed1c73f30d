"""``medlist show``: whose list, which of them, as a table and as FHIR."""

import json
from collections.abc import Iterator

import pytest
from click.testing import CliRunner
from confluent_kafka import Producer

from connectors.kafka.embedded import EmbeddedBroker
from connectors.pseudonym import partition_of, pseudonymiser
from contracts.medication_list import MedicationList, encode_list
from contracts.systems import PERSONNUMMER
from contracts.topics import LIST
from contracts.values import Identifier
from mappings.fhir.regional import list_version, names
from streams.command import main
from tests.streams.command.conftest import Medlist
from tests.streams.publish.cases import line, standing, the_list

KEY = "k" * 40
NUMBER = "191212121212"
PARTITIONS = 3
PATIENT = pseudonymiser(KEY.encode())(Identifier(system=PERSONNUMMER, value=NUMBER))
OTHER = "0" * 32


@pytest.fixture
def environment() -> Iterator[dict[str, str]]:
    """A broker whose list topic holds two lists of a patient, the older first, and one of somebody else behind them."""
    with EmbeddedBroker({LIST: PARTITIONS}) as broker:
        older = the_list(line(standing(), product="Äldre 50 mg"), patient=PATIENT)
        newer = the_list(line(standing(), product="Nyare 100 mg"), patient=PATIENT)
        other = the_list(line(standing(), product="Annan 5 mg"), patient=OTHER)
        _send(broker.bootstrap, older, newer, other)
        yield {"MEDLIST_KAFKA": broker.bootstrap, "MEDLIST_PARTITIONS": str(PARTITIONS)}


def test_the_newest_list_is_shown_as_a_table(medlist: Medlist, environment: dict[str, str]) -> None:
    """In Swedish, unless told otherwise; the key of the pseudonyms is not needed for a pseudonym."""
    swedish = medlist("show", PATIENT, **environment)
    english = medlist("show", PATIENT, "--lang", "en", **environment)

    assert (swedish.exit_code, english.exit_code) == (0, 0)
    assert "Nyare 100 mg" in swedish.stdout
    assert "Äldre" not in swedish.stdout
    assert "Läkemedelslista" in swedish.stdout
    assert "Medication list" in english.stdout


@pytest.mark.parametrize("written", [NUMBER, "19121212-1212", "121212+1212"])
def test_a_person_number_finds_the_same_list(medlist: Medlist, environment: dict[str, str], written: str) -> None:
    """With the key of the pseudonyms, however the number is written."""
    ended = medlist("show", written, MEDLIST_PSEUDONYM_KEY=KEY, **environment)

    assert ended.exit_code == 0
    assert "Nyare 100 mg" in ended.stdout


def test_a_number_may_come_on_the_standard_input(medlist: Medlist, environment: dict[str, str]) -> None:
    """So that it stands in no shell's history."""
    ended = CliRunner().invoke(
        main, ["show", "-"], input=f"{NUMBER}\n", env=environment | {"MEDLIST_PSEUDONYM_KEY": KEY}
    )

    assert ended.exit_code == 0
    assert "Nyare 100 mg" in ended.stdout


def test_the_list_is_shown_as_a_bundle(medlist: Medlist, environment: dict[str, str]) -> None:
    """It names the version of the list, and when it was put out."""
    ended = medlist("show", PATIENT, "--fhir", **environment)

    bundle = json.loads(ended.stdout)
    newer = the_list(line(standing(), product="Nyare 100 mg"), patient=PATIENT)
    assert ended.exit_code == 0
    assert bundle["meta"]["profile"] == [names.LIST_BUNDLE]
    assert bundle["identifier"]["value"] == list_version(encode_list(newer))
    assert "timestamp" in bundle


def test_a_patient_without_a_list_is_said_so(medlist: Medlist, environment: dict[str, str]) -> None:
    """Exit status 1, and nothing on the standard output."""
    ended = medlist("show", "f" * 32, "--lang", "en", **environment)

    assert (ended.exit_code, ended.stdout) == (1, "")
    assert "no list" in ended.stderr


def test_a_removed_list_is_no_list(medlist: Medlist, environment: dict[str, str]) -> None:
    """The record that erases a patient is the newest."""
    _erase(environment["MEDLIST_KAFKA"], PATIENT)

    assert medlist("show", PATIENT, **environment).exit_code == 1


@pytest.mark.parametrize("wrong", ["191212121213", "tolvan", "1212121212"])
def test_what_is_no_number_is_refused_without_repeating_it(
    medlist: Medlist, environment: dict[str, str], wrong: str
) -> None:
    """What was typed may be somebody's number all the same."""
    ended = medlist("show", wrong, MEDLIST_PSEUDONYM_KEY=KEY, **environment)

    assert ended.exit_code == 2
    assert "neither a pseudonym" in ended.stderr
    assert wrong not in ended.output


def test_a_number_without_the_key_says_what_is_missing(medlist: Medlist, environment: dict[str, str]) -> None:
    """The variable, never the number."""
    ended = medlist("show", NUMBER, **environment)

    assert ended.exit_code != 0
    assert "MEDLIST_PSEUDONYM_KEY" in str(ended.exception) + ended.output
    assert NUMBER not in str(ended.exception) + ended.output


def test_a_topic_with_something_else_is_named_by_its_place(medlist: Medlist, environment: dict[str, str]) -> None:
    """Partition and offset, never the value."""
    _put(environment["MEDLIST_KAFKA"], PATIENT, b'{"secret": 1}')

    ended = medlist("show", PATIENT, **environment)

    assert ended.exit_code != 0
    assert "CMD-002" in str(ended.exception) + ended.output
    assert "secret" not in str(ended.exception) + ended.output


def _send(address: str, *lists: MedicationList) -> None:
    for one in lists:
        _put(address, one.patient, encode_list(one))


def _erase(address: str, patient: str) -> None:
    _put(address, patient, None)


def _put(address: str, patient: str, value: bytes | None) -> None:
    producer = Producer({"bootstrap.servers": address, "acks": "all"})
    producer.produce(LIST, value, key=patient.encode(), partition=partition_of(patient, PARTITIONS))
    assert producer.flush(30) == 0
