"""Resolving ids: any id that a list ever gave to a line or treatment leads to where it is now. Nothing is stored for it."""

from collections.abc import Iterable
from typing import Literal

from contracts.fact import Fact
from contracts.medication_list import ListItem, MedicationList
from contracts.values import Identifier, Value
from streams.reconcile.ids import record_id


class Resolved(Value, frozen=True, kw_only=True):
    """Where an id leads: a line (``item``), or why there is none any more."""

    how: Literal["line", "treatment", "record", "leaf", "retracted", "blocked", "unattached"]
    item: ListItem | None = None


def resolve(made: MedicationList, name: str, facts: Iterable[Fact] = ()) -> Resolved | None:
    """Return where ``name`` (a strand, treatment or record id, or an id that a source gave) leads; ``None``: never known.

    A list alone resolves lines, treatments and the records of orders and prescriptions, withdrawn ones too. The ids of
    dispenses and administrations, and of records that were retracted, need the patient's ``facts``.
    """
    return _of_list(made, name) or _of_facts(made, name, facts)


def _of_list(made: MedicationList, name: str) -> Resolved | None:
    for item in made.items:
        if item.strand == name:
            return Resolved(how="line", item=item)
    for item in made.items:
        if item.treatment == name:
            return Resolved(how="treatment", item=item)
    for item in made.items:
        if name in item.records or any(name in _names(p.content.identifiers) for p in item.prescriptions):
            return Resolved(how="record", item=item)
    for gone in made.withdrawn:
        if gone.record == name or name in _names(gone.identifiers):
            return Resolved(how=gone.reason)
    return None


def _of_facts(made: MedicationList, name: str, facts: Iterable[Fact]) -> Resolved | None:
    own = {fact.id for fact in facts if record_id(Identifier(system=fact.source, value=fact.source_id)) == name}
    for item in made.items:
        if not own.isdisjoint(item.facts):
            return Resolved(how="leaf", item=item)
    reasons = {one.reason for one in made.unattached if one.fact in own}
    if reasons:
        return Resolved(how="blocked" if "blocked" in reasons else "unattached")
    return Resolved(how="retracted") if own else None


def _names(identifiers: Iterable[Identifier]) -> set[str]:
    return {identifier.value for identifier in identifiers}
