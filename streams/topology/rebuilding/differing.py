"""One partition's recorded facts under two sets of rules: whose lists would differ, and how. Nothing is written."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from contracts.envelope import decode_fact
from contracts.medication_list import Change, MedicationList
from streams.reconcile.changes import changes
from streams.reconcile.derive import Reconciler
from streams.reconcile.state import PatientState
from streams.topology.rebuilding.grouping import Grouping
from streams.topology.rebuilding.partition import TELL_RECORDS, Place, Step, Tell
from streams.topology.rebuilding.reading import end_of_facts, fact_records

TELL_PATIENTS = 100


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """What would differ for one patient: changes from the one list to the other. ``products``: treatment -> its name."""

    patient: str
    changes: tuple[Change, ...]
    products: dict[str, str | None]


class Differing(msgspec.Struct, frozen=True, kw_only=True):
    """What would differ in one partition. ``at`` is the moment that its lists were made for."""

    number: int
    facts: int
    patients: int
    at: datetime
    differences: list[Difference]


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of a partition: from which rules to which, and for when; ``None``: its latest known moment."""

    place: Place
    one: Reconciler
    other: Reconciler
    valid_at: datetime | None


def differ(asked: Question, tell: Tell) -> Differing:
    """Read a partition's facts as far as they go now, and compare. Raises as `fact_records`."""
    settings, number = asked.place.settings, asked.place.number
    grouping = Grouping(asked.place.is_mine, checked=True)
    end = end_of_facts(settings, number)
    for count, record in enumerate(fact_records(settings, number, 0, end), 1):
        grouping.add(record)
        if count % TELL_RECORDS == 0 or count == end:
            tell(Step(number, count, end, 0, grouping.facts))
    when = asked.valid_at or grouping.clock
    found: list[Difference] = []
    folded = 0
    for count, patient in enumerate(sorted(grouping.events), 1):
        events = grouping.events[patient]
        before, after = (_list_of(patient, events, with_rules, when) for with_rules in (asked.one, asked.other))
        difference = difference_of(before, after)
        if difference is not None:
            found.append(difference)
        folded += len(events)
        if count % TELL_PATIENTS == 0:
            tell(Step(number, end, end, folded, grouping.facts))
    return Differing(number=number, facts=grouping.facts, patients=len(grouping.events), at=when, differences=found)


def difference_of(before: MedicationList, after: MedicationList) -> Difference | None:
    """Return what differs between two lists of a patient. The identity of the rules is no difference."""
    found = tuple(msgspec.structs.replace(change, cause="rules") for change in changes(before, after, {}))
    if not found:
        return None
    names = {item.treatment: item.product for made in (before, after) for item in made.items}
    return Difference(patient=before.patient, changes=found, products=names)


def _list_of(patient: str, events: Iterable[bytes], reconciler: Reconciler, when: datetime) -> MedicationList:
    state = PatientState(patient, reconciler)
    state.add(map(decode_fact, events))
    return state.patient.list_at(when)
