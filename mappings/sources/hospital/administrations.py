"""Administrations: RAS^O17, one record per RXA (HL7 v2.5.1 chapter 4.17, 4.18).

Rules this module owns:

1. The record is the order's number with RXA-1 and RXA-2 (which dose, which administration of it); without an order, the
   administration's own number in ORC-3.
2. RXA-21 tells what the message does: ``A`` (or nothing) adds, ``U`` replaces, ``D`` takes the record back.
3. RXA-20 gives the outcome (table 0322); where it is ``NA``, the reason in RXA-18 may name it more closely.
4. RXA-3 is when it was given or refused; RXA-22, else ORC-9, is when that was recorded; TQ1-7 is when it was planned.
"""

from datetime import datetime
from typing import Final

import msgspec

from contracts.fact import Fact
from contracts.facts.administration import Administration, AdministrationOutcome, AdministrationStatus
from contracts.facts.correction import Retraction
from contracts.values import Identifier, Practitioner, Reason, Reference
from mappings.codes.hl7 import COMPLETION
from mappings.codes.outcomes import outcome_from_code
from mappings.sources.hospital import drugs, times
from mappings.sources.hospital.fields import Field, Segment
from mappings.sources.hospital.groups import Group
from mappings.sources.hospital.header import Header, Stamp, fact, recorded
from mappings.sources.hospital.identities import practitioner, reason, record_id
from mappings.sources.hospital.orders import order_setting

PERFORMED: Final = "RE"
ACTIONS: Final = frozenset({None, "A", "U", "D"})
DELETE: Final = "D"


class _Outcome(msgspec.Struct, frozen=True, kw_only=True):
    status: AdministrationStatus
    outcome: AdministrationOutcome
    reason: Reason | None


def read_administrations(group: Group, header: Header) -> tuple[Fact, ...]:
    """Return the facts of one order's administrations, or note in the group why there are none."""
    if group.orc.text(1, required=True) not in {None, PERFORMED}:
        group.problems.add("unsupported", group.orc.at(1), "an administration is reported with RE")
    given = group.named("RXA")
    if not given:
        group.problems.add("missing", f"{group.orc.place} RXA", "state what was given in an RXA segment")
    facts = [found for rxa in given if (found := _read_one(rxa, group, header)) is not None]
    return () if group.problems else tuple(facts)


def _read_one(rxa: Segment, group: Group, header: Header) -> Fact | None:
    action = rxa.text(21)
    if action not in ACTIONS:
        rxa.problems.add("unknown-code", rxa.at(21), "state A, U or D")
    record = _record(rxa, group)
    occurred_at = times.instant(rxa, 3, header.source, required=True)
    recorded_at = recorded(rxa, 22, header.context) or recorded(group.orc, 9, header.context)
    if action == DELETE:
        return _retraction(record, header, recorded_at, reason(_first(rxa, 18), header.source.id))
    content = _administration(rxa, group, header)
    if record is None or content is None:
        return None
    return fact(header, Stamp(source_id=record, occurred_at=occurred_at, recorded_at=recorded_at), content)


def _administration(rxa: Segment, group: Group, header: Header) -> Administration | None:
    source = header.source
    outcome = _outcome(rxa, source.id)
    medication = drugs.read_medication(rxa, drugs.RXA, (), source.id)
    dose = drugs.amount(rxa, 6, 7)
    setting = order_setting(group, header)
    order = record_id(group.orc.field(2))
    references = () if order is None else (_reference(order, source.id),)
    performer: Practitioner | None = practitioner(rxa.fields(10), None, source.id)
    planned = group.named("TQ1")
    planned_at = times.instant(planned[0], 7, source) if len(planned) == 1 else None
    route = drugs.read_route(_route_of(rxa, group))
    if header.person is None or outcome is None or medication is None or setting is None:
        return None
    return Administration(
        person=header.person,
        medication=medication,
        route=route,
        references=(*references, *header.encounter),
        status=outcome.status,
        outcome=outcome.outcome,
        setting=setting,
        dose=dose,
        planned_at=planned_at,
        performer=performer,
        reason=outcome.reason,
    )


def _record(rxa: Segment, group: Group) -> str | None:
    order, own = record_id(group.orc.field(2)), record_id(group.orc.field(3))
    given, counted = rxa.whole(1), rxa.whole(2)
    if order is None and own is None:
        text = "state the order's number here, or the administration's own number in ORC-3"
        group.problems.add("missing", group.orc.at(2), text)
        return None
    for number, value in ((1, given), (2, counted)):
        if value is None and not rxa.fields(number):
            rxa.problems.add("missing", rxa.at(number), "state which dose and which administration of it this is")
    if given is None or counted is None:
        return None
    return f"{order or own}/administration/{given}-{counted}"


def _retraction(record: str | None, header: Header, recorded_at: datetime | None, cause: Reason | None) -> Fact | None:
    if record is None or header.person is None:
        return None
    target = Identifier(system=header.source.id, value=record)
    stamp = Stamp(source_id=f"{record}/retraction", occurred_at=None, recorded_at=recorded_at)
    return fact(header, stamp, Retraction(person=header.person, target=target, reason=cause))


def _outcome(rxa: Segment, source: str) -> _Outcome | None:
    code = rxa.text(20, required=True)
    row = None if code is None else COMPLETION.get(code)
    if code is not None and row is None:
        rxa.problems.add("unknown-code", rxa.at(20), "state CP, PA, RE or NA")
    first = _first(rxa, 18)
    cause = reason(first, source)
    if row is None:
        return None
    named = outcome_from_code(first.text(1) or "") if first is not None and row.outcome == "other" else None
    if named is not None and row.status in named.statuses:
        return _Outcome(status=row.status, outcome=named.outcome, reason=cause)
    return _Outcome(status=row.status, outcome=row.outcome, reason=cause)


def _first(segment: Segment, number: int) -> Field | None:
    found = segment.fields(number)
    return found[0] if found else None


def _reference(order: str, source: str) -> Reference:
    return Reference(role="order", target=Identifier(system=source, value=order))


def _route_of(rxa: Segment, group: Group) -> Segment | None:
    """Return the RXR that follows this RXA, before the next one."""
    at = group.rest.index(rxa)
    for segment in group.rest[at + 1 :]:
        if segment.name == "RXA":
            return None
        if segment.name == "RXR":
            return segment
    return None
