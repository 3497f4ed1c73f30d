"""Rules about days: issue, start, end, validity, evaluation.

A last dosing day is a day on which the drug is still taken, so it may be the day of the start.
"""

from datetime import date

from connectors.nll_sandbox.aff.case import Case, Places, bounds, dosages
from connectors.nll_sandbox.completions import a_year_after
from connectors.nll_sandbox.resources import child, day, extension_value, instant, objects
from connectors.nll_sandbox.vocabulary import EVALUATION_TIME
from mappings.fhir.exact_json import JsonObject

_VALIDITY = "dispenseRequest.validityPeriod.end"


def issued_not_in_future(case: Case) -> Places:
    """VOK G.002."""
    moment, issued = instant(case.resource.get("authoredOn")), _issued(case.resource)
    if (moment is not None and moment > case.now) or (moment is None and issued is not None and issued > case.today):
        yield "authoredOn"


def schedule_has_start(case: Case) -> Places:
    """G.025: a dosage with times of day needs a day to begin."""
    for place, dosage in dosages(case.resource):
        repeat = child(dosage, "timing", "repeat")
        if repeat.get("timeOfDay") and day(child(repeat, "boundsPeriod").get("start")) is None:
            yield f"{place}.timing.repeat.boundsPeriod.start"


def start_is_possible(case: Case) -> Places:
    """G.026."""
    issued, valid_to = _issued(case.resource), _valid_to(case.resource)
    for place, period in bounds(case.resource):
        start = day(period.get("start"))
        if start is not None and (_before(start, issued) or _before(valid_to, start)):
            yield f"{place}.start"


def end_is_possible(case: Case) -> Places:
    """G.027; a day that stood there before may lie in the past."""
    issued, valid_to = _issued(case.resource), _valid_to(case.resource)
    known = _ends(case.previous)
    for place, period in bounds(case.resource):
        end = day(period.get("end"))
        if end is None:
            continue
        past = end < case.today and end not in known
        if past or _before(end, issued) or _before(valid_to, end):
            yield f"{place}.end"


def end_follows_start(case: Case) -> Places:
    """VOK G.004."""
    for place, period in bounds(case.resource):
        if _before(day(period.get("end")), day(period.get("start"))):
            yield f"{place}.end"


def evaluation_follows_issue(case: Case) -> Places:
    """VOK G.005."""
    if _before(day(extension_value(case.resource, EVALUATION_TIME)), _issued(case.resource)):
        yield "extension"


def validity_is_possible(case: Case) -> Places:
    """G.033; a day that stood there before may lie in the past."""
    issued, valid_to = _issued(case.resource), _valid_to(case.resource)
    kept = case.previous is not None and _valid_to(case.previous) == valid_to
    past = _before(valid_to, case.today) and not kept
    if past or (issued is not None and _before(a_year_after(issued), valid_to)):
        yield _VALIDITY


def _issued(resource: JsonObject) -> date | None:
    return day(resource.get("authoredOn"))


def _valid_to(resource: JsonObject) -> date | None:
    return day(child(resource, "dispenseRequest", "validityPeriod").get("end"))


def _before(one: date | None, other: date | None) -> bool:
    return one is not None and other is not None and one < other


def _ends(resource: JsonObject | None) -> set[date | None]:
    found = objects([period for _, period in bounds(resource)]) if resource is not None else []
    return {day(period.get("end")) for period in found}
