"""Desks: how one source keeps its orders and prescriptions about one line of a course."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

import msgspec

from contracts.facts.base import RequestContent, Setting
from contracts.facts.prescribing import Order, Prescription
from contracts.systems import HSA_ID, NLL_CHAIN, NLL_PRESCRIPTION
from contracts.values import Dosage, Identifier, Period, Practitioner, Reason, Reference
from streams.simulate.book import Book, Record, Times, at, late
from streams.simulate.clock import local_day
from streams.simulate.courses import Course, Segment
from streams.simulate.wording import medication

_REASONS: Final = "urn:medlist:simulated:stop-reason"
REPLACED: Final = Reason(code=Identifier(system=_REASONS, value="replaced"), text="ersatt av ny ordination")
TAKEN_OVER: Final = Reason(code=Identifier(system=_REASONS, value="taken-over"), text="övertagen av vårdcentralen")
DUPLICATE: Final = Reason(code=Identifier(system=_REASONS, value="duplicate"), text="dubbelordination")
TREATED: Final = Reason(code=Identifier(system=_REASONS, value="treated"), text="behandlingen avslutad")


class Habits(msgspec.Struct, frozen=True, kw_only=True):
    """How a clinic works: what it writes, and whether it changes a record or replaces it by another one."""

    source: str
    orders: bool
    prescriptions: bool
    replaces: bool
    suspends: bool
    structured: bool
    setting: Setting = "outpatient"


@dataclass(slots=True)
class Kept:
    """A record that the desk keeps, with its content as last written."""

    record: Record
    content: RequestContent


@dataclass(slots=True)
class Desk:
    """One source's records about one line of a course. Its methods are called in the order of time."""

    book: Book
    course: Course
    habits: Habits
    dose_dispensed: bool = False
    order: Kept | None = None
    prescription: Kept | None = None
    _chain: Identifier = field(init=False)
    _pointers: list[tuple[datetime, Identifier | None]] = field(default_factory=list)
    _renewals: list[tuple[datetime, Identifier | None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._chain = Identifier(system=NLL_CHAIN, value=self.book.national_id())

    def share_chain(self, other: "Desk") -> None:
        """Put this desk's records into the chain of another desk."""
        self._chain = other._chain  # noqa: SLF001 - one desk to another

    def begin(self, segment: Segment, times: Times) -> None:
        """Write the first order and prescription. Where the end is part of the decision, they carry it."""
        end = self.course.end if self.course.end_known else None
        period = Period(start=segment.start, end=end)
        if self.habits.orders:
            self.order = self._open_order(segment, period, times, None)
        if self.habits.prescriptions:
            self.prescription = self._open_prescription(segment, period, times, None)

    def change(self, segment: Segment, times: Times) -> None:
        """Write another dose or brand from ``segment.start``: as a new version, or as a record that replaces the old."""
        if self.order is not None and not self.habits.replaces:
            begun = self.order.content.period.start
            drug = medication(self.book, self.course, segment.product, self.habits.source)
            period = Period(start=begun, end=self.order.content.period.end)
            changed = msgspec.structs.replace(
                self.order.content, medication=drug, dosage=self._dosage(segment), period=period
            )
            self._rewrite(self.order, changed, late(segment.start, times.recorded_at))
        elif self.order is not None:
            old, end = self.order, self.order.content.period.end
            self.order = self._open_order(segment, Period(start=segment.start, end=end), times, old)
            self._close(old, segment.start, times.recorded_at, REPLACED)
        if self.prescription is not None:
            past = self.prescription
            period = Period(start=segment.start, end=past.content.period.end)
            self.prescription = self._open_prescription(segment, period, times, past)
            self._close(past, segment.start, times.recorded_at, REPLACED)

    def renew(self, segment: Segment, moment: datetime) -> None:
        """Write a new prescription for what goes on unchanged; the old one is carried out."""
        if self.prescription is None:
            return
        old = self.prescription
        self.prescription = self._open_prescription(segment, Period(start=moment), at(moment), old)
        self._close(old, moment, moment, REPLACED)

    def pause(self, pause: Period) -> None:
        """Write a pause: as an interval in the record, or by suspending the record and taking it up again."""
        start, end = pause.start, pause.end
        if start is None or end is None:
            raise ValueError("a simulated pause has both its ends")
        for kept in self._open_records():
            content = kept.content
            if self.habits.suspends:
                self._rewrite(kept, msgspec.structs.replace(content, status="on-hold"), at(start))
                self._rewrite(kept, content, late(end, end + timedelta(hours=9)))
            else:
                self._rewrite(kept, msgspec.structs.replace(content, pauses=(*content.pauses, pause)), at(start))

    def stop(self, end: datetime, recorded_at: datetime, reason: Reason = TREATED) -> None:
        """Stop everything that is open, except a prescription that is left open."""
        for kept in self._open_records():
            forgotten = isinstance(kept.content, Prescription) and "prescription-left-open" in self.course.kinds
            if not (forgotten and self.order is not None):
                self._close(kept, end, recorded_at, reason)
        self._pointers.append((recorded_at, None))
        self._renewals.append((recorded_at, None))

    def cancel(self, moment: datetime) -> None:
        """Cancel what never began (makulera)."""
        for kept in self._open_records():
            self._rewrite(kept, msgspec.structs.replace(kept.content, status="cancelled"), at(moment))

    def correct(self, moment: datetime) -> None:
        """Correct a detail of the newest record in a new version."""
        for kept in self._open_records()[:1]:
            occurred = kept.content.period.start
            note = "rättad uppgift om ordinationsorsak"
            self._rewrite(
                kept, msgspec.structs.replace(kept.content, note=note), Times(occurred_at=occurred, recorded_at=moment)
            )

    def pointers(self, moment: datetime) -> tuple[datetime, Identifier] | None:
        """Return the id of the order (else of the prescription) that stands at ``moment``, and since when it does."""
        return _standing(self._pointers, moment) or _standing(self._renewals, moment)

    def prescriptions(self, moment: datetime) -> tuple[datetime, Identifier] | None:
        """Return the national id of the prescription that stands at ``moment``, and since when it does."""
        return _standing(self._renewals, moment)

    def _open_records(self) -> list[Kept]:
        return [kept for kept in (self.order, self.prescription) if kept is not None]

    def _open_order(self, segment: Segment, period: Period, times: Times, old: Kept | None) -> Kept:
        record = self.book.record(self.habits.source, "O", self.course)
        references = [Reference(role="chain", target=self._local_chain())]
        if old is not None:
            references.append(Reference(role="predecessor", target=_target(old.record)))
        content = self._request(segment, period, tuple(references))
        since = period.start or segment.start
        self.book.write(record, content, late(since, times.recorded_at))
        self._pointers.append((since, _target(record)))
        return Kept(record=record, content=content)

    def _open_prescription(self, segment: Segment, period: Period, times: Times, old: Kept | None) -> Kept:
        record = self.book.record(self.habits.source, "R", self.course)
        national = Identifier(system=NLL_PRESCRIPTION, value=self.book.national_id())
        bare = "missing-ids" in self.course.kinds and self.book.chance(0.5)
        references = [] if bare else [Reference(role="chain", target=self._chain)]
        if self.order is not None and not bare:
            references.append(Reference(role="order", target=_target(self.order.record)))
        if old is not None and not bare:
            references += [Reference(role="predecessor", target=target) for target in old.content.identifiers]
        issued = local_day(times.recorded_at)
        request = self._request(segment, period, tuple(references))
        shared = {name: getattr(request, name) for name in Order.__struct_fields__ if name != "identifiers"}
        content = Prescription(
            **shared,
            identifiers=(national,),
            valid_until=date(issued.year + 1, issued.month, min(issued.day, 28)),
            dispenses_allowed=4,
            dose_dispensed=True if self.dose_dispensed else None,
        )
        since = period.start or segment.start
        self.book.write(record, content, late(since, times.recorded_at))
        self._renewals.append((since, national))
        return Kept(record=record, content=content)

    def _request(self, segment: Segment, period: Period, references: tuple[Reference, ...]) -> Order:
        unit = Identifier(system=HSA_ID, value=f"SE0000000000-{self.habits.source.upper()}")
        return Order(
            person=self.book.person,
            medication=medication(self.book, self.course, segment.product, self.habits.source),
            route=segment.product.route,
            references=references,
            status="active",
            setting=self.habits.setting,
            period=period,
            dosage=self._dosage(segment),
            purpose=self.course.therapy.purpose,
            prescriber=Practitioner(profession="physician", care_unit=unit),
        )

    def _dosage(self, segment: Segment) -> Dosage:
        if self.habits.structured:
            return segment.dosage
        return Dosage(text=segment.dosage.text, max_per_day=segment.dosage.max_per_day)

    def _close(self, kept: Kept, end: datetime, recorded_at: datetime, reason: Reason) -> None:
        period = Period(start=kept.content.period.start, end=end)
        stopped = msgspec.structs.replace(kept.content, status="stopped", period=period, end_reason=reason)
        self._rewrite(kept, stopped, late(end, recorded_at))

    def _rewrite(self, kept: Kept, content: RequestContent, times: Times) -> None:
        kept.content = content
        self.book.write(kept.record, content, times)

    def _local_chain(self) -> Identifier:
        return Identifier(system=f"{self.habits.source}/chain", value=self._chain.value)


def _target(record: Record) -> Identifier:
    return Identifier(system=record.source, value=record.source_id)


def _standing(
    history: list[tuple[datetime, Identifier | None]], moment: datetime
) -> tuple[datetime, Identifier] | None:
    known = [(since, target) for since, target in history if since <= moment]
    if not known or known[-1][1] is None:
        return None
    return known[-1][0], known[-1][1]
