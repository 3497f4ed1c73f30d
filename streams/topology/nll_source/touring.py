"""One tour: the patients who are due, dose patients asked about together, the others and those with news one by one."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from typing import Final

import msgspec

from contracts.nll_watermark import NllWatermark
from streams.topology.nll_source.limits import NllSourceLimits
from streams.topology.nll_source.looking import Failed, Looked, Looker
from streams.topology.nll_source.monitoring import can_be_asked_about, since, to_look_at
from streams.topology.nll_source.roster import Patient

MakeLooker = Callable[[], AbstractAsyncContextManager[Looker]]
"""Opens what looking needs, inside the event loop that it will run in."""

Known = Mapping[str, NllWatermark]
_PERSONS_MOST: Final = 50


class Toured(msgspec.Struct, kw_only=True):
    """What came of it: who was looked at, of whom nothing new was told, and whom the time did not suffice for."""

    looked: list[tuple[Patient, Looked]]
    quiet: list[Patient]
    left: dict[str, Patient]


class Tour:
    """Looks at patients, some at a time, until all are done or the time is over."""

    def __init__(self, looker: Looker, limits: NllSourceLimits) -> None:
        self._looker = looker
        self._limits = limits

    async def of(self, due: Sequence[Patient], known: Known) -> Toured:
        """Look at these patients, given how far was read of each."""
        toured = Toured(looked=[], quiet=[], left={one.pseudonym: one for one in due})
        with suppress(TimeoutError):  # what was cut is still among those left
            async with asyncio.timeout(self._limits.turn_seconds):
                await self._tour(list(due), known, toured)
        return toured

    async def _tour(self, due: list[Patient], known: Known, toured: Toured) -> None:
        now = self._looker.now()
        together = [one for one in due if can_be_asked_about(one, known.get(one.pseudonym), now, self._limits)]
        names = {one.pseudonym for one in together}
        alone = [one for one in due if one.pseudonym not in names]
        most = min(self._limits.monitored_persons, _PERSONS_MOST)
        for start in range(0, len(together), most):
            alone += await self._asked_about(together[start : start + most], known, toured)
        queue = iter(alone)
        async with asyncio.TaskGroup() as workers:
            for _ in range(min(self._limits.parallel, len(alone))):
                workers.create_task(self._work(queue, known, toured))

    async def _asked_about(self, patients: list[Patient], known: Known, toured: Toured) -> list[Patient]:
        """Return who must be looked at; the others are done with."""
        day = since(patients, known, self._looker.now(), self._limits.monitored_days)
        answer = await self._looker.changed_since([one.number for one in patients], day)
        if isinstance(answer, Failed):
            if answer.answered:
                return patients  # the question was refused: ask about each
            self._done(patients[0], answer, toured)
            return []
        news = to_look_at(answer, patients, known)
        named = {one.pseudonym for one in news}
        for one in patients:
            if one.pseudonym not in named:
                toured.quiet.append(toured.left.pop(one.pseudonym))
        return news

    async def _work(self, queue: Iterator[Patient], known: Known, toured: Toured) -> None:
        for patient in queue:
            self._done(patient, await self._looker.look(patient, known.get(patient.pseudonym)), toured)

    def _done(self, patient: Patient, looked: Looked, toured: Toured) -> None:
        toured.left.pop(patient.pseudonym, None)
        toured.looked.append((patient, looked))
