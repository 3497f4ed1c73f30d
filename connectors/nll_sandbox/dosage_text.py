"""The text a patient reads about the dosage, in Swedish, from its structure (doseringsanvisning, HB/TA21)."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Final

from connectors.nll_sandbox.resources import child, extension_value, objects, text_at
from connectors.nll_sandbox.vocabulary import ADMINISTERING_INSTRUCTION
from mappings.fhir.exact_json import JsonObject

_UNITS: Final[Mapping[str, tuple[str, str]]] = {
    "h": ("timme", "timmar"),
    "d": ("dag", "dagar"),
    "wk": ("vecka", "veckor"),
    "mo": ("månad", "månader"),
}


def directions(dosages: Sequence[JsonObject], purpose: str | None) -> dict[str, str]:
    """The four blocks by name: purpose, how much and when, how to take it, anything else; empty when there is none."""
    return {
        "behandlingsandamal": _sentence(purpose or ""),
        "doseringsinstruktion": _joined(_dosing(one) for one in dosages),
        "administreringsinstruktion": _joined(
            str(extension_value(one, ADMINISTERING_INSTRUCTION) or "") for one in dosages
        ),
        "annanInstruktion": _joined(
            text_at(other, "text") or "" for one in dosages for other in objects(one.get("additionalInstruction"))
        ),
    }


def _dosing(dosage: JsonObject) -> str:
    """What the prescriber wrote for the patient; from the structure only when nothing is written."""
    written = text_at(dosage, "patientInstruction") or text_at(dosage, "text")
    return written or " ".join(part for part in (_dose(dosage), _often(dosage), _until(dosage)) if part)


def _dose(dosage: JsonObject) -> str:
    for one in objects(dosage.get("doseAndRate")):
        low, high = child(one, "doseRange", "low"), child(one, "doseRange", "high")
        if low and high:
            return f"{_number(low.get('value'))}-{_number(high.get('value'))} {text_at(high, 'unit') or ''}".strip()
        quantity = child(one, "doseQuantity")
        if quantity:
            return f"{_number(quantity.get('value'))} {text_at(quantity, 'unit') or ''}".strip()
    return ""


def _often(dosage: JsonObject) -> str:
    repeat = child(dosage, "timing", "repeat")
    needed = "vid behov" if dosage.get("asNeededBoolean") is True else ""
    times = [str(one)[:5] for one in repeat.get("timeOfDay", []) if isinstance(one, str)]
    if times:
        return f"kl. {', '.join(times)} {needed}".strip()
    frequency, period = repeat.get("frequency"), repeat.get("period", 1)
    unit = _UNITS.get(str(repeat.get("periodUnit", "")))
    if frequency is None or unit is None:
        return needed
    every = f"per {unit[0]}" if period == 1 else f"var {_number(period)}:e {unit[0]}"
    gang = "gång" if frequency == 1 else "gånger"
    return f"{_number(frequency)} {gang} {every} {needed}".strip()


def _until(dosage: JsonObject) -> str:
    repeat = child(dosage, "timing", "repeat")
    duration = child(repeat, "boundsDuration")
    if duration:
        value = duration.get("value")
        unit = _UNITS.get(str(duration.get("code", "")), ("", ""))
        return f"i {_number(value)} {unit[0] if value == 1 else unit[1]}".strip()
    last = text_at(repeat, "boundsPeriod", "end")
    return f"till och med {last[:10]}" if last else ""


def _number(value: object) -> str:
    return f"{Decimal(value):f}".replace(".", ",") if isinstance(value, int | Decimal) else ""


def _joined(texts: Iterable[str]) -> str:
    return " ".join(dict.fromkeys(_sentence(text) for text in texts if text))


def _sentence(text: str) -> str:
    stripped = text.strip()
    if not stripped:
        return ""
    capital = stripped[0].upper() + stripped[1:]
    return capital if capital[-1] in ".!?" else f"{capital}."
