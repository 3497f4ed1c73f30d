"""Looking at one patient at NLL: has the list changed, and if so, what stands there now.

The list version is read before the resources: what changes in between raises it again, and is seen at the next look.
An endpoint may answer from a copy that lags behind, with the new list version and the old resources. So a list version is
done with only when a later look at it finds the same once more; what a lagging copy shows is never taken for newer.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import date, datetime
from typing import Final, TypeVar
from uuid import uuid4

import msgspec

from connectors.nll.client import ListInfo, NllClient
from connectors.nll.outcomes import Accepted, Outcome, Rejected, Stale, Unavailable, Unknown
from connectors.nll.requests import Task
from contracts.nll_watermark import NllWatermark
from contracts.systems import PERSONNUMMER
from contracts.values import Identifier
from mappings.fhir.exact_json import JsonObject
from streams.publish.writes import Writes
from streams.topology.nll_source.messages import Before, News, Reader, medication_of
from streams.topology.nll_source.pace import Pace
from streams.topology.nll_source.roster import Patient

T = TypeVar("T")
ACCESS: Final = "SAMTYCKE"
DOSE_ACCESS: Final = "DOSSAMTYCKE"
"""With which right we read what others registered: the patient's consent, for dose patients the dose consent."""

MEDICATIONS_MOST: Final = 20_000

WritesOf = Callable[[str, int], Writes]
"""Of a patient in a partition."""


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """The list was read whole."""

    news: News
    watermark: NllWatermark


class Unchanged(msgspec.Struct, frozen=True, kw_only=True):
    """The list is as it was."""

    watermark: NllWatermark


class NotThere(msgspec.Struct, frozen=True):
    """NLL has nobody with this number."""


class Failed(msgspec.Struct, frozen=True, kw_only=True):
    """The endpoint could not or would not tell. ``answered``: it did answer, so it is not away."""

    reason: str
    answered: bool
    retry_after_seconds: float | None = None


Looked = Changed | Unchanged | NotThere | Failed


class Looker:
    """Looks with one client, at the pace that is agreed.

    ``now`` gives the present moment with a zone, ``writes_of`` what is known of our own writes when it is asked.
    """

    def __init__(self, client: NllClient, pace: Pace, now: Callable[[], datetime], writes_of: WritesOf) -> None:
        self._client = client
        self._writes_of = writes_of
        self._pace = pace
        self.now = now
        self._medications: OrderedDict[str, JsonObject] = OrderedDict()

    async def look(self, patient: Patient, known: NllWatermark | None) -> Looked:
        """Return what is new of a patient, given how far was read before."""
        task = Task(context_id=str(uuid4()), access=DOSE_ACCESS if patient.dose else ACCESS)
        if known is None:
            found = await self._turn(
                self._client.find_patient(Identifier(system=PERSONNUMMER, value=patient.number), task)
            )
            if not isinstance(found, Accepted):
                return _failed(found)
            if found.id is None:
                return NotThere()
            name = found.id
        else:
            name = known.nll_patient
        return await self._look(patient, name, known, msgspec.structs.replace(task, patient_id=name))

    async def changed_since(self, numbers: Collection[str], since: date) -> list[JsonObject] | Failed:
        """Return the prescriptions of these dose patients that changed since a day (``$monitoring``)."""
        task = Task(context_id=str(uuid4()), access=DOSE_ACCESS)
        found = await self._turn(self._client.monitoring(numbers, since, task))
        return found if isinstance(found, list) else _failed(found)

    async def _look(self, patient: Patient, name: str, known: NllWatermark | None, task: Task) -> Looked:
        info = await self._turn(self._client.list_info(task))
        if not isinstance(info, ListInfo):
            return _failed(info)
        now = self.now()
        again = known is not None and known.list_version == info.version
        if known is not None and again and known.confirmed:
            return Unchanged(watermark=msgspec.structs.replace(known, read_at=now))
        resources: list[JsonObject] = []
        for reading in (self._client.prescriptions, self._client.dispenses):
            found = await self._turn(reading(task))
            if not isinstance(found, list):
                return _failed(found)
            resources += found
        medications = await self._medications_of(resources, task)
        if isinstance(medications, Failed):
            return medications
        before = Before() if known is None else Before(versions=known.versions, theirs=known.theirs)
        reader = Reader(patient, name, resources, medications)
        news = reader.news(before, lambda: self._writes_of(patient.pseudonym, patient.partition))
        watermark = NllWatermark(
            patient=patient.pseudonym,
            nll_patient=name,
            list_version=info.version,
            read_at=now,
            versions=news.versions,
            theirs=news.theirs,
            confirmed=again and news.versions == before.versions and not news.lagging,
        )
        return Changed(news=news, watermark=watermark)

    async def _medications_of(self, resources: list[JsonObject], task: Task) -> Mapping[str, JsonObject] | Failed:
        """Products are remembered: they are the same for every patient."""
        found: dict[str, JsonObject] = {}
        for name in sorted({one for resource in resources if (one := medication_of(resource)) is not None}):
            known = self._medications.get(name)
            if known is None:
                outcome = await self._turn(self._client.read("Medication", name, task))
                if isinstance(outcome, Unavailable | Unknown):
                    return _failed(outcome)
                if not isinstance(outcome, Accepted) or outcome.resource is None:
                    continue  # the message goes without it, and to quarantine, where it can be seen
                known = self._medications[name] = outcome.resource
                if len(self._medications) > MEDICATIONS_MOST:
                    self._medications.popitem(last=False)
            found[name] = known
        return found

    async def _turn(self, request: Awaitable[T]) -> T:
        await self._pace.turn()
        return await request


def _failed(outcome: Outcome) -> Failed:
    match outcome:
        case Unavailable(reason=reason, retry_after_seconds=seconds):
            return Failed(reason=reason, answered=False, retry_after_seconds=seconds)
        case Unknown(reason=reason):
            return Failed(reason=reason, answered=False)
        case Rejected(status=status, reasons=reasons):
            return Failed(reason=reasons[0].code if reasons else f"http-{status}", answered=True)
        case Stale() | Accepted():
            return Failed(reason="unexpected-answer", answered=True)
