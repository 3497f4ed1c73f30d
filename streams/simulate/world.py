"""The world: patients, one after the other, each from the seed and its own number alone."""

import random
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from contracts.envelope import encode_fact
from contracts.fact import Fact
from streams.simulate.asides import Asides
from streams.simulate.book import Book
from streams.simulate.desk import Habits
from streams.simulate.kinds import KINDS
from streams.simulate.lives import live
from streams.simulate.municipal import Municipality
from streams.simulate.pharmacies import Pharmacies
from streams.simulate.pouches import DosePharmacy
from streams.simulate.prescribing import Prescribing
from streams.simulate.truth import PatientTruth, Truth, encode_truth, patient_truth
from streams.simulate.ward import Ward

FACTS_FILE: Final = "facts.ndjson"
TRUTH_FILE: Final = "truth.json"


class Simulated(msgspec.Struct, frozen=True, kw_only=True):
    """One simulated patient: pseudonym, facts in the order of arrival (repetitions included), and the truth."""

    patient: str
    facts: tuple[Fact, ...]
    truth: PatientTruth


def simulate(seed: int, index: int) -> Simulated:
    """Return patient ``index`` of the world with this seed: always the same."""
    rng = random.Random(f"medlist|{seed}|{index}")  # noqa: S311 - a simulation wants to be repeated
    life = live(rng, index)
    book = Book(seed, index, rng)
    hospital = Habits(
        source="hospital", orders=True, prescriptions=True, replaces=True, suspends=False, structured=True
    )
    prescribing = Prescribing(book, _habits(rng), hospital, life.pouches)
    papers = [prescribing.write(course) for course in life.courses]
    ward = Ward(book, papers)
    for stay in life.stays:
        ward.write(stay)
    Municipality(book, life, papers).write()
    Pharmacies(book, life, papers).write()
    DosePharmacy(book, life, papers).write()
    Asides(book, life).write()
    facts = tuple(sorted(book.deliveries, key=arrival))
    return Simulated(patient=book.patient, facts=facts, truth=patient_truth(book, life.courses))


def generate(patients: int, seed: int, out: Path) -> Mapping[str, int]:
    """Write ``facts.ndjson`` (one structured event per line, in the order of arrival) and ``truth.json`` into ``out``.

    The same arguments give the same bytes. Returns how many patients, facts and groups were written. Raises
    ``ValueError`` for more patients than there are test numbers, ``OSError`` when ``out`` cannot be written.
    """
    truths: dict[str, PatientTruth] = {}
    lines: list[tuple[datetime, str, bytes]] = []
    for index in range(patients):
        simulated = simulate(seed, index)
        truths[simulated.patient] = simulated.truth
        lines += [(*arrival(fact), encode_fact(fact)) for fact in simulated.facts]
    lines.sort()
    known_at = max(moment for moment, _, _ in lines)
    out.mkdir(parents=True, exist_ok=True)
    with (out / FACTS_FILE).open("wb") as file:
        file.writelines(line + b"\n" for _, _, line in lines)
    truth = Truth(seed=seed, known_at=known_at, kinds=dict(KINDS), patients=truths)
    (out / TRUTH_FILE).write_bytes(encode_truth(truth))
    groups = sum(len(truth.groups) for truth in truths.values())
    return {"patients": patients, "facts": len(lines), "groups": groups}


def arrival(fact: Fact) -> tuple[datetime, str]:
    """Return what facts are delivered by: the time of receipt, then the id."""
    return fact.received_at, fact.id


def _habits(rng: random.Random) -> Habits:
    orders = rng.random() < 0.7  # noqa: PLR2004 - the share of clinics whose system sends orders
    return Habits(
        source="primary-care",
        orders=orders,
        prescriptions=not orders or rng.random() < 0.85,  # noqa: PLR2004
        replaces=rng.random() < 0.5,  # noqa: PLR2004
        suspends=rng.random() < 0.5,  # noqa: PLR2004
        structured=rng.random() < 0.85,  # noqa: PLR2004
    )
