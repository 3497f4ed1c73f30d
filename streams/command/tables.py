"""The list as people read it: a table per patient, then what was noticed. Swedish for care staff, English available."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from contracts.findings import FINDINGS
from contracts.medication_list import ItemState, Layer, LayerName, ListItem, MedicationList, Severity
from streams.reconcile.explain_texts import DOSES, NOTHING, STATES, Language, dose_words, say

ZONE: Final = ZoneInfo("Europe/Stockholm")
WIDTH: Final = 124
"""Columns of a table where the output is no terminal."""

_STYLES: Final[Mapping[ItemState, str]] = {
    "planned": "cyan",
    "active": "green",
    "paused": "yellow",
    "ended": "dim",
    "cancelled": "dim",
    "dormant": "yellow",
    "unknown": "red",
}
_HEADS: Final = {
    "sv": ("Läkemedel", "Status", "Dygnsdos", "Ordinerat", "Förskrivet", "Uttag, dospåsar", "Givet", "Tid"),
    "en": ("Drug", "State", "Daily dose", "Intended", "Prescribed", "Dispensed", "Given", "Time"),
}
_WORDS: Final = {
    "sv": {
        "list": "Läkemedelslista",
        "at": "gäller",
        "none": "Inga läkemedel.",
        "aside": "uppgifter utan egen rad, till exempel vårdtillfällen",
        "missed": "ej given",
        "until": "t.o.m.",
        "last": "senast",
        "there": "finns",
    },
    "en": {
        "list": "Medication list",
        "at": "valid at",
        "none": "No drugs.",
        "aside": "facts without a line of their own, such as stays",
        "missed": "not given",
        "until": "to",
        "last": "last",
        "there": "yes",
    },
}
_MARKS: Final[Mapping[Severity, tuple[str, str]]] = {
    "high": ("!!", "bold red"),
    "warning": ("! ", "yellow"),
    "info": ("i ", "dim"),
}
_DETAILS: Final[Mapping[str, str]] = {
    "reason": "orsak",
    "dose": "ändrad dos",
    "stopped": "utsatt",
    "intended": "ordinerat",
    "prescribed": "förskrivet",
    "field": "fält",
    "state": "status",
    "product": "läkemedel",
    "dosage": "dosering",
    "start": "början",
    "end": "slut",
    "units": "enheter",
    "since": "sedan",
    "source": "källa",
}
"""Swedish for the words of the reconciler's details; sources and amounts stand as they are."""
_WIDTHS: Final = (30, 9, 12, 10, 11, 14, 17, 12)
_YEAR: Final = len("2026-")


def wide_console(*, to_stderr: bool = False) -> Console:
    """Return a console that is wide enough for a list where the output is no terminal; a terminal's width is kept."""
    console = Console(highlight=False, stderr=to_stderr)
    if not console.is_terminal:
        console.width = WIDTH
    return console


def print_list(console: Console, one: MedicationList, when: datetime | None, lang: Language) -> None:
    """Print one list as a table, its findings below; ``when`` is what time it is the list of, as far as is known."""
    words = _WORDS[lang]
    console.print(f"[bold]{words['list']}[/bold] {one.patient}  ({words['at']} {moment(when)})")
    print_lines(console, one, lang)
    if one.unattached:
        console.print(f"({len(one.unattached)} {words['aside']})", markup=False, style="dim")
    console.print()


def print_lines(console: Console, one: MedicationList, lang: Language) -> None:
    """Print a list's lines and findings, without a heading."""
    if one.items:
        console.print(list_table(one, lang))
    else:
        console.print(_WORDS[lang]["none"])
    for severity, line in finding_lines(one, lang):
        mark, style = _MARKS[severity]
        console.print(Text(f"{mark} ", style=style) + Text(line, style=""), soft_wrap=False)


def list_table(one: MedicationList, lang: Language) -> Table:
    """Return the table of a list: a row per line, layers side by side; what is over stands last."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for head, width in zip(_HEADS[lang], _WIDTHS, strict=True):
        table.add_column(head, max_width=width, overflow="fold")
    for item in sorted(one.items, key=lambda i: (i.state in {"ended", "cancelled"}, i.product or "", i.strand)):
        table.add_row(*_row(item, lang))
    return table


def drug_name(item: ListItem) -> str:
    """Return what a line is called: its product, else its substances."""
    return item.product or ", ".join(item.substances) or "?"


def state_word(state: ItemState, lang: Language) -> str:
    """Return a state in words."""
    return say(STATES, state, lang)


def finding_lines(one: MedicationList, lang: Language) -> list[tuple[Severity, str]]:
    """Return each finding as its severity and one line of text."""
    names = {item.strand: drug_name(item) for item in one.items}
    lines: list[tuple[Severity, str]] = []
    for found in one.findings:
        kind = FINDINGS[found.code]
        about = ", ".join(names[strand] for strand in found.items if strand in names)
        detail = "; ".join(f"{_word(key, lang)}: {_word(text, lang)}" for key, text in sorted(found.detail.items()))
        text = kind.sv if lang == "sv" else kind.en
        tail = f" ({detail})" if detail else ""
        lines.append((found.severity, f"{about + ': ' if about else ''}{text}{tail} [{found.code}]"))
    return lines


def _word(word: str, lang: Language) -> str:
    return _DETAILS.get(word, word) if lang == "sv" else word


def _row(item: ListItem, lang: Language) -> tuple[Text, ...]:
    name = Text(drug_name(item), style="dim" if item.state in {"ended", "cancelled"} else "bold")
    if item.dosage_text:
        name.append(f"\n{item.dosage_text}", style="dim")
    cells = (
        dose_words(item.daily_dose, lang),
        _layer(item, "intended", lang) if "intended" in item.layers else _layer(item, "reported", lang),
        _layer(item, "prescribed", lang),
        _dispensed(item.layers.get("dispensed"), lang),
        _given(item.layers.get("given"), lang),
        _span(item.start, item.end),
    )
    return (name, Text(state_word(item.state, lang), style=_STYLES[item.state]), *map(Text, cells))


def _layer(item: ListItem, name: LayerName, lang: Language) -> str:
    layer = item.layers.get(name)
    if layer is None:
        return NOTHING
    words = _amount(layer, lang)
    if layer.state is not None and layer.state != item.state:
        words += f" ({state_word(layer.state, lang)})"
    return words


def _dispensed(layer: Layer | None, lang: Language) -> str:
    if layer is None:
        return NOTHING
    words = _amount(layer, lang)
    if layer.next_roll_ends is not None:
        words += f" {_WORDS[lang]['until']} {last_day(layer.next_roll_ends)[_YEAR:]}"
    return words


def _amount(layer: Layer, lang: Language) -> str:
    """Return the dose of a layer per day, else its strength or product."""
    dose = layer.daily_dose
    if dose is not None and dose.status == "as-needed":
        return say(DOSES, "as-needed", lang)
    if dose is not None and dose.status != "not-stated":
        return dose_words(dose, lang)
    return layer.strength or layer.product or _WORDS[lang]["there"]


def _given(layer: Layer | None, lang: Language) -> str:
    if layer is None:
        return NOTHING
    words = f"{layer.count or 0}"
    if layer.not_given:
        words += f" (+{layer.not_given} {_WORDS[lang]['missed']})"
    if layer.last_at is None:
        return words
    of = f" {layer.strength}" if layer.strength else ""
    return f"{words}, {_WORDS[lang]['last']}{of} {moment(layer.last_at)[_YEAR:]}"


def moment(when: datetime | None) -> str:
    """Return a time on Swedish clocks."""
    return when.astimezone(ZONE).strftime("%Y-%m-%d %H:%M") if when else NOTHING


def day(when: datetime | None) -> str:
    """Return a day in Sweden."""
    return when.astimezone(ZONE).strftime("%Y-%m-%d") if when else NOTHING


def last_day(end: datetime | None) -> str:
    """Return the last day of a half-open time."""
    return day(end - timedelta(microseconds=1)) if end else NOTHING


def _span(start: datetime | None, end: datetime | None) -> str:
    if start is None and end is None:
        return NOTHING
    begin = day(start) if start else "?"
    return f"{begin}\n- {last_day(end)}" if end else f"{begin} -"
