"""Entries for tests of evidence and matching: primary care's prescription of furosemide, unless said otherwise."""

from datetime import timedelta
from typing import Any

import msgspec

from contracts.values import Identifier
from streams.reconcile.entries import Entry
from streams.reconcile.policy import default_rules
from streams.reconcile.profile import Profile
from streams.reconcile.records import EARLIEST, LATEST, Record
from tests.streams.reconcile.clauses import moment

RULES = default_rules()
DAY = timedelta(days=1)
NOTHING = Profile(None, None, frozenset(), None, None, frozenset(), (), None, None, None, True, frozenset())
FUROSEMIDE = {"atc": "C03CA01", "substances": frozenset({"furosemide"}), "form_group": "oral-solid", "route": "oral"}


def code(value: str) -> Identifier:
    """Return an id of no particular system."""
    return Identifier(system="urn:test:code", value=value)


def codes(*values: str) -> frozenset[Identifier]:
    """Return a set of ids."""
    return frozenset(code(value) for value in values)


def product(**known: Any) -> Profile:
    """Return a product of which only this is known."""
    return msgspec.structs.replace(NOTHING, **known)


def entry(name: str, start: str | None = "2026-01-01", end: str | None = None, **said: Any) -> Entry:
    """Return an entry of primary care's: a prescription of furosemide, unless said otherwise."""
    source = said.pop("source", "primary-care")
    begins = moment(start) if start else EARLIEST
    key = Identifier(system=source, value=name)
    plain = Entry(
        record=Record(key, ()),
        kind="prescription",
        profile=product(**FUROSEMIDE),
        start=begins,
        end=moment(end) if end else LATEST,
        never_valid=False,
        identifiers=frozenset({key}),
        references=frozenset(),
        hubs=frozenset(said.pop("hubs", ())) | {key},
        chains=frozenset(),
        statement=None,
        unit=None,
        said_at=begins,
    )
    return msgspec.structs.replace(plain, **said)
