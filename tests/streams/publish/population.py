"""Many made-up patients whose lists change: for tests that ask for convergence, not for one case.

Numbers are birth dates with a serial of 980-989, which is set aside for tests, and a right check digit.
"""

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from contracts.medication_list import MedicationList, StandingPrescription
from contracts.systems import PERSONNUMMER
from contracts.values import Identifier, Period
from tests.streams.publish.cases import (
    METOPROLOL_50,
    PARACETAMOL,
    dosage,
    line,
    replaced,
    standing,
    the_list,
    withdrawn,
)

TEXTS = ("1 tablett varje morgon", "2 tabletter varje morgon", "1 tablett till natten")


def person(number: int) -> Identifier:
    """A test person, another for each number."""
    born = date(1930, 1, 1) + timedelta(days=number // 10)
    digits = f"{born:%Y%m%d}{980 + number % 10}"
    products = (int(digit) * (2 - index % 2) for index, digit in enumerate(digits[2:]))
    check = -sum(product // 10 + product % 10 for product in products) % 10
    return Identifier(system=PERSONNUMMER, value=f"{digits}{check}")


def history(number: int, changes: int, seed: int) -> Iterator[MedicationList]:
    """The lists of one patient, one after the other; what was ended or cancelled once is never active again."""
    chance = random.Random(f"{seed}:{number}")
    current: dict[str, StandingPrescription] = {}
    gone: dict[str, StandingPrescription] = {}
    for turn in range(changes):
        name = chance.choice([*current, f"rx-{number}-{turn}"])
        if name not in current:
            start = datetime(2026, 3, 1, 23, tzinfo=UTC)
            medication = chance.choice([METOPROLOL_50, PARACETAMOL])
            current[name] = standing(name, medication=medication, period=Period(start=start), person=person(number))
        elif current[name].state == "active":
            current[name] = _changed(current[name], chance)
        if chance.random() < 0.05:
            gone[name] = current.pop(name)
        lines = [line(one) for one in current.values()]
        yield the_list(
            *lines,
            withdrawn=tuple(withdrawn(one, "retracted") for one in gone.values()),
            patient=f"patient-{number}",
            person=person(number),
            rules=f"turn-{turn}",
        )


def _changed(prescription: StandingPrescription, chance: random.Random) -> StandingPrescription:
    match chance.choice(["dose", "dose", "note", "note", "stop", "cancel"]):
        case "dose":
            return replaced(prescription, dosage=dosage(chance.choice(TEXTS)))
        case "note":
            return replaced(prescription, note=chance.choice(["a", "b"]))
        case "stop":
            return replaced(prescription, status="stopped", state="ended")
        case _:
            return replaced(prescription, status="cancelled", state="cancelled")


def expected(last: MedicationList) -> dict[str, tuple[str, str]]:
    """Record -> status and words that the endpoint should hold in the end, of what stands on the last list."""
    return {
        one.record: (one.state, one.content.dosage.text or "")
        for item in last.items
        for one in item.prescriptions
        if one.state == "active"
    }
