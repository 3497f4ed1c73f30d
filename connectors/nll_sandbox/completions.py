"""What the server fills in on a new prescription (automatiska kompletteringar, ``nll-reference`` 1.6)."""

from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from connectors.nll_sandbox.resources import child, day, extension, extension_value, set_extension
from connectors.nll_sandbox.vocabulary import CHAIN, REGISTRATION_BASIS, TELEPHONE
from contracts.systems import NLL_CHAIN, NLL_DISPENSE, NLL_PRESCRIPTION
from mappings.fhir.exact_json import JsonObject

SWEDEN: Final = ZoneInfo("Europe/Stockholm")
TELEPHONE_VALIDITY: Final = timedelta(weeks=2)


def today(now: datetime) -> date:
    """The calendar day in Sweden."""
    return now.astimezone(SWEDEN).date()


def a_year_after(start: date) -> date:
    """The same day next year; 28 February after a leap day."""
    try:
        return start.replace(year=start.year + 1)
    except ValueError:
        return start.replace(year=start.year + 1, day=28)


def complete_prescription(resource: JsonObject, name: str, chain: str, now: datetime) -> None:
    """Fill in prescription id, issue time, last day of validity and chain id where the client gave none."""
    _identify(resource, NLL_PRESCRIPTION, name)
    resource.setdefault("authoredOn", now.astimezone(SWEDEN).isoformat(timespec="seconds"))
    if not extension(resource, CHAIN):
        set_extension(resource, CHAIN, "valueIdentifier", {"system": NLL_CHAIN, "value": chain})
    issued = day(resource["authoredOn"])
    request = resource.setdefault("dispenseRequest", {})
    if issued is None or not isinstance(request, dict):
        return
    validity = request.setdefault("validityPeriod", {})
    if isinstance(validity, dict) and "end" not in validity:
        basis = child(extension_value(resource, REGISTRATION_BASIS)).get("code")
        validity["end"] = (issued + TELEPHONE_VALIDITY if basis == TELEPHONE else a_year_after(issued)).isoformat()


def complete_dispense(resource: JsonObject, name: str) -> None:
    """Fill in the dispense id."""
    _identify(resource, NLL_DISPENSE, name)


def _identify(resource: JsonObject, system: str, name: str) -> None:
    given = resource.get("identifier")
    kept = [one for one in given if child(one).get("system") != system] if isinstance(given, list) else []
    resource["identifier"] = [{"system": system, "value": name}, *kept]
