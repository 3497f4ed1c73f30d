"""Stays: ADT^A01, A02, A03, A08, A11, A13, A21, A22 (HL7 v2.5.1 chapter 3.3).

Rules this module owns:

1. The record is the visit number, PV1-19. Every event states the whole stay: PV1-2 its class, PV1-44 and PV1-45 its time.
2. EVN-6 is when the event happened; for an admission PV1-44 and for a discharge PV1-45 say the same. EVN-2 is when it
   was recorded.
3. ``A11`` leaves a cancelled stay, ``A13`` one that goes on; ``A08`` is a discharge if PV1-45 is there.
"""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final, Literal

from contracts.fact import Fact
from contracts.facts.person import Encounter
from contracts.values import Identifier, Period
from mappings.codes.coding_systems import system_from_name
from mappings.codes.hl7 import PATIENT_CLASS
from mappings.collecting import Problems
from mappings.sources.hospital import times
from mappings.sources.hospital.fields import Segment
from mappings.sources.hospital.header import Header, Stamp, encounter_id, fact, only, recorded
from mappings.sources.hospital.hl7 import Tokens

Status = Literal["in-progress", "on-leave", "finished", "cancelled"]

STATUS_BY_EVENT: Final[Mapping[str, Status]] = MappingProxyType(
    {
        "ADT^A01": "in-progress",
        "ADT^A02": "in-progress",
        "ADT^A03": "finished",
        "ADT^A08": "in-progress",
        "ADT^A11": "cancelled",
        "ADT^A13": "in-progress",
        "ADT^A21": "on-leave",
        "ADT^A22": "in-progress",
    }
)
"""Message and event (MSH-9) -> status of the stay after it."""


def read_encounter(tokens: Tokens, header: Header, problems: Problems) -> tuple[Fact, ...]:
    """Return the fact of a stay, or note why there is none."""
    event, visit = only(tokens, "EVN", problems), only(tokens, "PV1", problems)
    if event is None or visit is None:
        return ()
    if header.visit is None:
        problems.add("missing", visit.at(19), "state the visit number")
    code = visit.text(2, required=True)
    row = None if code is None else PATIENT_CLASS.get(code)
    if code is not None and row is None:
        problems.add("unknown-code", visit.at(2), "state a patient class that tells the kind of stay: I, O, E, B or R")
    period = Period(start=times.instant(visit, 44, header.source), end=times.instant(visit, 45, header.source))
    status = _status(header.kind, visit, period)
    care_unit = _unit(visit, header.source.id)
    stamp_times = _happened(event, header, period), recorded(event, 2, header.context)
    if problems or header.person is None or header.visit is None or row is None:
        return ()
    content = Encounter(
        person=header.person,
        encounter_class=row.encounter_class,
        status=status,
        period=period,
        care_unit=care_unit,
    )
    stamp = Stamp(source_id=encounter_id(header.visit), occurred_at=stamp_times[0], recorded_at=stamp_times[1])
    return (fact(header, stamp, content),)


def _status(kind: str, visit: Segment, period: Period) -> Status:
    status = STATUS_BY_EVENT[kind]
    if kind == "ADT^A08" and period.end is not None:
        status = "finished"
    if period.start is None and status != "cancelled" and not visit.fields(44):
        visit.problems.add("missing", visit.at(44), "state when the stay began")
    if status == "finished" and period.end is None and not visit.fields(45):
        visit.problems.add("missing", visit.at(45), "state when the stay ended")
    if status in {"in-progress", "on-leave"} and period.end is not None:
        visit.problems.add("contradiction", visit.at(45), "a stay that goes on has no end")
    if period.start is not None and period.end is not None and period.end < period.start:
        visit.problems.add("contradiction", visit.at(45), "the stay ends before it began, PV1-44")
    return status


def _happened(event: Segment, header: Header, period: Period) -> datetime | None:
    happened = times.instant(event, 6, header.source)
    if happened is not None:
        return happened
    return {"ADT^A01": period.start, "ADT^A03": period.end}.get(header.kind)


def _unit(visit: Segment, source: str) -> Identifier | None:
    """Return the unit of the assigned location (PV1-3): the facility's id where it has one, else the point of care."""
    location = visit.field(3)
    if location is None:
        return None
    facility, authority = location.part(4, 1), location.part(4, 2)
    if facility is not None:
        system = None if authority is None else system_from_name(authority)
        return Identifier(system=system or source, value=facility)
    point_of_care = location.part(1, 1)
    return None if point_of_care is None else Identifier(system=source, value=point_of_care)
