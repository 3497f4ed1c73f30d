"""The lifecycle as a page: a diagram and tables, made from the table that lines keep to."""

from collections.abc import Iterator
from itertools import groupby
from typing import Final

from streams.reconcile.explain_texts import STATE_RULES, STATES
from streams.reconcile.lifecycle import EVENTS, STARTS_AS, TIME

_HEAD: Final = """# En rads livscykel / The life of a line

Sidan är gjord av `streams/reconcile/lifecycle.py` (`python -m streams.command.pages`); ändra tabellen, inte sidan.
This page is made from `streams/reconcile/lifecycle.py` (`python -m streams.command.pages`); change the table, not the page.

Tiden för en rad från ett läge till ett annat så som bilden visar. Blir något annat känt (en rättelse, en sen uppgift, ett
ställningstagande) är raden vad den skulle ha varit: då kan vilket läge som helst följa på vilket som helst. Slutexpedierad
är inget läge: ett recept som är slutexpedierat pågår.

Time leads a line from one state to another as the diagram shows. When something else becomes known (a correction, a late
entry, a decision) the line is what it would have been: then any state may follow any. Fully dispensed is no state: a
prescription that is fully dispensed is active.
"""


def lifecycle_page() -> str:
    """Return the page as Markdown with a Mermaid diagram, in Swedish and English."""
    return "\n".join([_HEAD, *_diagram(), "", *_states(), "", *_events(), "", *_rules(), ""])


def _diagram() -> Iterator[str]:
    yield "```mermaid"
    yield "stateDiagram-v2"
    yield from (f"    [*] --> {state}" for state in STARTS_AS)
    pairs = sorted({(t.before, t.after, t.event) for t in TIME if t.event != "disagreement"})
    for (before, after), group in groupby(pairs, key=lambda pair: pair[:2]):
        yield f"    {before} --> {after}: {', '.join(event for _, _, event in group)}"
    yield "```"


def _states() -> Iterator[str]:
    yield "| state | läge |"
    yield "|---|---|"
    yield from (f"| {state} | {swedish} |" for state, (swedish, _) in STATES.items())


def _events() -> Iterator[str]:
    yield "| event | händelse | what happens | from -> to |"
    yield "|---|---|---|---|"
    for event, (swedish, english) in EVENTS.items():
        steps = ", ".join(f"{t.before} -> {t.after}" for t in TIME if t.event == event)
        yield f"| {event} | {swedish} | {english} | {steps or 'any -> any'} |"


def _rules() -> Iterator[str]:
    yield "| rule | därför att | because |"
    yield "|---|---|---|"
    yield from (f"| `{rule}` | {swedish} | {english} |" for rule, (swedish, english) in STATE_RULES.items())
