"""Entries: head records (orders, prescriptions, rows, reports) as matching and the list see them."""

from datetime import datetime

import msgspec

from contracts.fact import Fact
from contracts.facts.base import TreatmentContent
from contracts.facts.list_statement import ListRow
from contracts.facts.prescribing import Order, Prescription
from contracts.facts.reported_use import ReportedUse
from contracts.medication_list import LayerName
from contracts.values import Identifier, Practitioner, Reference
from streams.reconcile.policy import Kind
from streams.reconcile.profile import Profile, Profiler
from streams.reconcile.records import Record
from streams.reconcile.timeline import called_off, never_valid, span

LINKING_ROLES = frozenset({"chain", "predecessor", "successor", "order", "prescription"})
"""Roles by which a source says that two records are about one treatment."""

LAYER_OF: dict[Kind, LayerName] = {
    "inpatient_order": "intended",
    "outpatient_order": "intended",
    "list_row": "intended",
    "prescription": "prescribed",
    "reported_use": "reported",
    "dose_supply": "dispensed",
    "dispense": "dispensed",
    "administration": "given",
}


class Entry(msgspec.Struct, frozen=True, gc=False, eq=False):
    """One head record: its kind, profile, matching span, explicit ids.

    ``identifiers`` are all ids that it goes by, ``hubs`` these and those that it says belong to the same treatment.
    ``never_valid``: cancelled, or called off before it began.
    """

    record: Record
    kind: Kind
    profile: Profile
    start: datetime
    end: datetime
    never_valid: bool
    identifiers: frozenset[Identifier]
    references: frozenset[Reference]
    hubs: frozenset[Identifier]
    chains: frozenset[Identifier]
    statement: Identifier | None
    unit: Identifier | None
    said_at: datetime

    @property
    def key(self) -> Identifier:
        """The record's key."""
        return self.record.key

    @property
    def source(self) -> str:
        """The source system."""
        return self.record.key.system

    @property
    def layer(self) -> LayerName:
        """The layer that the record speaks on."""
        return LAYER_OF[self.kind]


def treatment_content(fact: Fact) -> TreatmentContent:
    """Return the content of a fact about a treatment."""
    content = fact.content
    if not isinstance(content, TreatmentContent):
        raise TypeError(type(content).__name__)
    return content


def references_of(record: Record) -> frozenset[Reference]:
    """Return what any version of the record says it belongs to: a later version does not unsay it."""
    if len(record.versions) == 1:
        return frozenset(treatment_content(record.newest).references)
    return frozenset(
        reference
        for fact in record.versions
        if isinstance(fact.content, TreatmentContent)
        for reference in fact.content.references
    )


def identifiers_of(record: Record) -> frozenset[Identifier]:
    """Return all ids that the record goes by, its own key among them."""
    found = {record.key}
    for fact in record.versions:
        if isinstance(fact.content, TreatmentContent):
            found.update(fact.content.identifiers)
    return frozenset(found)


def make_entry(record: Record, profile: Profiler) -> Entry:
    """Return the entry of a head record."""
    content = treatment_content(record.newest)
    identifiers, references = identifiers_of(record), references_of(record)
    chains = frozenset(r.target for r in references if r.role == "chain")
    start, end = span(record)
    statements = sorted(r.target for r in references if r.role == "list")
    return Entry(
        record=record,
        kind=kind_of(content),
        profile=profile(content.medication, content.route),
        start=start,
        end=end,
        never_valid=never_valid(record) or called_off(record),
        identifiers=identifiers,
        references=references,
        hubs=identifiers | {r.target for r in references if r.role in LINKING_ROLES},
        chains=chains,
        statement=statements[0] if statements else None,
        unit=_unit(content),
        said_at=record.newest.occurred_at or record.newest.recorded_at or start,
    )


def kind_of(content: TreatmentContent) -> Kind:
    """Return the kind of a head content: what the precedence table speaks of."""
    match content:
        case Order(setting="inpatient"):
            return "inpatient_order"
        case Order():
            return "outpatient_order"
        case Prescription():
            return "prescription"
        case ListRow():
            return "list_row"
        case ReportedUse():
            return "reported_use"
        case _:
            raise TypeError(type(content).__name__)


def _unit(content: TreatmentContent) -> Identifier | None:
    prescriber: Practitioner | None = getattr(content, "prescriber", None)
    return prescriber.care_unit if prescriber else None
