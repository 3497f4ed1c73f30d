"""The last publication of each patient, as far as memory allows: what need not be read again, and since when it is so."""

from collections import OrderedDict
from datetime import datetime

import msgspec

from contracts.publication import Publication


class Memory:
    """Forgets the patient that was told of longest ago; what it forgets is read again, never wrong."""

    def __init__(self, patients_most: int) -> None:
        self._most = patients_most
        self._known: OrderedDict[str, Publication] = OrderedDict()

    def told(self, publication: Publication) -> Publication:
        """Return the publication with the time since when its state holds, and remember it."""
        before = self._known.pop(publication.patient, None)
        since = publication.since
        if before is not None and before.state == publication.state:
            since = before.since
        kept = msgspec.structs.replace(publication, since=since)
        self._known[publication.patient] = kept
        if len(self._known) > self._most:
            self._known.popitem(last=False)
        return kept

    def unchanged(self, patient: str, wanted: str, list_hash: str, now: datetime) -> Publication | None:
        """Return the publication of a list that asks for what the last one asked for, if that was settled."""
        before = self._known.get(patient)
        if before is None or before.wanted_hash != wanted or before.state not in {"published", "parked"}:
            return None
        return msgspec.structs.replace(before, list_hash=list_hash, since=now, operations=())

    def forget(self, patient: str) -> None:
        """The patient is gone."""
        self._known.pop(patient, None)
