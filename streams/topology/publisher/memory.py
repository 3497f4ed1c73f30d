"""The last publication of each patient, as far as memory allows: what need not be read again, and since when it is so."""

from collections import OrderedDict
from collections.abc import Iterable
from datetime import datetime
from typing import Final

import msgspec

from contracts.publication import Link, Publication, PublicationState
from streams.publish.look import Certainty

SETTLED: Final = frozenset({"published", "parked"})


class Memory:
    """Forgets the patient that was told of longest ago; what it forgets is read again, never wrong."""

    def __init__(self, patients_most: int) -> None:
        self._most = patients_most
        self._known: OrderedDict[str, Publication] = OrderedDict()
        self._since: dict[str, tuple[PublicationState, datetime]] = {}

    def recall(self, told: Iterable[Publication]) -> None:
        """Learn from what an earlier process told since when patients are not published, and nothing else of it.

        What it held for settled it may have changed since, in the middle of what it told nothing of.
        """
        for one in told:
            if one.state != "published" and one.patient not in self._known:
                self._since[one.patient] = one.state, one.since

    def told(self, publication: Publication) -> Publication:
        """Return the publication with the time since when its state holds, and remember it.

        One that tells no links (nothing could be read) keeps those that are known.
        """
        before = self._known.pop(publication.patient, None)
        state, since = self._since.pop(publication.patient, (None, publication.since))
        kept = publication
        if state == publication.state:
            kept = msgspec.structs.replace(kept, since=since)
        if before is not None and before.state == publication.state:
            kept = msgspec.structs.replace(kept, since=before.since)
        if before is not None and not publication.links:
            kept = msgspec.structs.replace(kept, links=before.links)
        self._known[publication.patient] = kept
        if len(self._known) > self._most:
            self._known.popitem(last=False)
        return kept

    def unchanged(self, patient: str, wanted: str, list_hash: str, now: datetime) -> Publication | None:
        """Return the publication of a list that asks for what the last one asked for, if that was settled."""
        before = self._known.get(patient)
        if before is None or before.wanted_hash != wanted or before.state not in SETTLED:
            return None
        return msgspec.structs.replace(before, list_hash=list_hash, since=now, operations=())

    def known(self, patient: str) -> tuple[tuple[Link, ...], Certainty]:
        """Return what is known to be there, and how the last attempt ended."""
        before = self._known.get(patient)
        if before is None:
            return (), "unseen"
        return before.links, "settled" if before.state in SETTLED else "unknown"

    def doubt(self, patient: str) -> None:
        """A person asks to try again: what the patient's list asks for is no longer known to be settled."""
        before = self._known.get(patient)
        if before is not None:
            self._known[patient] = msgspec.structs.replace(before, wanted_hash=None)

    def forget(self, patient: str) -> None:
        """The patient is gone."""
        self._known.pop(patient, None)
        self._since.pop(patient, None)
