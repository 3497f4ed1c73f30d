"""One patient: facts in, in any order and in any portions; the list out, for any time.

There is one way only: a list from scratch is made by adding all facts to an empty patient. What is kept between two
facts is a memory of results, never a fact of its own.
"""

from collections.abc import Hashable, Iterable, Iterator, Mapping
from datetime import datetime
from hashlib import sha256
from typing import Final, Literal

import msgspec

from contracts.fact import Fact
from contracts.facts.base import TreatmentContent
from contracts.facts.correction import Decision, Retraction
from contracts.facts.list_statement import ListStatement
from contracts.facts.person import Block, Encounter, IdentityLink
from contracts.facts.prescribing import Prescription
from contracts.medication_list import Finding, ListItem, MedicationList, Unattached, Withdrawn, encoder
from contracts.values import Identifier
from streams.reconcile import blocks
from streams.reconcile.bucket import Bucket, LineView, tokens_of
from streams.reconcile.decisions import Settled, chosen_values, counting, records_decided_on, settle
from streams.reconcile.entries import make_entry
from streams.reconcile.findings import finding, pair_findings, pair_signature
from streams.reconcile.ids import record_id
from streams.reconcile.leaves import make_leaf
from streams.reconcile.line_item import Rendered, name_every_fact
from streams.reconcile.line_state import Situation
from streams.reconcile.matching import Wishes, wishes
from streams.reconcile.policy import Rules
from streams.reconcile.profile import Profiler
from streams.reconcile.records import HEAD_TYPES, LATEST, Ledger, Record, disputed
from streams.reconcile.silence import Silent, signing_sources, source_moments, source_silences, without_drowned
from streams.reconcile.timeline import Stay, stays

REASON_OF_TYPE = {
    "medlist.encounter.v1": "encounter",
    "medlist.block.v1": "block",
    "medlist.identity-link.v1": "identity",
    "medlist.decision.v1": "decision",
    "medlist.retraction.v1": "retraction",
    "medlist.list-statement.v1": "list-statement",
    "medlist.dose-patient-status.v1": "dose-patient-status",
    "medlist.dose-consent.v1": "dose-consent",
    "medlist.dose-basis.v1": "dose-basis",
}
"""Why a fact that is not about one treatment stands under ``unattached``."""


OVER: Final[Mapping[str, Literal["ended", "cancelled"]]] = {"stopped": "ended", "cancelled": "cancelled"}
"""Status of a prescription -> what its source has done with it; told of a blocked one too."""

LIST_BYTES: Final = 900_000
"""A published list is at most this large: below what brokers take by default (1 MiB), with room for headers."""


class _Encoded(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A ``MedicationList`` whose items are bytes already; encodes to the very same bytes."""

    patient: str
    rules: str
    person: Identifier | None = None
    items: tuple[msgspec.Raw, ...] = ()
    findings: tuple[Finding, ...] = ()
    unattached: tuple[Unattached, ...] = ()
    withdrawn: tuple[Withdrawn, ...] = ()
    next_change_at: datetime | None = None


class View(msgspec.Struct, frozen=True, eq=False):
    """A list, its canonical bytes, and their hash."""

    medication_list: MedicationList
    encoded: bytes
    digest: bytes


def _too_large(made: MedicationList) -> View:
    """Return a list that says that it cannot be shown: a record that no broker takes would stop everybody's lists."""
    empty = MedicationList(
        patient=made.patient,
        rules=made.rules,
        person=made.person,
        findings=(finding("list-too-large", (), (), {"lines": str(len(made.items))}),),
    )
    encoded = encoder.encode(empty)
    return View(empty, encoded, sha256(encoded).digest())


class Patient:
    """The facts of one patient and what was made of them so far."""

    def __init__(self, name: str, rules: Rules, profile: Profiler) -> None:
        self._name = name
        self._rules = rules
        self._profile = profile
        self.ledger = Ledger(rules)
        self._buckets: list[Bucket] = []
        self._by_token: dict[Hashable, Bucket] = {}
        self._home: dict[Identifier, Bucket] = {}
        self._aside: dict[Identifier, Record] = {}
        self._disputed: dict[Identifier, list[tuple[str, ...]]] = {}
        self._persons: set[Identifier] = set()
        self._stays: tuple[Stay, ...] = ()
        self._wishes = Wishes()
        self._decided_on: dict[Identifier, frozenset[Identifier]] = {}
        self._blocked: list[tuple[Record, str]] = []
        self._has_blocks = False
        self._retracted: tuple[Withdrawn, ...] = ()
        self._pairs: tuple[object, tuple[Finding, ...]] = (None, ())
        self._item_bytes: dict[str, tuple[ListItem, msgspec.Raw]] = {}

    def add(self, facts: Iterable[Fact]) -> bool:
        """Take facts in; say whether any was not known yet.

        One that is known and turns out to have been received earlier takes the place of the later receipt, and is not new.
        """
        new = False
        changed: dict[Identifier, None] = {}
        retractions_changed = False
        for fact in facts:
            records = self.ledger.add(fact)
            if records is None:
                continue
            new = True
            content = fact.content
            if fact.patient == self._name and not isinstance(content, IdentityLink):
                self._persons.add(content.person)
            for key in records:
                changed[key] = None
            retractions_changed |= isinstance(content, Retraction) or (
                isinstance(content, Prescription) and self.ledger.is_targeted(fact)
            )
        for key in changed:
            self._changed(key)
        if retractions_changed:
            self._retracted = self._retractions()
        return new

    def _changed(self, key: Identifier) -> None:
        record = self.ledger.records.get(key)
        groups = disputed(record) if record is not None else []
        if groups:
            self._disputed[key] = groups
        elif self._disputed:
            self._disputed.pop(key, None)
        before = self._aside.pop(key, None)
        if record is not None and isinstance(record.newest.content, TreatmentContent):
            if before is not None:
                self._circumstances_changed(before)
            if not self._has_blocks:
                self._place(record)
            return
        if key in self._home:
            self._home.pop(key).drop(key)
        if record is not None:
            self._aside[key] = record
        for one in (before, record):
            if one is not None:
                self._circumstances_changed(one)

    def _circumstances_changed(self, record: Record) -> None:
        content = record.newest.content
        if isinstance(content, Encounter):
            self._stays = stays(r for r in self._aside.values() if isinstance(r.newest.content, Encounter))
            for bucket in self._buckets:
                bucket.forget_views()
        elif isinstance(content, Decision):
            self._wishes = wishes(self._of(Decision))
            self._decided_on = records_decided_on(self._of(Decision))
            self._place_all(self._treatment_records())
        elif isinstance(content, Block):
            self._has_blocks = any(True for _ in self._of(Block))
            self._blocked = []
            if not self._has_blocks:
                self._place_all(self._treatment_records())

    def _of(self, kind: type) -> Iterator[Record]:
        return (record for _, record in sorted(self._aside.items()) if isinstance(record.newest.content, kind))

    def _treatment_records(self) -> list[Record]:
        return [r for r in self.ledger.records.values() if isinstance(r.newest.content, TreatmentContent)]

    def _place_all(self, records: Iterable[Record]) -> None:
        self._buckets, self._by_token, self._home = [], {}, {}
        for record in records:
            self._place(record)

    def _place(self, record: Record) -> None:
        is_head = isinstance(record.newest.content, HEAD_TYPES)
        made = (make_entry if is_head else make_leaf)(record, self._profile)
        tokens = tokens_of(made, self._profile)
        if self._decided_on:
            tokens |= self._decided_on.get(record.key, frozenset())
        own = self._home.get(record.key)
        for token in tokens:
            found = self._by_token.get(token)
            if found is not None:
                break
        else:
            found = None
        if found is not None and (own is None or own is found) and tokens <= found.tokens:
            found.put(made, fresh=own is None)
            if own is None:
                self._home[record.key] = found
            return
        homes = [bucket for token in tokens if (bucket := self._by_token.get(token)) is not None]
        if own is not None:
            homes.append(own)
        if homes:
            bucket = self._one_bucket(homes)
        else:
            bucket = Bucket(self._rules)
            self._buckets.append(bucket)
        bucket.put(made, fresh=own is None)
        self._home[record.key] = bucket
        for token in tokens - bucket.tokens:
            self._by_token[token] = bucket
        bucket.tokens |= tokens

    def _one_bucket(self, homes: list[Bucket]) -> Bucket:
        first = homes[0]
        if all(bucket is first for bucket in homes):
            return first
        largest = max(homes, key=len)
        for other in {id(bucket): bucket for bucket in homes}.values():
            if other is largest:
                continue
            largest.absorb(other)
            self._home |= dict.fromkeys(other.keys(), largest)
            self._by_token |= dict.fromkeys(other.tokens, largest)
            self._buckets.remove(other)
        return largest

    def list_at(self, when: datetime, *, every_fact: bool = False) -> MedicationList:
        """Return the list as of ``when``; with ``every_fact`` each line names all its facts instead of counting leaves."""
        views, now, decisions = self._look(when)
        rendered = [view.rendered for view in views]
        sources = signing_sources(rendered, now)
        items = [name_every_fact(line) if every_fact else line.item for line in rendered]
        return MedicationList(
            patient=self._name,
            rules=self._rules.identity,
            person=min(self._persons, default=None),
            items=tuple(sorted(items, key=lambda item: (item.treatment, item.strand))),
            findings=self._findings(views, now, decisions, sources),
            unattached=self._unattached(),
            withdrawn=self._withdrawn(),
            next_change_at=self._next_change(views, now, sources),
        )

    def lines_at(self, when: datetime) -> tuple[list[Rendered], Situation, Wishes]:
        """Return the lines as they stand at ``when``, with all their voices, for whoever explains them."""
        views, now, _ = self._look(when)
        return [view.rendered for view in views], now, self._wishes

    def _look(self, when: datetime) -> tuple[list[LineView], Situation, list[Settled]]:
        if self._has_blocks:
            self._apply_blocks(when)
        decisions = self._decisions()
        now = Situation(when, self._stays, self._rules, chosen_values(decisions))
        return [view for bucket in self._buckets for view in bucket.views(now, self._wishes)], now, decisions

    def view_at(self, when: datetime) -> View:
        """Return the list as it is published, with its bytes; an item that did not change is not encoded again."""
        made = self.list_at(when)
        encoded: dict[str, tuple[ListItem, msgspec.Raw]] = {}
        for item in made.items:
            known = self._item_bytes.get(item.strand)
            unchanged = known is not None and known[0] is item
            encoded[item.strand] = known if known and unchanged else (item, msgspec.Raw(encoder.encode(item)))
        self._item_bytes = encoded
        body = _Encoded(
            patient=made.patient,
            rules=made.rules,
            person=made.person,
            items=tuple(encoded[item.strand][1] for item in made.items),
            findings=made.findings,
            unattached=made.unattached,
            withdrawn=made.withdrawn,
        )
        whole = msgspec.structs.replace(body, next_change_at=made.next_change_at)
        encoded_whole = encoder.encode(whole)
        view = View(made, encoded_whole, sha256(encoded_whole).digest())
        return view if len(view.encoded) <= LIST_BYTES else _too_large(made)

    def _apply_blocks(self, when: datetime) -> None:
        split = blocks.split(self._treatment_records(), blocks.in_force(self._of(Block), when))
        self._blocked = sorted(split.blocked, key=lambda pair: pair[0].key)
        self._place_all(split.open)

    def _decisions(self) -> list[Settled]:
        decisions = list(self._of(Decision))
        return counting(decisions, self.ledger) if decisions else []

    def _findings(
        self, views: list[LineView], now: Situation, decisions: list[Settled], sources: list[Silent]
    ) -> tuple[Finding, ...]:
        rendered = [view.rendered for view in views]
        found = [one for view in views for one in view.findings]
        found += self._pair_findings(rendered)
        for bucket in self._buckets:
            found += bucket.note_findings(self._wishes)
        found += self._own_findings()
        found += self._left_out(rendered, now)
        found = without_drowned([*found, *source_silences(sources, now)])
        standing = settle(found, rendered, decisions, self.ledger) if decisions else found
        return tuple(sorted(standing, key=lambda f: (f.code, f.items, f.facts, f.key)))

    def _pair_findings(self, rendered: list[Rendered]) -> tuple[Finding, ...]:
        signature = pair_signature(rendered)
        if self._pairs[0] != signature:
            self._pairs = (signature, tuple(pair_findings(rendered)))
        return self._pairs[1]

    def _own_findings(self) -> Iterator[Finding]:
        if self._blocked:
            yield finding("blocked-information", (), sorted({block for _, block in self._blocked}))
        for key in sorted(self._disputed):
            for group in self._disputed[key]:
                yield finding("versions-disputed", (), group)
        for key, strays in sorted(self.ledger.strays.items()):
            facts = [*strays, self.ledger.records[key].newest]
            yield finding("versions-disputed", (), sorted(fact.id for fact in facts))
        for fact in self.ledger.foreign_retractions:
            yield finding("foreign-retraction", (), (fact.id,))
        for record in self._of(IdentityLink):
            yield finding("identity-in-doubt", (), record.fact_ids)

    def _left_out(self, rendered: list[Rendered], now: Situation) -> Iterator[Finding]:
        """Yield lines that go on and that the newest complete list of somebody, by now, leaves out."""
        made: list[tuple[datetime, Identifier, str]] = []
        for record in self._of(ListStatement):
            fact = record.newest
            complete = isinstance(fact.content, ListStatement) and fact.content.complete
            if complete and fact.occurred_at is not None and fact.occurred_at <= now.when:
                made.append((fact.occurred_at, record.key, fact.id))
        if not made:
            return
        at, key, fact_id = max(made)
        for line in rendered:
            on_it = any(entry.statement == key for entry in line.line.entries)
            older = any(voice.decided[0] <= at for voice in line.state.pool)
            if line.item.state in {"active", "paused"} and older and not on_it:
                yield finding("off-the-list", (line.item.strand,), (fact_id, *line.item.facts[:1]))

    def _unattached(self) -> tuple[Unattached, ...]:
        found = [one for bucket in self._buckets for one in bucket.structure(self._wishes).unattached]
        found += [Unattached(fact=fact, reason="blocked") for record, _ in self._blocked for fact in record.fact_ids]
        for record in self._aside.values():
            reason = REASON_OF_TYPE[record.newest.type]
            found += [Unattached(fact=fact, reason=reason) for fact in record.fact_ids]
        found += [Unattached(fact=fact.id, reason="retraction") for fact in self.ledger.retractions]
        found += [
            Unattached(fact=one.id, reason="other-kind") for strays in self.ledger.strays.values() for one in strays
        ]
        return tuple(sorted(found, key=lambda one: one.fact))

    def _retractions(self) -> tuple[Withdrawn, ...]:
        found = {}
        for fact, by in self.ledger.retracted():
            key = Identifier(system=fact.source, value=fact.source_id)
            if isinstance(fact.content, Prescription) and key not in self.ledger.records:
                found[key] = _withdraw(fact, self.ledger[by])
        return tuple(found[key] for key in sorted(found))

    def _withdrawn(self) -> tuple[Withdrawn, ...]:
        blocked = [
            _withdraw(record.newest, self.ledger[by])
            for record, by in self._blocked
            if isinstance(record.newest.content, Prescription)
        ]
        return tuple(sorted((*self._retracted, *blocked), key=lambda one: (one.source, one.source_id)))

    def _next_change(self, views: list[LineView], now: Situation, sources: list[Silent]) -> datetime | None:
        moments = [view.until for view in views if view.until != LATEST]
        moments += [moment for moment in blocks.boundaries(self._of(Block)) if moment > now.when]
        moments += [moment for moment in source_moments(sources, now) if moment > now.when]
        return min(moments, default=None)


def _withdraw(fact: Fact, by: Fact) -> Withdrawn:
    content, block = fact.content, by.content
    blocked = isinstance(block, Block)
    return Withdrawn(
        record=record_id(Identifier(system=fact.source, value=fact.source_id)),
        source=fact.source,
        source_id=fact.source_id,
        reason="blocked" if blocked else "retracted",
        because=(by.id,),
        identifiers=content.identifiers if isinstance(content, TreatmentContent) else (),
        block=block.kind if isinstance(block, Block) else None,
        over=OVER.get(content.status) if blocked and isinstance(content, Prescription) else None,
    )
