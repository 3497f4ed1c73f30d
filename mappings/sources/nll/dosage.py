"""NLLDosage into dosage steps, and the treatment's period out of them.

Every dosage element may have bounds of its own. Where they are all alike they are the treatment's; where elements follow one
another, each with a first and a last day (a taper), a step lasts as many days as its bounds do.
"""

from datetime import datetime, timedelta
from typing import Final

import msgspec

from contracts.sources import SourceSystem
from contracts.values import Dosage, DosageStep, Period
from mappings.codes.json_input import JsonObject
from mappings.codes.times import day_end, day_start, read_date, read_iso
from mappings.sources.fhir_r4.dosage import read_dosage

_DATE_LENGTH: Final = 10
_DAY: Final = timedelta(days=1)


def read_nll_dosage(instructions: tuple[JsonObject, ...], source: SourceSystem) -> Dosage:
    """Return the dosage: words, steps, and the most per day."""
    whole = read_dosage(instructions)
    bounds = [_bounds(body, source) for body in instructions]
    if len(whole.steps) != len(instructions) or len(set(bounds)) == 1:
        return whole
    return msgspec.structs.replace(
        whole, steps=tuple(_lasting(step, period) for step, period in zip(whole.steps, bounds, strict=True))
    )


def treatment_period(instructions: tuple[JsonObject, ...], source: SourceSystem) -> Period:
    """Return from the first start to the last end; without an end where an element states none."""
    bounds = [_bounds(body, source) for body in instructions]
    starts = [period.start for period in bounds if period.start is not None]
    ends = [period.end for period in bounds if period.end is not None]
    return Period(start=min(starts, default=None), end=max(ends) if ends and len(ends) == len(bounds) else None)


def _lasting(step: DosageStep, period: Period) -> DosageStep:
    if step.duration_days is not None or period.start is None or period.end is None:
        return step
    days = (period.end - period.start + _DAY / 2) // _DAY  # days of 23 and 25 hours are days
    return msgspec.structs.replace(step, duration_days=days) if days > 0 else step


def _bounds(body: JsonObject, source: SourceSystem) -> Period:
    timing = body.child("timing")
    repeat = None if timing is None else timing.child("repeat")
    stated = None if repeat is None else repeat.child("boundsPeriod")
    if stated is None:
        return Period()
    return Period(start=_start(stated, source), end=_end(stated, source))


def _start(stated: JsonObject, source: SourceSystem) -> datetime | None:
    text, place = stated.text("start"), stated.at("start")
    if text is None:
        return None
    if len(text) != _DATE_LENGTH:
        return stated.problems.keep(read_iso(text, source.zone, place))
    day = stated.problems.keep(read_date(text, place))
    return None if day is None else stated.problems.keep(day_start(day, source.zone, place))


def _end(stated: JsonObject, source: SourceSystem) -> datetime | None:
    """The end of a FHIR period belongs to it: a day as a whole, a time to its second."""
    text, place = stated.text("end"), stated.at("end")
    if text is None:
        return None
    if len(text) != _DATE_LENGTH:
        moment = stated.problems.keep(read_iso(text, source.zone, place))
        return None if moment is None else moment.replace(microsecond=0) + timedelta(seconds=1)
    day = stated.problems.keep(read_date(text, place))
    return None if day is None else stated.problems.keep(day_end(day, source.zone, source.end_date, place))
