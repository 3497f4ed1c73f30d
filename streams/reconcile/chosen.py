"""Values that persons have chosen: stronger than the precedence table, as long as the line says what they saw."""

from collections.abc import Iterable

import msgspec

from contracts.values import Identifier
from streams.reconcile.entries import Entry

DECIDED_BY_PERSON = "DECIDED_BY_PERSON"


class ChosenValue(msgspec.Struct, frozen=True):
    """For ``field`` the value that ``record`` carries counts, by the decision ``fact`` on the facts of ``basis``."""

    record: Identifier
    field: str
    basis: frozenset[str]
    fact: str


def chosen_for(entries: Iterable[Entry], chosen: Iterable[ChosenValue]) -> dict[str, ChosenValue]:
    """Return, per field, what was chosen for a line; nothing where a fact speaks on the line that nobody saw then."""
    speaking = {entry.key: entry.record.newest.id for entry in entries}
    return {one.field: one for one in chosen if one.record in speaking and one.basis.issuperset(speaking.values())}
