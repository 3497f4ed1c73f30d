"""The reconciler as a core of the engine: packed facts in; state rows, lists and changes out.

Time comes in as data: the partition's clock is the latest ``received_at`` of any fact, or the latest tick, that it has
seen. It only goes forward, so that a list is always the one of the latest known moment, in every order of arrival.
"""

import heapq
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Final
from uuid import uuid5

import msgspec

from contracts import topics
from contracts.envelope import UnreadableEventError, decode_batch, encode_fact
from contracts.fact import NAMESPACE, Fact
from contracts.facts.person import IdentityLink
from contracts.medication_list import MedicationList, encoder
from contracts.quarantine import CODES_HEADER, Place, Quarantined, encode_record
from streams.reconcile.changes import changes
from streams.reconcile.derive import Reconciler
from streams.reconcile.records import EARLIEST
from streams.reconcile.state import PatientState
from streams.topology.core import Decision, Send
from streams.topology.reconciling.archive import MARK, Archive, StoredRows

CLOCK_ROW: Final = b"\x01clock"
REMEMBERED_PATIENTS: Final = 2000
"""Patients whose state is kept decoded; the others are kept as packed rows."""

REMEMBERED_FACTS: Final = 20_000
"""Facts of these patients, about 8 kB each with what was made of them: what bounds a partition's memory beside its packed rows."""

DUE_AT_ONCE: Final = 200
"""Patients whose lists are made anew in one batch because time passed."""


class Tick(msgspec.Struct, frozen=True, kw_only=True):
    """A record of the fact topic that says what time it is."""

    tick: datetime


class ListMark(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """What is remembered of the last list sent: its hash, the clock and rules it was made with, when it changes."""

    digest: bytes
    made_at: datetime
    rules: str
    next_change_at: datetime | None
    goes_on_as: str | None = None
    """The patient by whom this one is taken in, and to whom its facts have been forwarded."""


_decode_tick = msgspec.json.Decoder(Tick).decode
_decode_mark = msgspec.msgpack.Decoder(ListMark).decode
_encode_mark = msgspec.msgpack.Encoder().encode


def tick_record(at: datetime) -> bytes:
    """Return the record that says: it is now ``at``."""
    return msgspec.json.encode(Tick(tick=at))


class _Patient:
    def __init__(self, name: str, state: PatientState) -> None:
        self.name = name
        self.state = state
        self.last: MedicationList | None = None
        self.facts = len(state)


class ReconcilingCore:
    """One partition of patients. ``is_mine`` tells whose pseudonyms belong to it."""

    def __init__(self, reconciler: Reconciler, topic: Mapping[str, str], is_mine: Callable[[str], bool]) -> None:
        self._reconciler = reconciler
        self._is_mine = is_mine
        self._list_topic = topic[topics.LIST]
        self._change_topic = topic[topics.CHANGE]
        self._quarantine_topic = topic[topics.QUARANTINE]
        self._forward_topic = topic[topics.FORWARD]
        self._archive = Archive()
        self._marks: dict[str, ListMark] = {}
        self._wakes: list[tuple[datetime, str]] = []
        self._decoded: OrderedDict[str, _Patient] = OrderedDict()
        self._facts_decoded = 0
        self._clock = EARLIEST

    def load(self, rows: Mapping[bytes, bytes]) -> None:
        """Take over the stored rows of this partition: `StoredRows` as they are, packed; others are packed here."""
        stored = rows if isinstance(rows, StoredRows) else StoredRows.of(rows)
        stored.archive.filled()
        self._archive = stored.archive
        for key, value in stored.rest.items():
            patient, _, name = key.decode().partition("|")
            if name == MARK:
                self._marks[patient] = _decode_mark(value)
            elif key == CLOCK_ROW:
                self._clock = _decode_tick(value).tick
        identity = self._reconciler.rules.identity
        for patient, mark in self._marks.items():
            if mark.rules != identity:
                self._wakes.append((EARLIEST, patient))
            elif mark.next_change_at is not None:
                self._wakes.append((mark.next_change_at, patient))
        heapq.heapify(self._wakes)

    def next_wake(self) -> datetime | None:
        """Return when a list of this partition next changes by itself."""
        while self._wakes and not self._is_due(*self._wakes[0]):
            heapq.heappop(self._wakes)
        return max(self._wakes[0][0], self._clock) if self._wakes else None

    def _is_due(self, at: datetime, patient: str) -> bool:
        mark = self._marks.get(patient)
        if mark is None:
            return False
        return at == (mark.next_change_at if mark.rules == self._reconciler.rules.identity else EARLIEST)

    def apply(self, records: Sequence[bytes]) -> Decision:
        """Apply packed facts and ticks, in order."""
        rows: dict[bytes, bytes | None] = {}
        sends: list[Send] = []
        arrived: dict[str, list[Fact]] = {}
        clock = self._clock
        for record in records:
            for fact in self._facts(record, sends):
                clock = max(clock, fact.received_at)
                for patient in _concerned(fact):
                    theirs = arrived.get(patient)
                    if theirs is not None:
                        theirs.append(fact)
                    elif self._is_mine(patient):
                        arrived[patient] = [fact]
            clock = max(clock, _tick_of(record))
        if clock != self._clock:
            self._clock = clock
            rows[CLOCK_ROW] = tick_record(clock)
        lists = [self._update(patient, facts, rows, sends) for patient, facts in arrived.items()]
        lists += [self._update(patient, (), rows, sends) for patient in self._due(arrived.keys())]
        self._forget()
        return Decision(rows, sends, _conflicts_of(one for one in lists if one is not None))

    def _facts(self, record: bytes, sends: list[Send]) -> list[Fact]:
        if not record.startswith(b"["):
            return []
        try:
            return decode_batch(record)
        except UnreadableEventError as error:
            sends.append(self._quarantined(record, error))
            return []

    def _quarantined(self, record: bytes, error: UnreadableEventError) -> Send:
        """Return a record of the fact topic that nobody can read, as quarantine keeps it: somebody else wrote it."""
        kept = Quarantined(
            id=str(uuid5(NAMESPACE, sha256(record).hexdigest())),
            source="fact-topic",
            place=Place(topic=topics.FACT, partition=-1, offset=-1),
            received_at=self._clock,
            problems=error.problems,
            original=record,
        )
        codes = ",".join(sorted({problem.code for problem in error.problems}))
        headers = (("medlist-source", b"fact-topic"), (CODES_HEADER, codes.encode()))
        return Send(self._quarantine_topic, kept.id.encode(), encode_record(kept), headers)

    def _due(self, done: Iterable[str]) -> list[str]:
        due: list[str] = []
        while len(due) < DUE_AT_ONCE and self._wakes and self._wakes[0][0] <= self._clock:
            at, patient = heapq.heappop(self._wakes)
            if self._is_due(at, patient) and patient not in done and patient not in due:
                due.append(patient)
        return due

    def _update(
        self, name: str, facts: Sequence[Fact], rows: dict[bytes, bytes | None], sends: list[Send]
    ) -> MedicationList | None:
        """Add facts to a patient, and say what to store and send; return the list if it is sent."""
        patient = self._patient(name)
        mark = self._marks.get(name)
        before = self._last_list(patient, mark)
        added = patient.state.add(facts)
        self._facts_decoded += len(patient.state) - patient.facts
        patient.facts = len(patient.state)
        for row in sorted(added.rows):
            value = patient.state.encode(row)
            self._archive.put(name, row, value)
            rows[f"{name}|{row}".encode()] = value
        if added.identity:
            for other, links in patient.state.identity_news().items():
                sends += [self._forwarded(fact, other) for fact in links]
        goes_on_as = self._forward(patient, mark, facts, sends)
        view = patient.state.patient.view_at(self._clock)
        patient.last = view.medication_list
        next_change_at = view.medication_list.next_change_at
        identity = self._reconciler.rules.identity
        sent: MedicationList | None = None
        if mark is None or mark.digest != view.digest:
            sent = view.medication_list
            sends.append(Send(self._list_topic, name.encode(), view.encoded))
            causes = {fact.id: fact.type for fact in facts}
            sends += [
                Send(self._change_topic, name.encode(), encoder.encode(change))
                for change in changes(before, view.medication_list, causes)
            ]
        elif (mark.next_change_at, mark.rules, mark.goes_on_as) == (next_change_at, identity, goes_on_as):
            return None
        made = ListMark(
            digest=view.digest,
            made_at=self._clock,
            rules=identity,
            next_change_at=next_change_at,
            goes_on_as=goes_on_as,
        )
        self._marks[name] = made
        rows[f"{name}|{MARK}".encode()] = _encode_mark(made)
        if next_change_at is not None:
            heapq.heappush(self._wakes, (next_change_at, name))
        return sent

    def _forward(
        self, patient: _Patient, mark: ListMark | None, fresh: Sequence[Fact], sends: list[Send]
    ) -> str | None:
        """Send facts to the patient who takes this one in: all when that is new, then each as it comes."""
        goes_on_as = patient.state.goes_on_as
        if goes_on_as == patient.name:
            return None
        known = mark is not None and mark.goes_on_as == goes_on_as
        sends += [self._forwarded(fact, goes_on_as) for fact in (fresh if known else patient.state.facts())]
        return goes_on_as

    def _forwarded(self, fact: Fact, to: str) -> Send:
        copy = msgspec.structs.replace(fact, forwarded_to=to)
        return Send(self._forward_topic, to.encode(), encode_fact(copy))

    def _last_list(self, patient: _Patient, mark: ListMark | None) -> MedicationList | None:
        if patient.last is not None or mark is None or mark.rules != self._reconciler.rules.identity:
            return patient.last
        return patient.state.patient.list_at(mark.made_at)

    def _patient(self, name: str) -> _Patient:
        patient = self._decoded.get(name)
        if patient is None:
            state = PatientState(name, self._reconciler, self._archive.rows(name))
            patient = self._decoded[name] = _Patient(name, state)
            self._facts_decoded += patient.facts
        self._decoded.move_to_end(name)
        return patient

    def _forget(self) -> None:
        while len(self._decoded) > REMEMBERED_PATIENTS or (
            self._facts_decoded > REMEMBERED_FACTS and len(self._decoded) > 1
        ):
            name, patient = self._decoded.popitem(last=False)
            self._facts_decoded -= patient.facts
            self._archive.pack(name)


def _conflicts_of(lists: Iterable[MedicationList]) -> dict[str, int]:
    """Return the conflicts on lists, by the code of the finding."""
    return dict(Counter(found.code for one in lists for found in one.findings if found.conflict))


def _concerned(fact: Fact) -> tuple[str, ...]:
    """Return the patients whose lists a fact concerns: both ends of a link between two person numbers."""
    if fact.forwarded_to is not None:
        return (fact.forwarded_to,)
    if isinstance(fact.content, IdentityLink):
        return (fact.patient, fact.content.other_patient)
    return (fact.patient,)


def _tick_of(record: bytes) -> datetime:
    if not record.startswith(b"{"):
        return EARLIEST
    try:
        return _decode_tick(record).tick
    except msgspec.DecodeError:
        return EARLIEST
