"""Orders: RDE^O11, one record per ORC (HL7 v2.5.1 chapter 4.13, 4.14).

Rules this module owns:

1. A message states the whole order as it is after the event, not the difference.
2. ORC-1 gives the status (table 0119); where it only says that the order is new or changed, ORC-5 (table 0038) may tell more.
3. ``CA`` with the reason ``entered-in-error`` takes the record back; any other ``CA`` leaves a cancelled order.
4. What stops at ORC-15 has no days after it: the period ends there, unless it ends before.
5. A hold is a pause from ORC-15 to ORC-27, or without known end.
6. An out-patient order (ORC-29 ``O``) is two records: the order, and the prescription that follows from it.
"""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final

import msgspec

from contracts.fact import Fact
from contracts.facts.base import RequestStatus, Setting
from contracts.facts.correction import Retraction
from contracts.facts.prescribing import Order
from contracts.sources import SourceSystem
from contracts.systems import NLL_CHAIN, NLL_PRESCRIPTION
from contracts.values import Identifier, Period, Reference
from mappings.codes.hl7 import ORDER_CONTROL, ORDER_STATUS
from mappings.sources.hospital import drugs, times
from mappings.sources.hospital.fields import Segment
from mappings.sources.hospital.groups import Group
from mappings.sources.hospital.header import Header, Stamp, fact, recorded
from mappings.sources.hospital.identities import codings, global_id, parent_id, practitioner, reason, record_id
from mappings.sources.hospital.prescriptions import prescription_id, prescription_of, read_prescription_details
from mappings.sources.hospital.timing import read_timing

CANCELLED: Final = "cancelled"
ON_HOLD: Final = "on-hold"
ENDED: Final = frozenset({"stopped", "completed"})
ENTERED_IN_ERROR: Final = "entered-in-error"
RESTATING: Final = frozenset({"NW", "OK", "SN", "NA", "XO", "XX", "XR", "SC"})
"""Order control codes that say only that an order is new or changed; ORC-5 may then give its status."""
SETTINGS: Final[Mapping[str, Setting]] = MappingProxyType({"I": "inpatient", "O": "outpatient"})
"""ORC-29, table 0482."""
_HAS_END_REASON: Final = frozenset({"stopped", "cancelled", "on-hold"})


def read_order(group: Group, header: Header) -> tuple[Fact, ...]:
    """Return the facts of one order group, or note in the group why there are none."""
    orc = group.orc
    order = order_number(group)
    setting = order_setting(group, header)
    status = _status(orc)
    if status == CANCELLED and any(coding.code == ENTERED_IN_ERROR for coding in codings(orc.field(16))):
        return _retractions(group, header, order, setting)
    effective = _effective(orc, header, status)
    recorded_at = recorded(orc, 9, header.context)
    rxe = group.only("RXE")
    if rxe is None:
        if not group.named("RXE"):
            group.problems.add("missing", f"{orc.place} RXE", "an order states its drug in an RXE segment")
        return ()
    request = _order(group, rxe, header, _Situation(status=status, setting=setting, effective=effective))
    details = read_prescription_details(rxe, orc)
    if group.problems or order is None or request is None:
        return ()
    stamp = Stamp(source_id=order, occurred_at=effective, recorded_at=recorded_at)
    facts = [fact(header, stamp, request)]
    if request.setting == "outpatient":
        follows = Reference(role="order", target=Identifier(system=header.source.id, value=order))
        own = msgspec.structs.replace(stamp, source_id=prescription_id(order))
        facts.append(fact(header, own, prescription_of(request, details, follows)))
    return tuple(facts)


def order_number(group: Group) -> str | None:
    """Return the order's number (ORC-2), or note that it has none."""
    order = record_id(group.orc.field(2))
    if order is None:
        group.problems.add("missing", group.orc.at(2), "state the order's number")
    return order


def order_setting(group: Group, header: Header) -> Setting | None:
    """Return where an order applies: ORC-29, else the patient class of the stay; or note that neither tells."""
    stated = group.orc.text(29)
    if stated is None:
        if header.setting is None:
            group.problems.add("missing", group.orc.at(29), "state I or O here, or the patient class in PV1-2")
        return header.setting
    if stated not in SETTINGS:
        group.problems.add("unknown-code", group.orc.at(29), "state I (in-patient) or O (out-patient)")
    return SETTINGS.get(stated)


class _Situation(msgspec.Struct, frozen=True, kw_only=True):
    """What ORC says about the order as a whole."""

    status: RequestStatus | None
    setting: Setting | None
    effective: datetime | None


def _order(group: Group, rxe: Segment, header: Header, situation: _Situation) -> Order | None:
    """Return the order's content, or ``None`` where something that it cannot do without is noted as a problem."""
    orc, source, status = group.orc, header.source, situation.status
    medication = drugs.read_medication(rxe, drugs.RXE, group.named("RXC"), source.id)
    timing = read_timing(rxe, group.named("TQ1"), source)
    for sequencing in group.named("TQ2"):
        group.problems.add("unsupported", sequencing.place, "orders that wait for other orders are not read")
    pauses = _pauses(orc, source, situation)
    cause = reason(orc.field(16), source.id)
    prescriber = practitioner(orc.fields(12), orc, source.id)
    nll_id = global_id(orc.field(3), NLL_PRESCRIPTION)
    references = (*_related(orc, source.id), *header.encounter)
    route = drugs.read_route(group.only("RXR"))
    indications = [reason(field, source.id) for field in rxe.fields(27)]
    note = group.note()
    if header.person is None or medication is None or status is None or situation.setting is None:
        return None
    return Order(
        person=header.person,
        medication=medication,
        route=route,
        identifiers=() if nll_id is None else (nll_id,),
        references=references,
        status=status,
        setting=situation.setting,
        period=_ended(timing.period, status, situation.effective),
        pauses=pauses,
        dosage=timing.dosage,
        reason=indications[0] if indications else None,
        end_reason=cause if status in _HAS_END_REASON else None,
        prescriber=prescriber,
        note=note,
    )


def _pauses(orc: Segment, source: SourceSystem, situation: _Situation) -> tuple[Period, ...]:
    """Return the pause that a hold makes; a hold without ORC-15 is a status without known time."""
    until = times.start(orc, 27, source)
    if situation.status != ON_HOLD or situation.effective is None:
        return ()
    if until is not None and until <= situation.effective:
        orc.problems.add("contradiction", orc.at(27), "the hold ends before it begins, ORC-15")
        return ()
    return (Period(start=situation.effective, end=until),)


def _status(orc: Segment) -> RequestStatus | None:
    code = orc.text(1, required=True)
    control = None if code is None else ORDER_CONTROL.get(code)
    if code is not None and control is None:
        orc.problems.add("unsupported", orc.at(1), "this order control code is not read; see the hospital profile")
    detail = orc.text(5)
    stated = None if detail is None else ORDER_STATUS.get(detail)
    if detail is not None and stated is None:
        orc.problems.add("unknown-code", orc.at(5), "state an order status of HL7 table 0038")
    if control is None:
        return None
    if control.code in RESTATING:
        if control.code == "SC" and detail is None:
            orc.problems.add("missing", orc.at(5), "a changed status is stated here")
        return control.status if stated is None else stated.status
    if stated is not None and stated.status != control.status:
        orc.problems.add("contradiction", orc.at(5), "the order status is not the one that ORC-1 leads to")
    return control.status


def _effective(orc: Segment, header: Header, status: RequestStatus | None) -> datetime | None:
    """Return from when this state applies (ORC-15); a day alone is the last of what ends, the first of what begins."""
    read = times.end if status in ENDED else times.start
    return read(orc, 15, header.source)


def _ended(period: Period, status: RequestStatus, effective: datetime | None) -> Period:
    if status not in ENDED or effective is None:
        return period
    before_it_began = period.start is not None and effective <= period.start
    ends_before = period.end is not None and period.end <= effective
    return period if before_it_began or ends_before else Period(start=period.start, end=effective)


def _related(orc: Segment, source: str) -> tuple[Reference, ...]:
    """Return the order that this one replaces (ORC-8) and the chain of prescriptions that it belongs to (ORC-4)."""
    found = []
    parent = parent_id(orc.field(8), source)
    if parent is not None:
        found.append(Reference(role="predecessor", target=parent))
    chain = global_id(orc.field(4), NLL_CHAIN)
    if chain is not None:
        found.append(Reference(role="chain", target=chain))
    return tuple(found)


def _retractions(group: Group, header: Header, order: str | None, setting: Setting | None) -> tuple[Fact, ...]:
    """Return what takes back the order, and the prescription that may have followed from it."""
    orc = group.orc
    cause = reason(orc.field(16), header.source.id)
    effective, recorded_at = times.start(orc, 15, header.source), recorded(orc, 9, header.context)
    if group.problems or order is None or header.person is None:
        return ()
    targets = (order,) if setting == "inpatient" else (order, prescription_id(order))
    return tuple(
        fact(
            header,
            Stamp(source_id=f"{target}/retraction", occurred_at=effective, recorded_at=recorded_at),
            Retraction(person=header.person, target=Identifier(system=header.source.id, value=target), reason=cause),
        )
        for target in targets
    )
