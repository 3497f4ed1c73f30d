"""What a list asks NLL to hold: its prescriptions, and nothing else of it.

Rules. Orders, administrations, dispensings and reported use are no prescriptions and never leave. A prescription is held
back, with its reason, while its source is unknown to the policy or registers itself, while its line has an undecided field
or a conflict about what is to be prescribed (``contracts.findings``), or while its own state is unknown. Such a conflict that
names no line concerns all of them. What is held back is left alone at the endpoint too: doubt ends nothing.
"""

import hashlib
from collections.abc import Iterable
from typing import Literal

import msgspec

from contracts.findings import FINDINGS
from contracts.medication_list import Finding, ListItem, MedicationList, StandingPrescription, Withdrawn
from contracts.publication import HeldBack
from contracts.systems import NLL_PRESCRIPTION
from contracts.values import Identifier
from mappings.fhir.data_lock import BlockKind
from streams.publish.policy import Policy

Way = Literal["cancel", "end", "lock"]
Target = Literal["standing", "run-out", "ended", "cancelled"]
"""``standing``: to be there, open, with this content. ``run-out``: its own end date has passed; to bear that date.
``ended``: stopped by its prescriber. ``cancelled``: never valid."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """One prescription as it should stand at the endpoint."""

    target: Target
    prescription: StandingPrescription

    @property
    def record(self) -> str:
        """The record's id, by which it is found again."""
        return self.prescription.record


class Retire(msgspec.Struct, frozen=True, kw_only=True):
    """A prescription that was withdrawn: what we created of it is to be closed, or locked, in this way.

    ``because`` are the facts of the retraction or the block, ``block`` is the block's kind.
    """

    record: str
    how: Way
    because: tuple[str, ...] = ()
    block: BlockKind | None = None


class Desired(msgspec.Struct, frozen=True, kw_only=True):
    """What a list asks for. ``linked`` are records that their source registers itself, with its NLL ids."""

    patient: str
    person: Identifier | None
    wanted: tuple[Wanted, ...] = ()
    retire: tuple[Retire, ...] = ()
    linked: tuple[tuple[str, str], ...] = ()
    held: tuple[HeldBack, ...] = ()


def desired(medication_list: MedicationList, policy: Policy) -> Desired:
    """Return what a list asks NLL to hold under a policy; sorted by record, so that equal lists ask alike."""
    in_doubt = _lines_in_doubt(medication_list)
    wanted: list[Wanted] = []
    held: list[HeldBack] = []
    linked: list[tuple[str, str]] = []
    for item, prescription in _prescriptions(medication_list.items):
        linked += _links(prescription)
        reason = _held_because(item, prescription, policy) or in_doubt.get(item.strand)
        if reason is None and (target := _target(prescription)) is not None:
            wanted.append(Wanted(target=target, prescription=prescription))
        else:
            held.append(HeldBack(record=prescription.record, reason=reason or "state-unknown"))
    return Desired(
        patient=medication_list.patient,
        person=medication_list.person,
        wanted=tuple(sorted(wanted, key=lambda one: one.record)),
        retire=_retire(medication_list.withdrawn, policy),
        linked=tuple(sorted(linked)),
        held=tuple(sorted((*held, *_blocked(medication_list.withdrawn)))),
    )


def wanted_hash(wish: Desired) -> str:
    """Return the SHA-256 (hex) of what is asked for: equal while no prescription changes."""
    return hashlib.sha256(msgspec.json.encode(wish, order="deterministic")).hexdigest()


def _prescriptions(items: Iterable[ListItem]) -> Iterable[tuple[ListItem, StandingPrescription]]:
    return ((item, prescription) for item in items for prescription in item.prescriptions)


def _lines_in_doubt(medication_list: MedicationList) -> dict[str, str]:
    conflicts = [finding for finding in medication_list.findings if _withholds(finding)]
    if medication_list.person is None or any(not finding.items for finding in conflicts):
        return {item.strand: "patient-in-doubt" for item in medication_list.items}
    return {strand: "conflict" for finding in conflicts for strand in finding.items}


def _withholds(finding: Finding) -> bool:
    """Whether it puts in doubt what is to be prescribed, and nobody has settled it; a code that is not known might."""
    kind = FINDINGS.get(finding.code)
    return finding.conflict and (kind is None or kind.withholds)


def _held_because(item: ListItem, prescription: StandingPrescription, policy: Policy) -> str | None:
    handling = policy.handling.get(prescription.source)
    if handling is None:
        return "source-unknown"
    if handling == "link":
        return "publishes-itself"
    if prescription.content.setting not in policy.settings:
        return "inpatient"
    return "undecided" if item.undecided else None


def _links(prescription: StandingPrescription) -> list[tuple[str, str]]:
    ids = (one.value for one in prescription.content.identifiers if one.system == NLL_PRESCRIPTION)
    return [(prescription.record, value) for value in ids]


def _target(prescription: StandingPrescription) -> Target | None:
    """What the endpoint should hold of a prescription; ``None`` when its state does not tell.

    A pause has no form in NLL, and dormant is overridden only while admitted: both stand. Fully dispensed is the
    endpoint's own finding and no end of the treatment.
    """
    status = prescription.content.status
    match prescription.state:
        case "planned" | "active" | "paused" | "dormant":
            return None if status == "unknown" else "standing"
        case "ended":
            return "ended" if status == "stopped" else "run-out"
        case "cancelled":
            return "cancelled"
        case "unknown":
            return None


def _retire(withdrawn: Iterable[Withdrawn], policy: Policy) -> tuple[Retire, ...]:
    retired = [
        Retire(record=one.record, how=how, because=one.because, block=one.block)
        for one in withdrawn
        for how in _ways(one, policy)
    ]
    return tuple(sorted(retired, key=lambda one: (one.record, one.how)))


def _ways(one: Withdrawn, policy: Policy) -> set[Way]:
    """By the policy; and what its source has ended since is ended, though a block covers it. Never valid outdoes ended."""
    ways: set[Way] = set()
    if (how := policy.withdrawals.get(one.reason, "keep")) != "keep":
        ways.add(how)
    if one.over is not None:
        ways.add("cancel" if one.over == "cancelled" else "end")
    return ways - {"end"} if "cancel" in ways else ways


def _blocked(withdrawn: Iterable[Withdrawn]) -> list[HeldBack]:
    return [HeldBack(record=one.record, reason="blocked") for one in withdrawn if one.reason == "blocked"]
