"""Whom we hold: what of a list is needed to read about its patient."""

import msgspec
import pytest

from contracts.medication_list import encode_list
from contracts.systems import SAMORDNINGSNUMMER
from contracts.values import Identifier
from streams.topology.nll_source.roster import Patient, Roster, read_patient
from tests.streams.publish.cases import PERSON, line, standing, the_list, withdrawn


def patient(name: str, partition: int = 0) -> Patient:
    """Some patient."""
    return Patient(pseudonym=name, partition=partition, number="191212121212", dose=False, records={})


def test_a_list_tells_number_partition_and_whose_each_record_is() -> None:
    """Withdrawn records are ours too: what we registered of them still stands at NLL."""
    rx, gone = standing("rx-1"), standing("rx-2", source="hospital")

    found = read_patient(encode_list(the_list(line(rx), withdrawn=(withdrawn(gone, "blocked"),))), 3)

    assert found == Patient(
        pseudonym="pseudonym-1",
        partition=3,
        number=PERSON.value,
        dose=False,
        records={rx.record: ("primary-care", "rx-1"), gone.record: ("hospital", "rx-2")},
    )


@pytest.mark.parametrize(("dispensed", "dose"), [((None, None), False), ((False, True), True), ((False, False), False)])
def test_a_patient_with_any_dose_dispensed_prescription_is_a_dose_patient(
    dispensed: tuple[bool | None, bool | None], *, dose: bool
) -> None:
    """One of several is enough."""
    lines = [line(standing(f"rx-{n}", dose_dispensed=one)) for n, one in enumerate(dispensed)]

    found = read_patient(encode_list(the_list(*lines)), 0)

    assert found is not None
    assert found.dose is dose


@pytest.mark.parametrize("person", [None, Identifier(system=SAMORDNINGSNUMMER, value="196109732393")])
def test_whoever_has_no_personnummer_cannot_be_asked_for(person: Identifier | None) -> None:
    """NLL has a list that can be asked for only of persons with one."""
    assert read_patient(encode_list(the_list(line(standing()), person=person)), 0) is None


@pytest.mark.parametrize("value", [b"", b"{", b"[]", b'{"items": []}'])
def test_what_is_no_list_is_an_error(value: bytes) -> None:
    """It is never taken for a list without anybody on it."""
    with pytest.raises(msgspec.DecodeError):
        read_patient(value, 0)


def test_a_newer_list_replaces_the_older_one_and_is_not_new() -> None:
    """Only a patient that was not there is looked at at once."""
    roster = Roster()

    assert roster.put(patient("a")) is True
    assert roster.put(msgspec.structs.replace(patient("a"), dose=True)) is False
    assert (len(roster), roster["a"].dose) == (1, True)


def test_partitions_take_their_patients_with_them_and_no_others() -> None:
    """And an erased list its own."""
    roster = Roster()
    for name, partition in (("a", 0), ("b", 1), ("c", 1), ("d", 2)):
        roster.put(patient(name, partition))

    roster.drop("d")

    assert sorted(roster.drop_partitions([1, 2])) == ["b", "c"]
    assert "a" in roster
    assert len(roster) == 1
