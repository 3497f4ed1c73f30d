"""From a bag of facts to records: duplicates, versions, retractions. The only place that looks at ``received_at``.

1. Facts with the same id are one fact; the earliest receipt is kept.
2. Per (source, source id) the facts are versions of one record, ordered by the source's own version number where it
   has one, else by the time of recording; what is still equal is ordered by id, so that every replica agrees.
3. A retraction removes what it names wherever it stands; only the issuer's (or a trusted person's) counts.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

import msgspec

from contracts.fact import Fact
from contracts.facts.administration import Administration
from contracts.facts.base import Content
from contracts.facts.correction import Decision, Retraction
from contracts.facts.dispense import Dispense
from contracts.facts.dose_dispensing import DosePackageOrder, DoseSupply
from contracts.facts.list_statement import ListRow
from contracts.facts.person import Block, Encounter, IdentityLink
from contracts.facts.prescribing import Order, Prescription
from contracts.facts.reported_use import ReportedUse
from contracts.values import Identifier
from streams.reconcile.policy import Rules

HEAD_TYPES = (Order, Prescription, ListRow, ReportedUse)
SUPPLY_TYPES = (Dispense, DoseSupply, DosePackageOrder)

EARLIEST = datetime.min.replace(tzinfo=UTC)
LATEST = datetime.max.replace(tzinfo=UTC)


class Record(msgspec.Struct, frozen=True, gc=False, eq=False):
    """All live versions of one thing that one source speaks of, oldest version first; never empty."""

    key: Identifier
    versions: tuple[Fact, ...]

    @property
    def newest(self) -> Fact:
        """The version that speaks, unless it applies only from later on."""
        return self.versions[-1]

    @property
    def fact_ids(self) -> tuple[str, ...]:
        """The ids of all versions."""
        return tuple(fact.id for fact in self.versions)

    def at(self, when: datetime) -> Fact:
        """Return the version that speaks at ``when``: the newest that applies by then; before the first, the first."""
        for fact in reversed(self.versions):
            if fact.occurred_at is None or fact.occurred_at <= when:
                return fact
        return self.versions[0]


class Book(msgspec.Struct, kw_only=True):
    """The live records of one patient, by kind, and what was noticed while they were put together."""

    heads: list[Record] = []
    supplies: list[Record] = []
    doses: list[Record] = []
    encounters: list[Record] = []
    blocks: list[Record] = []
    links: list[Record] = []
    decisions: list[Record] = []
    others: list[Record] = []
    retracted: list[tuple[Fact, str]] = []
    foreign_retractions: list[Fact] = []
    disputed: list[tuple[str, ...]] = []
    retractions: list[Fact] = []


def put_together(facts: Iterable[Fact], rules: Rules, known_at: datetime | None = None) -> Book:
    """Return the live records of the facts that were received by ``known_at`` (``None``: all of them)."""
    known: dict[str, Fact] = {}
    for fact in facts:
        if known_at is not None and fact.received_at > known_at:
            continue
        before = known.get(fact.id)
        if before is None or fact.received_at < before.received_at:
            known[fact.id] = fact
    book = Book()
    killers = _retractions(known, rules, book)
    versions: dict[Identifier, list[Fact]] = {}
    for fact in known.values():
        key = Identifier(system=fact.source, value=fact.source_id)
        killer = killers.get((key, None)) or killers.get((key, fact.version))
        if killer is not None and killer.id != fact.id and not isinstance(fact.content, Retraction):
            book.retracted.append((fact, killer.id))
        elif isinstance(fact.content, Retraction):
            book.retractions.append(fact)
        else:
            versions.setdefault(key, []).append(fact)
    for key in sorted(versions):
        record = Record(key, tuple(sorted(versions[key], key=version_order)))
        book.disputed += _disputed(record)
        _shelf(book, record.newest.content).append(record)
    book.retracted.sort(key=lambda pair: pair[0].id)
    book.retractions.sort(key=lambda fact: fact.id)
    return book


def version_order(fact: Fact) -> tuple[bool, int, datetime, str]:
    """Sort key of the versions of one record."""
    return (fact.version is not None, fact.version or 0, fact.recorded_at or EARLIEST, fact.id)


def _shelf(book: Book, content: Content) -> list[Record]:
    if isinstance(content, Administration):
        return book.doses
    if isinstance(content, HEAD_TYPES):
        return book.heads
    if isinstance(content, SUPPLY_TYPES):
        return book.supplies
    shelves = {Encounter: book.encounters, Block: book.blocks, IdentityLink: book.links, Decision: book.decisions}
    return shelves.get(type(content), book.others)


def _retractions(known: dict[str, Fact], rules: Rules, book: Book) -> dict[tuple[Identifier, int | None], Fact]:
    """Return what is retracted, by whom. A retraction may itself be retracted; a circle of them retracts nothing."""
    by_target: dict[tuple[Identifier, int | None], list[Fact]] = {}
    for fact in known.values():
        content = fact.content
        if not isinstance(content, Retraction):
            continue
        if content.target.system != fact.source and fact.source not in rules.matching.trusted_retractors:
            book.foreign_retractions.append(fact)
            continue
        by_target.setdefault((content.target, content.version), []).append(fact)
    book.foreign_retractions.sort(key=lambda fact: fact.id)

    def stands(fact: Fact, above: frozenset[str]) -> bool:
        key = Identifier(system=fact.source, value=fact.source_id)
        against = [*by_target.get((key, None), ()), *by_target.get((key, fact.version), ())]
        return not any(
            other.id != fact.id and other.id not in above and stands(other, above | {fact.id}) for other in against
        )

    return {
        target: min(standing, key=lambda fact: fact.id)
        for target, retractions in by_target.items()
        if (standing := [fact for fact in retractions if stands(fact, frozenset())])
    }


def _disputed(record: Record) -> list[tuple[str, ...]]:
    """Return groups of facts that claim the same version of a record with different content."""
    groups: dict[tuple[object, ...], list[str]] = {}
    for fact in record.versions:
        same = (fact.version,) if fact.version is not None else (None, fact.recorded_at)
        groups.setdefault(same, []).append(fact.id)
    return [tuple(sorted(ids)) for ids in groups.values() if len(ids) > 1]
