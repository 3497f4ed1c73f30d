"""The dispensed layer of a line: pharmacy dispenses, whole packages and pouch rolls.

Kept in order of time, so that what is over costs nothing any more.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from datetime import datetime

import msgspec

from contracts.facts.dispense import Dispense
from contracts.facts.dose_dispensing import DoseSupply
from contracts.medication_list import Layer
from contracts.systems import NLL_DISPENSE
from contracts.values import Identifier, Period
from streams.reconcile.dose import Dose, daily_dose
from streams.reconcile.leaves import Leaf
from streams.reconcile.ordered import put
from streams.reconcile.profile import strength_text
from streams.reconcile.records import LATEST

_WITH_PATIENT = frozenset({"frozen", "produced", "dispatched", "received"})


class Roll(msgspec.Struct, frozen=True, eq=False):
    """One product of one roll: what it holds per day, for how long, and whether it is still with the patient."""

    leaf: Leaf
    content: DoseSupply

    @property
    def dose(self) -> Dose:
        """What it holds per day."""
        return daily_dose(self.content.dosage, self.leaf.profile, self.content.period.start, self.leaf.at)

    @property
    def with_patient(self) -> bool:
        """Whether the pouches may still be used: neither returned nor withdrawn."""
        return self.content.status in _WITH_PATIENT

    @property
    def ends(self) -> datetime:
        """When its last pouch has been for."""
        return self.content.period.end or LATEST


class Supplies:
    """All supply leaves of one line."""

    def __init__(self) -> None:
        self._all: list[Leaf] = []
        self._rolls: list[Roll] = []
        self._dispensed: list[Leaf] = []
        self._of_nll: dict[Identifier, Leaf] = {}

    def add(self, leaf: Leaf) -> None:
        """Take one more in."""
        put(self._all, leaf, _order)
        content = leaf.content
        if isinstance(content, DoseSupply):
            put(self._rolls, Roll(leaf, content), _roll_order)
        elif isinstance(content, Dispense) and content.status == "completed":
            self._dispense(leaf, content)

    def _dispense(self, leaf: Leaf, content: Dispense) -> None:
        """What a pharmacy and NLL both tell of was handed out once: the earlier of the two counts."""
        name = next((one for one in content.identifiers if one.system == NLL_DISPENSE), None)
        other = self._of_nll.get(name) if name is not None else None
        if other is not None and _order(other) <= _order(leaf):
            return
        if other is not None:
            self._dispensed.remove(other)
        if name is not None:
            self._of_nll[name] = leaf
        put(self._dispensed, leaf, _order)

    def __bool__(self) -> bool:
        return bool(self._all)

    def leaves(self) -> Iterable[Leaf]:
        """Return all of them, in order of time."""
        return self._all

    def last(self, when: datetime) -> Leaf | None:
        """Return the last supply that began by ``when``."""
        index = bisect_right(self._all, when, key=_time)
        return self._all[index - 1] if index else None

    def with_patient(self, when: datetime) -> list[Roll]:
        """Return the rolls with the patient that hold pouches for ``when`` or later."""
        return [roll for roll in self._rolls[bisect_right(self._rolls, when, key=_ends) :] if roll.with_patient]

    def dispensed_after(self, start: datetime, end: datetime) -> list[Leaf]:
        """Return the dispenses carried through in ``(start, end]``."""
        low, high = bisect_right(self._dispensed, start, key=_time), bisect_right(self._dispensed, end, key=_time)
        return self._dispensed[low:high]

    def moments_after(self, when: datetime) -> Iterator[datetime]:
        """Return the next moments at which the layer may change by itself."""
        for roll in self._rolls[bisect_right(self._rolls, when, key=_ends) :]:
            for moment in (roll.content.period.start, roll.content.period.end):
                if moment is not None and moment > when:
                    yield moment
        index = bisect_right(self._all, when, key=_time)
        if index < len(self._all):
            yield self._all[index].at

    def current_roll(self, when: datetime) -> Roll | None:
        """Return the roll whose pouches are for ``when``, of several the last produced; else the next one."""
        rolls = self.with_patient(when)
        now = [roll for roll in rolls if roll.leaf.at <= when]
        if now:
            return max(now, key=lambda r: (r.leaf.record.newest.occurred_at or r.leaf.at, r.leaf.record.key))
        return min(rolls, key=lambda r: (r.leaf.at, r.leaf.record.key), default=None)

    def layer(self, when: datetime, allowed: int | None) -> tuple[Layer | None, Dose | None]:
        """Return the dispensed layer at ``when``; ``allowed`` is how often the standing prescription may be dispensed."""
        if not self._all:
            return None, None
        roll = self.current_roll(when)
        count = bisect_right(self._dispensed, when, key=_time)
        last = self._dispensed[count - 1] if count else None
        leaf = roll.leaf if roll else (last or self.last(when) or self._all[0])
        ends = max((r.ends for r in self.with_patient(when)), default=LATEST)
        facts = {fact for shown in (leaf, last) if shown is not None for fact in shown.record.fact_ids}
        layer = Layer(
            product=leaf.profile.name,
            npl_id=leaf.profile.npl_id,
            strength=strength_text(leaf.profile),
            form=leaf.profile.form,
            dosage_text=roll.content.dosage.text if roll else None,
            daily_dose=roll.dose.shown if roll else None,
            period=Period(start=roll.content.period.start, end=roll.content.period.end) if roll else None,
            source=leaf.record.key.system,
            last_at=last.at if last else None,
            count=count or None,
            next_roll_ends=ends if ends != LATEST else None,
            remaining_dispenses=max(0, allowed - count) if allowed is not None else None,
            facts=tuple(sorted(facts)),
        )
        return layer, roll.dose if roll else None


def _order(leaf: Leaf) -> tuple[datetime, Identifier]:
    return leaf.at, leaf.record.key


def _time(leaf: Leaf) -> datetime:
    return leaf.at


def _roll_order(roll: Roll) -> tuple[datetime, datetime, Identifier]:
    return roll.ends, roll.leaf.at, roll.leaf.record.key


def _ends(roll: Roll) -> datetime:
    return roll.ends
