"""Which prescription at the endpoint a new one takes over from (ersätta, NLL handbook TA27). Pure.

Rules.
- Replacing ends the old prescription and keeps its chain, in one write; both must have the same 7-character ATC code.
- A prescription of ours that the list itself closes is replaced by the one that says so where that is possible; else it is
  closed by itself, and the new one registered beside it.
- Any other prescription is named by its NLL id, whoever registered it. That statement is all there is to end it with, so the
  new one is held back, with its reason, unless the other is there, not closed, and of the same drug.
- Where several take over from one, the first by record that is not there yet does; the others are registered beside it.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from contracts.medication_list import StandingPrescription
from contracts.systems import ATC, NLL_PRESCRIPTION
from mappings.fhir.content import content_of
from mappings.fhir.elements import text_at
from streams.publish.actual import Actual, Registered
from streams.publish.desired import Desired

ATC_LENGTH: Final = 7
_OVER: Final = frozenset({"ended", "run-out"})
_CLOSING: Final = _OVER | {"cancelled"}


class Untakeable(msgspec.Struct, frozen=True):
    """It names a predecessor that it cannot take over from; ``reason`` is in ``contracts.publication.HELD_REASONS``."""

    reason: str


def predecessor(
    prescription: StandingPrescription, desired: Desired, actual: Actual, *, replace: bool
) -> Registered | Untakeable | None:
    """Return what a new prescription replaces, ``None`` when nothing, or why it must wait.

    ``replace``: whether one of ours that the list closes may be replaced in one write.
    """
    if replace and (former := _stopped_of_ours(prescription, desired, actual)) is not None:
        return former
    named = named_at_nll(prescription)
    there = [one for one in actual.registered if named & {one.id, *one.nll_ids}]
    if not named or any(_is_closed_by_list(one, desired) for one in there):
        return None
    return _named(prescription, there, desired, actual)


def named_at_nll(prescription: StandingPrescription) -> frozenset[str]:
    """Return the NLL ids of the prescriptions that one says it takes over from."""
    references = prescription.content.references
    return frozenset(
        one.target.value for one in references if one.role == "predecessor" and one.target.system == NLL_PRESCRIPTION
    )


def hoped_for(desired: Desired) -> frozenset[str]:
    """Return the NLL ids that must be found at the endpoint before everything that is asked for can be registered."""
    standing = (one.prescription for one in desired.wanted if one.target == "standing")
    return frozenset(name for one in standing for name in named_at_nll(one))


def _named(
    prescription: StandingPrescription, there: list[Registered], desired: Desired, actual: Actual
) -> Registered | Untakeable | None:
    """What an NLL id names, examined in the order in which a person would: is it there, open, one, and the same drug."""
    living = [one for one in there if not one.closed]
    if not there:
        return Untakeable("predecessor-not-there")
    if not living:
        heirs = {one.record for one in desired.wanted}
        return None if any(_was_replaced(one, heirs, actual) for one in there) else Untakeable("predecessor-closed")
    if len(living) > 1:
        return Untakeable("predecessors-several")
    if not _same_drug(prescription, living[0]):
        return Untakeable("predecessor-other-drug")
    rivals = (one for one in _yet_to_come(desired, actual) if named_at_nll(one) & {living[0].id, *living[0].nll_ids})
    first = min(one.record for one in rivals if _same_drug(one, living[0]))
    return living[0] if first == prescription.record else None


def _stopped_of_ours(prescription: StandingPrescription, desired: Desired, actual: Actual) -> Registered | None:
    """The prescription of ours that is over by the list and that this one says it takes over from."""
    for wanted in desired.wanted:
        if wanted.target not in _OVER:
            continue
        there = actual.of_record(wanted.record)
        living = [one for one in there if not one.closed]
        heirs = [one.record for one in _yet_to_come(desired, actual) if _takes_over(one, wanted.prescription, there)]
        if len(living) == 1 and prescription.record == min(heirs, default=None):
            return living[0]
    return None


def _takes_over(heir: StandingPrescription, former: StandingPrescription, there: Iterable[Registered]) -> bool:
    named = {(one.target.system, one.target.value) for one in heir.content.references if one.role == "predecessor"}
    names = {(former.source, former.source_id)}
    names |= {(NLL_PRESCRIPTION, name) for one in there for name in (one.id, *one.nll_ids)}
    atc = former.content.medication.atc
    return bool(named & names) and atc is not None and heir.content.medication.atc == atc


def _yet_to_come(desired: Desired, actual: Actual) -> list[StandingPrescription]:
    standing = (one.prescription for one in desired.wanted if one.target == "standing")
    return [one for one in standing if not actual.of_record(one.record)]


def _is_closed_by_list(one: Registered, desired: Desired) -> bool:
    closing = {wanted.record for wanted in desired.wanted if wanted.target in _CLOSING}
    closing |= {retire.record for retire in desired.retire}
    return bool(closing & set(one.records))


def _was_replaced(one: Registered, heirs: set[str], actual: Actual) -> bool:
    """Whether a prescription of this list has taken over from it already."""
    reference = f"MedicationRequest/{one.id}"
    return any(
        text_at(other.resource, "priorPrescription", "reference") == reference and heirs & set(other.records)
        for other in actual.registered
    )


def _same_drug(prescription: StandingPrescription, one: Registered) -> bool:
    """Whether both state one 7-character ATC code; what is not stated is not the same."""
    atc = prescription.content.medication.atc
    return atc is not None and len(atc) == ATC_LENGTH and content_of(one.resource).product.get(ATC) == atc
