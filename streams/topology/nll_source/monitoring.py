"""Asking about many dose patients at once (``$monitoring``): who of them must be looked at. Pure.

The answer names prescriptions that changed since a day. Those whose version was passed on already say nothing new; everybody
of whom another is named is looked at. It tells of prescriptions only, so each list version is still looked at now and then.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta

from contracts.nll_watermark import NllWatermark
from mappings.fhir.elements import text_at
from mappings.fhir.exact_json import JsonObject
from mappings.fhir.times import swedish_day
from streams.topology.nll_source.limits import NllSourceLimits
from streams.topology.nll_source.messages import name_of, version_of
from streams.topology.nll_source.roster import Patient


def can_be_asked_about(patient: Patient, known: NllWatermark | None, now: datetime, limits: NllSourceLimits) -> bool:
    """Whether the question about changes suffices for a patient now: not while the last reading is unconfirmed."""
    if not patient.dose or known is None or not known.confirmed:
        return False
    return now - known.read_at < timedelta(seconds=limits.whole_seconds)


def since(patients: Sequence[Patient], known: Mapping[str, NllWatermark], now: datetime, most_days: int) -> date:
    """Return the day to ask from: that of the reading that is longest ago, no more days back than may be."""
    earliest = min(swedish_day(known[one.pseudonym].read_at) for one in patients)
    return max(earliest, swedish_day(now) - timedelta(days=most_days))


def to_look_at(
    answer: Iterable[JsonObject], patients: Sequence[Patient], known: Mapping[str, NllWatermark]
) -> list[Patient]:
    """Return the patients of whom the answer names a version that was not passed on."""
    told: dict[str, dict[str, str]] = {}
    for resource in answer:
        name, version = name_of(resource), version_of(resource)
        subject = (text_at(resource, "subject", "reference") or "").removeprefix("Patient/")
        if name is not None and version is not None:
            told.setdefault(subject, {})[name] = version
    return [one for one in patients if _is_news(told.get(known[one.pseudonym].nll_patient, {}), known[one.pseudonym])]


def _is_news(versions: Mapping[str, str], known: NllWatermark) -> bool:
    return any(known.versions.get(name) != version for name, version in versions.items())
