"""What was last read of patients whose last attempt ended well, so that a version of the list that is the same spares reading it.

The version of a patient's list is raised with everything that changes on it, so a reading under the same version would show the
same. After writes of ours their answers are part of it, if each raised the version by one: else something else changed as well.
Of a patient who has, or may have, data locks nothing is kept: a lock is no part of the list. Nor is
anything kept where no version was told.

A reading may have been a copy that lagged behind the version (``streams.publish.look``). So it is believed only so long: what it
missed is then seen by the next attempt, as it was when every attempt read.
"""

from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Final

import msgspec

from mappings.fhir.exact_json import read_json, write_json
from streams.publish.actual import Actual, Registered, registered

BELIEVED: Final = timedelta(minutes=5)
"""How long after the list itself was read: longer than a copy lags behind, and than one patient's changes follow each other."""


class KeptReading(msgspec.Struct, frozen=True):
    """The prescriptions of one patient as they stand under one version of the patient's list, which was last read at a moment."""

    list_version: int
    read_at: datetime
    resources: bytes
    """As JSON: a tenth of what they take once they are read."""

    def registered(self) -> tuple[Registered, ...]:
        """Return the prescriptions."""
        return registered(read_json(self.resources))


class KeptReadings:
    """The last readings of the last many patients; what it forgets is read again."""

    def __init__(self, patients_most: int) -> None:
        self._most = patients_most
        self._kept: OrderedDict[str, KeptReading] = OrderedDict()

    def take(self, patient: str, now: datetime) -> KeptReading | None:
        """Return what is kept of a patient, and keep it no longer: an attempt begins, and may change it."""
        kept = self._kept.pop(patient, None)
        return kept if kept is not None and now - kept.read_at < BELIEVED else None

    def forget(self, patient: str) -> None:
        """The patient is gone."""
        self._kept.pop(patient, None)

    def keep(self, patient: str, actual: Actual, read_at: datetime) -> None:
        """Keep what stands there now, where that is known to the last change under the version."""
        if not actual.list_version or actual.locks:
            return
        resources = [one.resource for one in actual.registered]
        self._kept[patient] = KeptReading(actual.list_version, read_at, write_json(resources))
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)
