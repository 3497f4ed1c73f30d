"""Whom we hold: the patients of our lists, by pseudonym, with what is needed to read about them. Pure.

Only persons with a personnummer have a list at NLL that can be asked for.
"""

from collections.abc import Iterable

import msgspec

from contracts.systems import PERSONNUMMER
from contracts.values import Identifier


class Patient(msgspec.Struct, frozen=True, kw_only=True):
    """One patient: number, whether pouches are dispensed, and whose record each of our record ids is (source, source id)."""

    pseudonym: str
    partition: int
    number: str
    dose: bool
    records: dict[str, tuple[str, str]]


class _Content(msgspec.Struct):
    dose_dispensed: bool | None = None


class _Record(msgspec.Struct):
    record: str
    source: str
    source_id: str


class _Prescription(_Record):
    content: _Content


class _Item(msgspec.Struct):
    prescriptions: tuple[_Prescription, ...] = ()


class _List(msgspec.Struct):
    """What of a list is needed here; the rest is not decoded."""

    patient: str
    person: Identifier | None = None
    items: tuple[_Item, ...] = ()
    withdrawn: tuple[_Record, ...] = ()


_decoder = msgspec.json.Decoder(_List)


def read_patient(value: bytes, partition: int) -> Patient | None:
    """Return the patient of a list, ``None`` where NLL cannot be asked. Raises ``msgspec.DecodeError`` for no list."""
    found = _decoder.decode(value)
    if found.person is None or found.person.system != PERSONNUMMER:
        return None
    prescriptions = [one for item in found.items for one in item.prescriptions]
    return Patient(
        pseudonym=found.patient,
        partition=partition,
        number=found.person.value,
        dose=any(one.content.dose_dispensed for one in prescriptions),
        records={one.record: (one.source, one.source_id) for one in [*prescriptions, *found.withdrawn]},
    )


class Roster:
    """The patients of the partitions that are ours."""

    def __init__(self) -> None:
        self._patients: dict[str, Patient] = {}

    def __len__(self) -> int:
        return len(self._patients)

    def __getitem__(self, pseudonym: str) -> Patient:
        return self._patients[pseudonym]

    def __contains__(self, pseudonym: str) -> bool:
        return pseudonym in self._patients

    def put(self, patient: Patient) -> bool:
        """Take a patient's newest list in; whether the patient is new here."""
        new = patient.pseudonym not in self._patients
        self._patients[patient.pseudonym] = patient
        return new

    def drop(self, pseudonym: str) -> None:
        """The patient's list is gone."""
        self._patients.pop(pseudonym, None)

    def drop_partitions(self, partitions: Iterable[int]) -> list[str]:
        """Partitions went; return whom they held."""
        gone = set(partitions)
        dropped = [name for name, one in self._patients.items() if one.partition in gone]
        for name in dropped:
            del self._patients[name]
        return dropped
