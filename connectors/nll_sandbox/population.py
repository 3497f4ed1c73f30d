"""The population register behind the server: who exists.

With ``population="open"`` everyone with a correct Swedish test number exists, the way the real register holds
everyone: looking such a person up creates the Patient. With ``"seeded"`` only seeded Patients exist.
"""

from datetime import date, datetime
from typing import Final

from connectors.nll_sandbox.store import Store, Stored, encode
from contracts.systems import PERSONNUMMER
from contracts.values import Identifier
from mappings.codes.persons import read_person
from mappings.fhir.exact_json import JsonObject

_DEMO: Final = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "DEMO"}


def is_personnummer(value: str, on: date) -> bool:
    """Whether this is a personnummer in its written form, of somebody born by this day (``nll-reference`` 2.1)."""
    return read_person(value, PERSONNUMMER, "identifier", on) == Identifier(system=PERSONNUMMER, value=value)


def look_up(store: Store, value: str, now: datetime) -> None:
    """See to it that the person with this personnummer has a Patient, if there can be such a person."""
    if not is_personnummer(value, now.date()) or store.by_identifier("Patient", f"{PERSONNUMMER}|{value}"):
        return
    with store.transaction(now) as transaction:
        name = store.next_id("p")
        resource = _patient(name, value, transaction.at)
        store.put(
            Stored(
                kind="Patient",
                id=name,
                version=1,
                txn=transaction.seq,
                patient=name,
                owner="",
                at=transaction.at,
                body=encode(resource),
            )
        )


def _patient(name: str, value: str, at: str) -> JsonObject:
    return {
        "resourceType": "Patient",
        "id": name,
        "meta": {"versionId": "1", "lastUpdated": at, "security": [_DEMO]},
        "identifier": [{"system": PERSONNUMMER, "value": value}],
        "active": True,
        "gender": "male" if int(value[10]) % 2 else "female",
        "birthDate": f"{value[:4]}-{value[4:6]}-{value[6:8]}",
    }
