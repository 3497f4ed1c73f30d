"""The dispensed layer of a line: pharmacy dispenses, whole packages and pouch rolls."""

from collections.abc import Iterable, Iterator
from datetime import datetime

import msgspec

from contracts.facts.dispense import Dispense
from contracts.facts.dose_dispensing import DoseSupply
from contracts.medication_list import Layer
from contracts.values import Period
from streams.reconcile.dose import Dose, daily_dose
from streams.reconcile.leaves import Leaf
from streams.reconcile.profile import strength_text
from streams.reconcile.records import LATEST

_WITH_PATIENT = frozenset({"frozen", "produced", "dispatched", "received"})


class Roll(msgspec.Struct, frozen=True, eq=False):
    """One product of one roll: what it holds per day, for how long, and whether it is still with the patient."""

    leaf: Leaf
    content: DoseSupply
    dose: Dose

    @property
    def with_patient(self) -> bool:
        """Whether the pouches may still be used: neither returned nor withdrawn."""
        return self.content.status in _WITH_PATIENT

    def covers(self, when: datetime) -> bool:
        """Say whether the pouches are for ``when``."""
        start, end = self.content.period.start, self.content.period.end
        return start is not None and start <= when and (end is None or when < end)

    def left_at(self, when: datetime) -> bool:
        """Say whether pouches of ``when`` or later are with the patient."""
        return self.with_patient and (self.content.period.end is None or when < self.content.period.end)


class Supplies:
    """All supply leaves of one line, in order of time."""

    def __init__(self, leaves: Iterable[Leaf]) -> None:
        self.leaves = sorted(leaves, key=lambda leaf: (leaf.at, leaf.record.key))
        self.rolls = [
            Roll(leaf, content, daily_dose(content.dosage, leaf.profile, content.period.start, leaf.at))
            for leaf in self.leaves
            if isinstance(content := leaf.content, DoseSupply)
        ]
        self.dispenses = [leaf for leaf in self.leaves if isinstance(leaf.content, Dispense)]

    def boundaries(self) -> Iterator[datetime]:
        """Return the moments at which the layer may change by itself."""
        for roll in self.rolls:
            for moment in (roll.content.period.start, roll.content.period.end):
                if moment is not None:
                    yield moment

    def handed_out(self, when: datetime) -> list[Leaf]:
        """Return the dispenses by ``when`` that were carried through."""
        return [d for d in self.dispenses if d.at <= when and getattr(d.content, "status", None) == "completed"]

    def current_roll(self, when: datetime) -> Roll | None:
        """Return the roll whose pouches are for ``when``, of several the last produced; else the next one."""
        rolls = [roll for roll in self.rolls if roll.with_patient]
        now = [roll for roll in rolls if roll.covers(when)]
        if now:
            return max(
                now, key=lambda roll: (roll.leaf.record.newest.occurred_at or roll.leaf.at, roll.leaf.record.key)
            )
        later = [roll for roll in rolls if roll.leaf.at > when]
        return min(later, key=lambda roll: (roll.leaf.at, roll.leaf.record.key)) if later else None

    def layer(self, when: datetime, allowed: int | None) -> tuple[Layer | None, Dose | None]:
        """Return the dispensed layer at ``when``; ``allowed`` is how often the standing prescription may be dispensed."""
        if not self.leaves:
            return None, None
        roll = self.current_roll(when)
        dispensed = self.handed_out(when)
        leaf = roll.leaf if roll else (dispensed[-1] if dispensed else self.leaves[-1])
        ends = [r.content.period.end or LATEST for r in self.rolls if r.left_at(when)]
        layer = Layer(
            product=leaf.profile.name,
            npl_id=leaf.profile.npl_id,
            strength=strength_text(leaf.profile),
            form=leaf.profile.form,
            dosage_text=roll.content.dosage.text if roll else None,
            daily_dose=roll.dose.shown if roll else None,
            period=Period(start=roll.content.period.start, end=roll.content.period.end) if roll else None,
            source=leaf.record.key.system,
            last_at=dispensed[-1].at if dispensed else None,
            count=len(dispensed) or None,
            next_roll_ends=max(ends) if ends and max(ends) != LATEST else None,
            remaining_dispenses=max(0, allowed - len(dispensed)) if allowed is not None else None,
            facts=tuple(sorted(fact for supply in self.leaves for fact in supply.record.fact_ids)),
        )
        return layer, roll.dose if roll else None
