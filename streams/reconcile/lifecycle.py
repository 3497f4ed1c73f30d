"""The life of a line as one table: in which states it can be, and what leads from one to another.

Time moves a line by the transitions of ``TIME``; what else is learnt (a correction, a late fact, a decision) replaces what
was believed, so it may lead anywhere: ``CORRECTION``. Fully dispensed (slutexpedierad) is no state: such a prescription is
active. The diagram and the page for people are made from the table; that lines keep to it is a test.
"""

from collections.abc import Iterator, Mapping
from typing import Final, get_args

import msgspec

from contracts.medication_list import ItemState

STATES: Final[tuple[ItemState, ...]] = get_args(ItemState)
STARTS_AS: Final[tuple[ItemState, ...]] = ("planned", "active", "unknown")
"""What a line can be at first; in a diagram these follow the beginning."""


class Transition(msgspec.Struct, frozen=True):
    """From ``before``, by ``event``, to ``after``. ``rules`` are the rules that give the state after it."""

    before: ItemState
    event: str
    after: ItemState
    rules: frozenset[str]


class IllegalStepError(ValueError):
    """An event that cannot happen in a state."""


EVENTS: Final[Mapping[str, tuple[str, str]]] = {
    "start": ("startdatum nås", "its start is reached"),
    "start-while-admitted": ("startdatum nås medan patienten är inskriven", "its start is reached while admitted"),
    "start-paused": ("startdatum nås under en paus", "its start is reached in a pause"),
    "first-heard-of": (
        "den första uppgiften om den, utan startdatum",
        "the first that is heard of it, without a start",
    ),
    "pause": ("pausas", "is paused"),
    "resume": ("återupptas", "is resumed"),
    "admit": (
        "patienten skrivs in, eller avdelningens ordination slutar",
        "the patient is admitted, or the ward's own order ends",
    ),
    "discharge": (
        "patienten skrivs ut, eller avdelningen ordinerar det",
        "the patient is discharged, or the ward orders it",
    ),
    "stop": ("sätts ut", "is stopped"),
    "end-reached": ("slutdatum nås", "its end is reached"),
    "end-before-next": ("slut nås, en ny del börjar senare", "its end is reached, a next part begins later"),
    "call-off": ("avslutas innan den började", "is ended before it began"),
    "restart": ("sätts in igen", "is begun again"),
    "status-unknown": ("källan vet inte längre", "its source no longer knows"),
    "disagreement": ("källorna är oense, en person måste avgöra", "the sources disagree, a person must decide"),
    "agreement": ("källorna är överens igen", "the sources agree again"),
    "correction": ("en rättelse eller sen uppgift", "a correction, or a late entry"),
}
"""What happens, in Swedish and English."""

_ENDS: Final = {"stop": {"STOPPED", "CANCELLED_AFTER_USE"}, "end-reached": {"END_REACHED", "STAY_ENDED"}}
_PAUSES: Final = {"PAUSED_BY_PERIOD", "ON_HOLD"}


def _rows() -> Iterator[tuple[ItemState, str, ItemState, set[str]]]:
    yield "planned", "start", "active", {"IN_FORCE"}
    yield "planned", "start-while-admitted", "dormant", {"DORMANT_WHILE_ADMITTED"}
    yield "planned", "start-paused", "paused", _PAUSES
    yield "planned", "call-off", "cancelled", {"CALLED_OFF"}
    yield "active", "pause", "paused", _PAUSES
    yield "paused", "resume", "active", {"IN_FORCE"}
    yield "active", "admit", "dormant", {"DORMANT_WHILE_ADMITTED"}
    yield "dormant", "discharge", "active", {"IN_FORCE"}
    yield "paused", "admit", "dormant", {"DORMANT_WHILE_ADMITTED"}
    yield "dormant", "pause", "paused", _PAUSES
    in_force: tuple[ItemState, ...] = ("active", "paused", "dormant")
    for before in in_force:
        for event, rules in _ENDS.items():
            yield before, event, "ended", rules
        yield before, "end-before-next", "planned", {"STARTS_LATER"}
        yield before, "status-unknown", "unknown", {"STATUS_UNKNOWN"}
    yield "planned", "call-off", "ended", {"STOPPED", "END_REACHED", "STAY_ENDED"}
    yield "ended", "restart", "active", {"IN_FORCE"}
    yield "ended", "restart", "dormant", {"DORMANT_WHILE_ADMITTED"}
    yield "ended", "restart", "paused", _PAUSES
    yield "ended", "restart", "planned", {"STARTS_LATER"}
    yield "unknown", "first-heard-of", "active", {"IN_FORCE"}
    yield "unknown", "first-heard-of", "dormant", {"DORMANT_WHILE_ADMITTED"}
    yield "unknown", "first-heard-of", "paused", _PAUSES
    yield "unknown", "first-heard-of", "planned", {"STARTS_LATER"}
    yield "unknown", "stop", "ended", {"STOPPED", "STOPPED_AT_UNKNOWN_TIME", "CANCELLED_AFTER_USE"}
    yield "unknown", "end-reached", "ended", {"END_REACHED", "STAY_ENDED"}
    decided: tuple[ItemState, ...] = ("planned", "active", "paused", "dormant", "ended")
    for state in decided:
        yield state, "disagreement", "unknown", {"UNDECIDED"}


TIME: Final[tuple[Transition, ...]] = tuple(
    Transition(before, event, after, frozenset(rules)) for before, event, after, rules in _rows()
)
"""What may happen as time passes, with what is known unchanged."""

CORRECTION: Final[tuple[Transition, ...]] = tuple(
    Transition(before, "correction", after, frozenset()) for before in STATES for after in STATES if before != after
)
"""What may happen when something else becomes known: the line is what it would have been."""


def step(state: ItemState, event: str) -> tuple[ItemState, ...]:
    """Return the states that ``event`` can lead to from ``state``. Raises ``IllegalStepError`` where it cannot happen."""
    found = sorted({t.after for t in (*TIME, *CORRECTION) if t.before == state and t.event == event})
    if not found:
        raise IllegalStepError(f"{event} cannot happen to a line that is {state}")
    return tuple(found)


def event_between(before: ItemState, after: ItemState, rule: str) -> str:
    """Return the event by which time led from one state to another that ``rule`` gave.

    Raises ``IllegalStepError`` where no transition does. A state that a person decided may follow any.
    """
    for transition in TIME:
        if (transition.before, transition.after) == (before, after) and rule in transition.rules:
            return transition.event
    if rule == "DECIDED_BY_PERSON":
        return "correction"
    raise IllegalStepError(f"time leads no line from {before} to {after} by {rule}")
