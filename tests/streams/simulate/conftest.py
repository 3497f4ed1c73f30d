"""Shared: a small simulated world, and a reconciler that has been told its truth."""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import pytest

from contracts.fact import Fact
from contracts.medication_list import ListItem, MedicationList
from streams.simulate.truth import PatientTruth, Truth, decode_truth
from streams.simulate.world import Simulated, generate, simulate

SEED = 11
PATIENTS = 60

Lister = Callable[[Sequence[Fact], Sequence[datetime]], list[MedicationList]]


@pytest.fixture(scope="session")
def world() -> tuple[Simulated, ...]:
    """The first patients of a world."""
    return tuple(simulate(SEED, index) for index in range(PATIENTS))


@pytest.fixture(scope="session")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same patients, written as files."""
    out = tmp_path_factory.mktemp("world")
    generate(PATIENTS, SEED, out)
    return out


@pytest.fixture(scope="session")
def truth(directory: Path) -> Truth:
    """The written truth."""
    return decode_truth((directory / "truth.json").read_bytes())


@pytest.fixture(scope="session")
def oracle(truth: Truth) -> Lister:
    """A reconciler that has been told the truth."""

    def reconcile(facts: Sequence[Fact], times: Sequence[datetime]) -> list[MedicationList]:
        patient = facts[0].patient
        return [_true_list(patient, truth.patients[patient], moment) for moment in times]

    return reconcile


def _true_list(patient: str, truth: PatientTruth, moment: datetime) -> MedicationList:
    states = {probe.group: probe.state for probe in truth.states if probe.at == moment}
    items = tuple(
        ListItem(
            treatment=group.id,
            strand=group.id,
            state=states.get(group.id, "unknown"),
            layers={},
            because={},
            facts=group.facts,
        )
        for group in truth.groups
    )
    return MedicationList(patient=patient, rules="truth", items=items)
