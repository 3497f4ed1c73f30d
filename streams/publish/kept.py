"""What was last read of patients whose last attempt ended well, so that a version of the list that is the same spares reading it.

The version of a patient's list is raised with everything that changes on it, so a reading under the same version would show the
same. After writes of ours their answers are part of it, if each raised the version by one: else something else changed as well.
Of a patient who has, or may have, data locks nothing is kept: a lock is no part of the list.
"""

from collections import OrderedDict

import msgspec

from mappings.fhir.exact_json import read_json, write_json
from streams.publish.actual import Actual, Registered, registered


class KeptReading(msgspec.Struct, frozen=True):
    """The prescriptions of one patient as they stand under one version of the patient's list."""

    list_version: int
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

    def take(self, patient: str) -> KeptReading | None:
        """Return what is kept of a patient, and keep it no longer: an attempt begins, and may change it."""
        return self._kept.pop(patient, None)

    def keep(self, patient: str, actual: Actual) -> None:
        """Keep what stands there now, where that is known to the last change under the version."""
        if actual.list_version is None or actual.locks:
            return
        resources = [one.resource for one in actual.registered]
        self._kept[patient] = KeptReading(actual.list_version, write_json(resources))
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)
