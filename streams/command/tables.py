"""The list as people read it: a table per patient, then what was noticed. Swedish for care staff, English available."""

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table

from contracts.findings import FINDINGS
from contracts.medication_list import DailyDose, Layer, ListItem, MedicationList

ZONE = ZoneInfo("Europe/Stockholm")
_STATES: Mapping[str, Mapping[str, str]] = {
    "sv": {
        "planned": "planerad",
        "active": "pågående",
        "paused": "pausad",
        "ended": "avslutad",
        "cancelled": "makulerad",
        "dormant": "vilande",
        "unknown": "okänt",
    },
    "en": {},
}
_HEADS = {
    "sv": ("Läkemedel", "Status", "Dygnsdos", "Ordinerat", "Förskrivet", "Delat/uttag", "Givet", "Från", "Till"),
    "en": ("Drug", "State", "Daily dose", "Intended", "Prescribed", "Dispensed", "Given", "From", "To"),
}
_WORDS = {
    "sv": {"list": "Läkemedelslista", "at": "gäller", "none": "Inga läkemedel.", "aside": "uppgifter utan egen rad"},
    "en": {"list": "Medication list", "at": "valid at", "none": "No drugs.", "aside": "facts without a line"},
}
_SEVERITY = {"high": "!!", "warning": "! ", "info": "i "}
_DOSES = {
    "sv": {
        "as-needed": "vid behov",
        "varies": "varierar",
        "not-comparable": "ej jämförbar",
        "not-stated": "ej angiven",
    },
    "en": {
        "as-needed": "as needed",
        "varies": "varies",
        "not-comparable": "not comparable",
        "not-stated": "not stated",
    },
}


def print_list(console: Console, one: MedicationList, when: datetime, lang: str) -> None:
    """Print one list as a table, its findings below."""
    words = _WORDS[lang]
    console.print(f"[bold]{words['list']}[/bold] {one.patient}  ({words['at']} {_time(when)})")
    if one.items:
        console.print(list_table(one, lang))
    else:
        console.print(words["none"])
    for line in finding_lines(one, lang):
        console.print(line, markup=False)
    if one.unattached:
        console.print(f"({len(one.unattached)} {words['aside']})", markup=False)
    console.print()


def list_table(one: MedicationList, lang: str) -> Table:
    """Return the table of a list: a row per line, layers side by side."""
    table = Table(show_lines=False, pad_edge=False)
    for head in _HEADS[lang]:
        table.add_column(head, overflow="fold")
    for item in sorted(one.items, key=lambda i: (i.state in {"ended", "cancelled"}, i.product or "", i.strand)):
        table.add_row(*_row(item, lang))
    return table


def _row(item: ListItem, lang: str) -> tuple[str, ...]:
    layers = item.layers
    return (
        _drug(item),
        _STATES[lang].get(item.state, item.state),
        dose_words(item.daily_dose, lang),
        _layer(layers.get("intended") or layers.get("reported"), lang),
        _layer(layers.get("prescribed"), lang),
        _layer(layers.get("dispensed"), lang),
        _given(layers.get("given")),
        _day(item.start),
        _day(item.end),
    )


def _drug(item: ListItem) -> str:
    name = item.product or ", ".join(item.substances) or "?"
    return f"{name} ({', '.join(item.substances)})" if item.product and item.substances else name


def dose_words(dose: DailyDose | None, lang: str) -> str:
    """Return a daily dose in words."""
    if dose is None:
        return "-"
    amount = f"{dose.value:f} {_unit(dose.unit)}" if dose.value is not None else ""
    if dose.status == "computed":
        return amount
    word = _DOSES[lang][dose.status]
    return f"{word}, max {amount}" if amount else word


def _unit(unit: str | None) -> str:
    return "st" if unit == "{unit}" else (unit or "").strip("{}")


def _layer(layer: Layer | None, lang: str) -> str:
    if layer is None:
        return "-"
    parts = [layer.strength or layer.product or "", layer.dosage_text or dose_words(layer.daily_dose, lang)]
    if layer.state is not None and layer.state != "active":
        parts.append(f"[{_STATES[lang].get(layer.state, layer.state)}]")
    return " ".join(part for part in parts if part and part != "-").replace("[", "\\[")


def _given(layer: Layer | None) -> str:
    if layer is None:
        return "-"
    missed = f" +{layer.not_given} ej" if layer.not_given else ""
    return f"{layer.count or 0}{missed}, {_time(layer.last_at)}" if layer.last_at else f"{layer.count or 0}{missed}"


def finding_lines(one: MedicationList, lang: str) -> list[str]:
    """Return each finding as one line of text."""
    names = {item.strand: _drug(item) for item in one.items}
    lines = []
    for found in one.findings:
        kind = FINDINGS[found.code]
        about = ", ".join(names[strand] for strand in found.items if strand in names)
        detail = "; ".join(f"{key}: {value}" for key, value in sorted(found.detail.items()))
        text = kind.sv if lang == "sv" else kind.en
        tail = f" ({detail})" if detail else ""
        lines.append(f"{_SEVERITY[found.severity]} {found.code}: {text}{' ' + about if about else ''}{tail}")
    return lines


def _time(when: datetime | None) -> str:
    return when.astimezone(ZONE).strftime("%Y-%m-%d %H:%M") if when else "-"


def _day(when: datetime | None) -> str:
    return when.astimezone(ZONE).strftime("%Y-%m-%d") if when else "-"
