"""Facts for measuring: a region's mix without end, and one patient with a history of any length."""

import heapq
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Final
from uuid import uuid5

import msgspec

from connectors.pseudonym import Pseudonym
from contracts.fact import NAMESPACE, Fact, Origin, make_fact
from contracts.facts.administration import Administration
from contracts.facts.base import Content
from contracts.facts.person import IdentityLink
from contracts.facts.prescribing import Order
from contracts.values import Identifier, Medication, Period, Reference
from mappings.codes.products import ProductRow
from streams.simulate.clock import BEGIN, local, local_day
from streams.simulate.dosages import intakes_on, regular
from streams.simulate.formulary import THERAPIES, amount
from streams.simulate.persons import MAXIMUM, person_identifier, person_number, pseudonym
from streams.simulate.world import arrival, simulate

_BATCH: Final = 64
"""Patients whose facts are interleaved."""
_DRUGS: Final = ("metoprolol depot", "apixaban", "atorvastatin", "furosemide")
LEAST_HISTORY: Final = len(_DRUGS)
"""The least number of facts of a history: one order per treatment."""


def region_mix(seed: int) -> Iterator[Fact]:
    """Yield facts of a region's mix without end, in the order of arrival within batches of some dozens of patients.

    Raises ``ValueError`` when the test numbers run out, after some 290,000 patients (twenty million facts).
    """
    index = 0
    while True:
        batch = [simulate(seed, number).facts for number in range(index, index + _BATCH)]
        yield from heapq.merge(*batch, key=arrival)
        index += _BATCH


def renamed_mix(seed: int, simulated: int, pseudonym: Pseudonym) -> Iterator[Fact]:
    """Yield facts as ``region_mix`` does, of which only the first ``simulated`` patients are simulated: several times as fast.

    Those come again and again, each time as other persons with their own pseudonyms. Ids of facts and records repeat between
    patients, never within one; links between two persons are left out. Raises ``ValueError`` as ``region_mix`` does.
    """
    for batch in renamed_patients(seed, simulated, pseudonym):
        yield from heapq.merge(*batch, key=arrival)


def renamed_patients(seed: int, simulated: int, pseudonym: Pseudonym) -> Iterator[list[list[Fact]]]:
    """Yield the patients of ``renamed_mix``, some dozens at a time, each with its facts in the order of arrival."""
    models = [simulate(seed, number).facts for number in range(simulated)]
    index = 0
    while True:
        numbers = range(index, index + _BATCH)
        yield [_renamed(models[number % simulated], number, pseudonym) for number in numbers]
        index += _BATCH


def _renamed(facts: Iterable[Fact], number: int, pseudonym: Pseudonym) -> list[Fact]:
    person = person_identifier(number)
    patient = pseudonym(person)
    return [
        msgspec.structs.replace(fact, patient=patient, content=msgspec.structs.replace(fact.content, person=person))
        for fact in facts
        if not isinstance(fact.content, IdentityLink)
    ]


def history(patient_facts: int, seed: int) -> list[Fact]:
    """Return exactly ``patient_facts`` facts of one patient in the order of arrival: four orders, then administrations.

    Histories of different lengths have the same treatments, and a shorter one is the beginning of a longer one. Raises
    ``ValueError`` for fewer facts than there are treatments.
    """
    if patient_facts < LEAST_HISTORY:
        raise ValueError(f"a history has at least {LEAST_HISTORY} facts, one for each treatment")
    return list(islice(_history(seed), patient_facts))


def _history(seed: int) -> Iterator[Fact]:
    index = seed % MAXIMUM
    person, patient = person_identifier(index), pseudonym(person_number(index))

    def fact(source: str, source_id: str, content: Content, moment: datetime) -> Fact:
        origin = Origin(source=source, source_id=source_id, patient=patient, occurred_at=moment, recorded_at=moment)
        return make_fact(origin, content, moment + timedelta(seconds=5))

    drugs = [(THERAPIES[name], THERAPIES[name].products()[1 % len(THERAPIES[name].products())]) for name in _DRUGS]
    dosages = [regular(therapy, amount(therapy.units[0]), product.dose_unit) for therapy, product in drugs]
    orders = [str(uuid5(NAMESPACE, f"history|{seed}|{therapy.name}")) for therapy, _ in drugs]
    for (_, product), dosage, order in zip(drugs, dosages, orders, strict=True):
        yield fact(
            "primary-care",
            order,
            Order(
                person=person,
                medication=_medication(product),
                route=product.route,
                status="active",
                setting="outpatient",
                period=Period(start=BEGIN),
                dosage=dosage,
            ),
            BEGIN,
        )
    day = local_day(BEGIN)
    while True:
        day += timedelta(days=1)
        planned = sorted(
            (intake.at, number, intake.dose)
            for number, dosage in enumerate(dosages)
            for intake in intakes_on(dosage, local(day, "00:00"), day)
        )  # the number settles equal times; a dose is never compared
        for moment, number, dose in planned:
            yield fact(
                "municipal",
                f"H-{number}-{moment:%Y%m%d%H%M}",
                Administration(
                    person=person,
                    medication=_medication(drugs[number][1]),
                    route=drugs[number][1].route,
                    references=(
                        Reference(role="order", target=Identifier(system="primary-care", value=orders[number])),
                    ),
                    status="completed",
                    outcome="given",
                    setting="municipal",
                    dose=dose,
                    planned_at=moment,
                ),
                moment,
            )


def _medication(product: ProductRow) -> Medication:
    return Medication(kind="registered", text=product.name, npl_id=product.npl_id, atc=product.atc, form=product.form)
