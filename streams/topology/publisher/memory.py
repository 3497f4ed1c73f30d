"""The last publication of each patient, as far as memory allows: what need not be read again, and since when it is so.

Of every patient who is not published, however many, it keeps as what they stand and since when.
"""

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Final

import msgspec

from contracts.publication import Link, Publication, PublicationState
from streams.publish.guarding import CHANGED_THERE
from streams.publish.look import Certainty
from streams.publish.writes import Writes, writes_of

SETTLED: Final = frozenset({"published", "parked"})

_decoder: Final = msgspec.json.Decoder(Writes)


class Memory:
    """Forgets the patient that was told of longest ago; what it forgets is read again, never wrong."""

    def __init__(self, patients_most: int) -> None:
        self._most = patients_most
        self._known: OrderedDict[str, Publication] = OrderedDict()
        self._since: dict[str, tuple[PublicationState, datetime]] = {}
        self._unpublished: Counter[PublicationState] = Counter()
        self._writes: dict[str, bytes] = {}

    @property
    def unpublished(self) -> Mapping[PublicationState, int]:
        """How many patients are in each state but ``published`` now."""
        return self._unpublished

    def recall(self, told: Iterable[Publication]) -> None:
        """Learn from what an earlier process told since when patients are not published, and nothing else of it.

        What it held for settled it may have changed since, in the middle of what it told nothing of. Which versions are our own
        writing it told before it wrote them: that is known of every patient, for it cannot be read anywhere else. What this process
        knows of a patient of whom another has told since (the partition went and came back) is forgotten.
        """
        for one in told:
            if self._known.get(one.patient) != one:
                self._known.pop(one.patient, None)
            self._remember(one.patient, writes_of(one))
            self._stands(one.patient, one.state, one.since)

    def told(self, publication: Publication, writes: Writes | None = None) -> Publication:
        """Return the publication with the time since when its state holds and with our writes, and remember it.

        One that tells no links (nothing could be read) keeps those that are known. ``writes``: where they are known anew.
        """
        if writes is not None:
            self._remember(publication.patient, writes)
        before = self._known.pop(publication.patient, None)
        state, since = self._since.get(publication.patient, (None, publication.since))
        kept = self._with_writes(publication)
        if state == publication.state:
            kept = msgspec.structs.replace(kept, since=since)
        if before is not None and before.state == publication.state:
            kept = msgspec.structs.replace(kept, since=before.since)
        if before is not None and not publication.links:
            kept = msgspec.structs.replace(kept, links=before.links)
        self._known[publication.patient] = kept
        self._stands(kept.patient, kept.state, kept.since)
        if len(self._known) > self._most:
            self._known.popitem(last=False)
        return kept

    def unchanged(self, patient: str, wanted: str, list_hash: str, now: datetime) -> Publication | None:
        """Return the publication of a list that asks for what the last one asked for, if that was settled."""
        before = self._known.get(patient)
        if before is None or before.wanted_hash != wanted or before.state not in SETTLED:
            return None
        if any(one.reason == CHANGED_THERE for one in before.held):
            return None  # what holds it back may be gone there
        return msgspec.structs.replace(before, list_hash=list_hash, since=now, operations=())

    def known(self, patient: str) -> tuple[tuple[Link, ...], Certainty]:
        """Return what is known to be there, and how the last attempt ended.

        Who is parked may be so after a write of which nobody knows what came of it. Of whom a person doubts it, all is read anew.
        """
        before = self._known.get(patient)
        if before is None:
            return (), "unseen"
        if before.state == "published" and before.wanted_hash is None:
            return before.links, "unseen"
        return before.links, "settled" if before.state == "published" else "unknown"

    def writes(self, patient: str) -> Writes:
        """Return what is known of our own writes."""
        known = self._writes.get(patient)
        return Writes() if known is None else _decoder.decode(known)

    def announced(self, publication: Publication, writes: Writes) -> Publication:
        """Return what tells of writes before they are sent: the last publication with them, else ``publication``."""
        self._remember(publication.patient, writes)
        return self._with_writes(self._known.get(publication.patient, publication))

    def doubt(self, patient: str) -> None:
        """A person asks to try again: what the patient's list asks for is no longer known to be settled."""
        before = self._known.get(patient)
        if before is not None:
            self._known[patient] = msgspec.structs.replace(before, wanted_hash=None)

    def forget(self, patient: str) -> None:
        """The patient is gone."""
        self._known.pop(patient, None)
        self._stands(patient, "published", None)
        self._writes.pop(patient, None)

    def keep(self, held: Callable[[str], bool]) -> None:
        """Partitions went: how patients stand who are not ``held`` here any more is for another process to tell."""
        for patient in [one for one in self._since if not held(one)]:
            self._stands(patient, "published", None)

    def _stands(self, patient: str, state: PublicationState, since: datetime | None) -> None:
        before = self._since.pop(patient, None)
        if before is not None:
            self._unpublished[before[0]] -= 1
        if state != "published" and since is not None:
            self._since[patient] = state, since
            self._unpublished[state] += 1

    def _remember(self, patient: str, writes: Writes) -> None:
        """As bytes: it is kept of every patient, and seldom looked at."""
        if writes == Writes():
            self._writes.pop(patient, None)
        else:
            self._writes[patient] = msgspec.json.encode(writes)

    def _with_writes(self, publication: Publication) -> Publication:
        writes = self.writes(publication.patient)
        return msgspec.structs.replace(publication, written=writes.written, sending=writes.sending)
