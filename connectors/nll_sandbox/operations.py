"""The extended operations of NLL: ``$end``, ``$monitoring``, ``$patient-dosage-directions``, ``$ping``.

``$verify`` stands with the bundles. Parameter names are assumed; the reference describes what the operations do.
"""

from datetime import date, timedelta
from typing import Final

from connectors.nll_sandbox.completions import today
from connectors.nll_sandbox.dosage_text import directions
from connectors.nll_sandbox.interactions import Result, body_resource, carried_out, viewer_of
from connectors.nll_sandbox.outcomes import Answer, Issue, Refusal, refuse
from connectors.nll_sandbox.population import is_personnummer
from connectors.nll_sandbox.reading import bundle
from connectors.nll_sandbox.resources import child, day, extension_value, objects, set_extension, text_at
from connectors.nll_sandbox.rights import may
from connectors.nll_sandbox.server import Call, Sandbox
from connectors.nll_sandbox.store import Stored
from connectors.nll_sandbox.vocabulary import LATEST_TREATMENT_END
from connectors.nll_sandbox.writing import Step
from contracts.systems import PERSONNUMMER
from mappings.fhir.exact_json import JsonObject

MOST_PERSONS: Final = 50
MOST_PRESCRIPTIONS: Final = 1000
MOST_DAYS_BACK: Final = 60
MOST_DAYS_AHEAD: Final = 90

Values = dict[str, list[object]]


def end(sandbox: Sandbox, call: Call) -> Result:
    """``$end``: end a prescription now, in one of two ways (HB/TA30).

    ``onBehalfOf`` = ``patient``: only the status changes. ``prescriber``: the last day of validity is shortened to
    ``lastDosingDate`` (today if absent), which is set as last dosing day on every dosage; ``latestTreatmentEnd`` is set
    instead when given. A last day that is still to come shortens the prescription and leaves it active until then.
    """
    stored = sandbox.store.read("MedicationRequest", call.name)
    if stored is None:
        return refuse(404, "unknown-resource", "There is no such resource.", kind="not-found")
    values = _parameters(call)
    if isinstance(values, Refusal):
        return values
    resource = _ended(stored.resource, values, today(call.now))
    if isinstance(resource, Refusal):
        return resource
    told = call.context.if_match
    step = Step(action="update", kind=stored.kind, resource=resource, name=stored.id, if_match=told or stored.version)
    return carried_out(sandbox, call, step, 200)


def monitoring(sandbox: Sandbox, call: Call) -> Result:
    """``$monitoring``: the prescriptions of dose patients that changed since ``fromDate``, or end until ``toDate``.

    1 to 50 ``personnummer``; ``fromDate`` at most 60 days back, or ``toDate`` at most 90 days ahead, not both; at most
    1000 prescriptions (SIMP/Extended-operations).
    """
    forbidden = may(call.caller, "read", "MedicationRequest")
    values = _parameters(call)
    if isinstance(values, Refusal) or forbidden is not None:
        return forbidden or values  # type: ignore[return-value] # one of the two is a refusal
    period = _monitored(values, today(call.now))
    persons = [str(value) for value in values.get("personnummer", [])]
    if isinstance(period, Refusal):
        return period
    if not 0 < len(persons) <= MOST_PERSONS or not all(is_personnummer(one, call.now.date()) for one in persons):
        return _bad("personnummer", f"Give 1 to {MOST_PERSONS} correct personnummer.")
    viewer = viewer_of(sandbox, call)
    found = [
        shown
        for person in persons
        for patient in sandbox.store.by_identifier("Patient", f"{PERSONNUMMER}|{person}")
        if viewer.is_dose_patient(patient.id)
        for one in sandbox.store.of_patient("MedicationRequest", patient.id, call.as_of)
        if _within(one, period) and (shown := viewer.see(one, call.as_of)) is not None
    ]
    if len(found) > MOST_PRESCRIPTIONS:
        return refuse(422, "too-many", f"More than {MOST_PRESCRIPTIONS} prescriptions; ask for fewer persons.")
    call.notes.resources += [f"MedicationRequest/{one['id']}" for one in found]
    return bundle("MedicationRequest", found, call.base, (0, MOST_PRESCRIPTIONS), {})


def patient_dosage_directions(_sandbox: Sandbox, call: Call) -> Result:
    """``$patient-dosage-directions``: the text a patient reads, in four blocks (HB/TA21)."""
    values = _parameters(call)
    if isinstance(values, Refusal):
        return values
    dosages = objects(values.get("dosageInstruction"))
    if not dosages:
        return _bad("dosageInstruction", "Give one dosage or more.")
    purpose = next((one for one in values.get("treatmentReason", []) if isinstance(one, str)), None)
    blocks = directions(dosages, purpose)
    parameters = [{"name": name, "valueString": text} for name, text in blocks.items() if text]
    whole = " ".join(text for text in blocks.values() if text)
    return Answer(
        200,
        {"resourceType": "Parameters", "parameter": [{"name": "text", "valueString": whole}, *parameters]},
    )


def ping(_sandbox: Sandbox, call: Call) -> Result:
    """``$ping``: the server is there, and what time it has."""
    now = call.now.isoformat()
    return Answer(200, {"resourceType": "Parameters", "parameter": [{"name": "time", "valueInstant": now}]})


def _ended(resource: JsonObject, values: Values, present: date) -> JsonObject | Refusal:
    match values.get("onBehalfOf"):
        case ["patient"]:
            return resource | {"status": "stopped"}
        case ["prescriber"]:
            return _ended_by_prescriber(resource, values, present)
        case _:
            return _bad("onBehalfOf", "Say on whose behalf: patient or prescriber.")


def _ended_by_prescriber(resource: JsonObject, values: Values, present: date) -> JsonObject | Refusal:
    named = {name: values[name][0] for name in ("lastDosingDate", "latestTreatmentEnd") if values.get(name)}
    days = {name: found for name, value in named.items() if (found := day(value)) is not None}
    if len(days) != len(named) or len(named) > 1:
        return _bad("lastDosingDate", "Give lastDosingDate or latestTreatmentEnd, as a date.")
    last = next(iter(days.values()), present)
    request = child(resource, "dispenseRequest")
    known = day(child(request, "validityPeriod").get("end"))
    valid_to = last if known is None else min(known, last)
    validity = child(request, "validityPeriod") | {"end": valid_to.isoformat()}
    ended = resource | {"dispenseRequest": request | {"validityPeriod": validity}}
    if last <= present:
        ended["status"] = "stopped"
    if "latestTreatmentEnd" in days:
        set_extension(ended, LATEST_TREATMENT_END, "valueDate", last.isoformat())
    else:
        ended["dosageInstruction"] = [_until(one, last) for one in objects(resource.get("dosageInstruction"))]
    return ended


def _until(dosage: JsonObject, last: date) -> JsonObject:
    timing, repeat = child(dosage, "timing"), child(dosage, "timing", "repeat")
    period = child(repeat, "boundsPeriod")
    known = day(period.get("end"))
    if known is not None and known <= last:
        return dosage
    rest = {name: value for name, value in repeat.items() if not name.startswith("bounds")}
    bounded = rest | {"boundsPeriod": period | {"end": last.isoformat()}}
    return dosage | {"timing": timing | {"repeat": bounded}}


def _monitored(values: Values, present: date) -> tuple[date | None, date | None] | Refusal:
    since, until = (day(next(iter(values.get(name, [])), None)) for name in ("fromDate", "toDate"))
    if (since is None) == (until is None):
        return _bad("fromDate", "Give fromDate or toDate, not both.")
    if since is not None and not present - timedelta(days=MOST_DAYS_BACK) <= since <= present:
        return _bad("fromDate", f"fromDate lies at most {MOST_DAYS_BACK} days back.")
    if until is not None and not present <= until <= present + timedelta(days=MOST_DAYS_AHEAD):
        return _bad("toDate", f"toDate lies at most {MOST_DAYS_AHEAD} days ahead.")
    return since, until


def _within(stored: Stored, period: tuple[date | None, date | None]) -> bool:
    since, until = period
    if since is not None:
        changed = day(stored.at)
        return changed is not None and changed >= since
    resource = stored.resource
    ends = [
        day(child(resource, "dispenseRequest", "validityPeriod").get("end")),
        day(extension_value(resource, LATEST_TREATMENT_END)),
        *(day(child(one, "timing", "repeat", "boundsPeriod").get("end")) for one in _dosages(resource)),
    ]
    living = resource.get("status") == "active"
    return living and until is not None and any(one is not None and one <= until for one in ends)


def _dosages(resource: JsonObject) -> list[JsonObject]:
    return objects(resource.get("dosageInstruction"))


def _parameters(call: Call) -> Values | Refusal:
    """The values of a Parameters body, by name."""
    body = body_resource(call, "Parameters")
    if isinstance(body, Refusal):
        return body
    found: Values = {}
    for one in objects(body.get("parameter")):
        value = next((value for name, value in one.items() if name.startswith("value")), None)
        if value is not None:
            found.setdefault(text_at(one, "name") or "", []).append(value)
    return found


def _bad(parameter: str, text: str) -> Refusal:
    issue = Issue(code="parameter-invalid", kind="value", text=text, place=f"Parameters.parameter[{parameter}]")
    return Refusal(400, (issue,))
