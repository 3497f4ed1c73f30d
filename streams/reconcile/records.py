"""From a bag of facts to records: duplicates, versions, retractions. The only place that looks at ``received_at``.

1. Facts with the same id are one fact; the earliest receipt is kept.
2. Per (source, source id) the facts are versions of one record, ordered by the source's own version number where it
   has one, else by the time of recording; what is still equal is ordered by id, so that every replica agrees.
3. Versions of one record are of one kind: a source that gives an order and a stay one id has two things, of which the newest
   version says what the record is; the others are strays, which stand on no line and are a finding.
4. A retraction removes what it names wherever it stands; only the issuer's (or a trusted person's) counts.
"""

from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from typing import Final

import msgspec

from contracts.fact import Fact
from contracts.facts.base import Content, TreatmentContent
from contracts.facts.correction import Retraction
from contracts.facts.dispense import Dispense
from contracts.facts.dose_dispensing import DosePackageOrder, DoseSupply
from contracts.facts.list_statement import ListRow
from contracts.facts.prescribing import Order, Prescription
from contracts.facts.reported_use import ReportedUse
from contracts.values import Identifier
from streams.reconcile.policy import Rules

HEAD_TYPES: Final = (Order, Prescription, ListRow, ReportedUse)
SUPPLY_TYPES: Final = (Dispense, DoseSupply, DosePackageOrder)

EARLIEST: Final = datetime.min.replace(tzinfo=UTC)
LATEST: Final = datetime.max.replace(tzinfo=UTC)

Target = tuple[Identifier, int | None]


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


class Ledger:
    """The facts of one patient as records; facts come in any order, and as often as they like."""

    def __init__(self, rules: Rules) -> None:
        self._trusted = rules.matching.trusted_retractors
        self._facts: dict[str, Fact] = {}
        self._versions: dict[Identifier, list[Fact]] = {}
        self._killers: dict[Target, Fact] = {}
        self._targets: set[Identifier] = set()
        self.records: dict[Identifier, Record] = {}
        self.strays: dict[Identifier, tuple[Fact, ...]] = {}
        self.retractions: list[Fact] = []
        self.foreign_retractions: list[Fact] = []

    def facts(self) -> Iterable[Fact]:
        """Return every fact once."""
        return self._facts.values()

    def get(self, fact_id: str) -> Fact | None:
        """Return the fact of an id, as first received."""
        return self._facts.get(fact_id)

    def is_live(self, fact_id: str) -> bool:
        """Say whether a fact is known and not retracted."""
        fact = self._facts.get(fact_id)
        if fact is None:
            return False
        if isinstance(fact.content, Retraction):
            return True
        record = self.records.get(Identifier(system=fact.source, value=fact.source_id))
        return record is not None and fact_id in record.fact_ids

    def __getitem__(self, fact_id: str) -> Fact:
        return self._facts[fact_id]

    def add(self, fact: Fact) -> Collection[Identifier] | None:
        """Take a fact in; return the keys of the records that it changed, or ``None`` for a fact known already."""
        known = self._facts.get(fact.id)
        if known is not None:
            if fact.received_at < known.received_at:
                self._replace(known, fact)
            return None
        self._facts[fact.id] = fact
        if isinstance(fact.content, Retraction):
            return self._retract(fact)
        key = Identifier(system=fact.source, value=fact.source_id)
        versions = self._versions.get(key)
        if versions is None:
            self._versions[key] = [fact]
            if not self._killers:
                self.records[key] = Record(key, (fact,))
                return (key,)
        else:
            versions.append(fact)
            versions.sort(key=version_order)
        self._rebuild(key)
        return (key,)

    def is_targeted(self, fact: Fact) -> bool:
        """Say whether a retraction names the record of a fact, whichever version of it."""
        return bool(self._targets) and Identifier(system=fact.source, value=fact.source_id) in self._targets

    def retracted(self) -> list[tuple[Fact, str]]:
        """Return the facts that are retracted, each with the id of the retraction."""
        found = [
            (fact, killer.id)
            for key in {target for target, _ in self._killers}
            for fact in self._versions.get(key, ())
            if (killer := self._killer(fact)) is not None
        ]
        return sorted(found, key=lambda pair: pair[0].id)

    def _replace(self, known: Fact, fact: Fact) -> None:
        self._facts[fact.id] = fact
        key = Identifier(system=fact.source, value=fact.source_id)
        if key in self._versions:
            self._versions[key] = [fact if f is known else f for f in self._versions[key]]
            self._rebuild(key)

    def _rebuild(self, key: Identifier) -> None:
        live = tuple(fact for fact in self._versions.get(key, ()) if self._killer(fact) is None)
        kept = _of_one_kind(live)
        if kept:
            self.records[key] = Record(key, kept)
        else:
            self.records.pop(key, None)
        if len(kept) < len(live):
            self.strays[key] = tuple(fact for fact in live if fact not in kept)
        else:
            self.strays.pop(key, None)

    def _killer(self, fact: Fact) -> Fact | None:
        if not self._killers:
            return None
        key = Identifier(system=fact.source, value=fact.source_id)
        return self._killers.get((key, None)) or self._killers.get((key, fact.version))

    def _retract(self, fact: Fact) -> set[Identifier]:
        self.retractions.append(fact)
        self.retractions.sort(key=lambda f: f.id)
        before = self._killers
        self._killers, self.foreign_retractions = _standing_retractions(self.retractions, self._trusted)
        self._targets = {key for key, _ in self._killers}
        changed = {
            target[0]
            for target in before.keys() | self._killers.keys()
            if before.get(target) is not self._killers.get(target)
        }
        for key in changed:
            self._rebuild(key)
        return changed


def _of_one_kind(versions: tuple[Fact, ...]) -> tuple[Fact, ...]:
    """Return the versions that are of the kind of the newest."""
    if len({type(fact.content) for fact in versions}) <= 1:
        return versions
    wanted = _kind(versions[-1].content)
    return tuple(fact for fact in versions if _kind(fact.content) == wanted)


def _kind(content: Content) -> object:
    """Return what versions of a record have in common: heads with heads, leaves with leaves, else the very type."""
    if isinstance(content, HEAD_TYPES):
        return "head"
    return "leaf" if isinstance(content, TreatmentContent) else type(content)


def version_order(fact: Fact) -> tuple[bool, int, datetime, str]:
    """Sort key of the versions of one record."""
    return (fact.version is not None, fact.version or 0, fact.recorded_at or EARLIEST, fact.id)


def _standing_retractions(
    retractions: Iterable[Fact], trusted: tuple[str, ...]
) -> tuple[dict[Target, Fact], list[Fact]]:
    """Return what is retracted by whom, and the retractions of other sources' records, which do not count.

    A retraction may itself be retracted; a circle of retractions retracts nothing.
    """
    by_target: dict[Target, list[Fact]] = {}
    foreign: list[Fact] = []
    for fact in retractions:
        content = fact.content
        if not isinstance(content, Retraction):
            raise TypeError(fact.type)
        if content.target.system != fact.source and fact.source not in trusted:
            foreign.append(fact)
        else:
            by_target.setdefault((content.target, content.version), []).append(fact)

    def stands(fact: Fact, above: frozenset[str]) -> bool:
        key = Identifier(system=fact.source, value=fact.source_id)
        against = [*by_target.get((key, None), ()), *by_target.get((key, fact.version), ())]
        return not any(
            other.id != fact.id and other.id not in above and stands(other, above | {fact.id}) for other in against
        )

    standing = {
        target: min(found, key=lambda fact: fact.id)
        for target, facts in by_target.items()
        if (found := [fact for fact in facts if stands(fact, frozenset())])
    }
    return standing, sorted(foreign, key=lambda fact: fact.id)


def disputed(record: Record) -> list[tuple[str, ...]]:
    """Return groups of facts that claim the same version of a record with different content."""
    if len(record.versions) == 1:
        return []
    groups: dict[tuple[object, ...], list[str]] = {}
    for fact in record.versions:
        same = (fact.version,) if fact.version is not None else (None, fact.recorded_at)
        groups.setdefault(same, []).append(fact.id)
    return [tuple(sorted(ids)) for ids in groups.values() if len(ids) > 1]
