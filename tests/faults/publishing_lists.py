"""Many made-up patients whose lists change: everything that a publisher has to tell apart, and what must stand in the end.

Each dosage text names the change it came with, so that an older state over a newer one can be seen at the endpoint.
"""

import random
import re
from collections.abc import Iterator
from typing import Final

import msgspec

from contracts.medication_list import MedicationList, StandingPrescription, Withdrawn
from contracts.values import Identifier, Reference
from tests.streams.publish.cases import (
    METOPROLOL_50,
    PARACETAMOL,
    dosage,
    line,
    replaced,
    standing,
    the_list,
    withdrawn,
)
from tests.streams.publish.population import person

CURRENT_MOST: Final = 4
TURN: Final = re.compile(r"ändring (\d+)")
ACTIONS: Final = (
    "begin",
    "dose",
    "dose",
    "dose",
    "note",
    "note",
    "stop",
    "cancel",
    "retract",
    "replace",
    "block",
    "lift",
)
"""What a turn may be; a change of the note is none that NLL hears of."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What must stand at the endpoint in the end, by record.

    ``open``: active, with this text. ``over``: not open. ``locked``: hidden, if it was ever registered.
    """

    open: dict[str, str]
    over: frozenset[str]
    locked: frozenset[str]


class Course:
    """One patient's lists, one after the other, always the same for a seed."""

    def __init__(self, number: int, seed: int) -> None:
        self.patient = f"patient-{number}"
        self._person = person(number)
        self._chance = random.Random(f"{seed}:{number}")
        self._number = number
        self._turn = 0
        self._current: dict[str, StandingPrescription] = {}
        self._blocked: set[str] = set()
        self._gone: dict[str, StandingPrescription] = {}

    def lists(self, changes: int) -> Iterator[MedicationList]:
        """The list after each of so many changes."""
        for _ in range(changes):
            self._turn += 1
            self._change()
            yield self.list()

    def list(self) -> MedicationList:
        """The list as it is now."""
        shown = [one for name, one in self._current.items() if name not in self._blocked]
        hidden = [_hidden(self._current[name]) for name in sorted(self._blocked)]
        gone = [withdrawn(one, "retracted") for one in self._gone.values()]
        return the_list(
            *map(line, shown),
            withdrawn=(*hidden, *gone),
            patient=self.patient,
            person=self._person,
            rules=f"turn-{self._turn}",
        )

    def wanted(self) -> Wanted:
        """What must stand in the end."""
        shown = {name: one for name, one in self._current.items() if name not in self._blocked}
        over = [one.record for one in self._current.values() if one.state != "active"]
        return Wanted(
            open={one.record: one.content.dosage.text or "" for one in shown.values() if one.state == "active"},
            over=frozenset([*over, *(one.record for one in self._gone.values())]),
            locked=frozenset(self._current[name].record for name in self._blocked),
        )

    def _change(self) -> None:
        action = self._chance.choice(ACTIONS)
        active = [name for name, one in self._current.items() if one.state == "active"]
        if action == "lift" and self._blocked:
            self._blocked.remove(self._chance.choice(sorted(self._blocked)))
            return
        if not active or (action == "begin" and len(active) < CURRENT_MOST):
            self._begin(self._chance.choice([METOPROLOL_50, PARACETAMOL]))
            return
        self._to_one(action, self._chance.choice(active))

    def _to_one(self, action: str, name: str) -> None:
        one = self._current[name]
        match action:
            case "dose":
                self._current[name] = replaced(one, dosage=self._dosage())
            case "stop":
                self._current[name] = replaced(one, status="stopped", state="ended")
            case "cancel":
                self._current[name] = replaced(one, status="cancelled", state="cancelled")
            case "retract" if name not in self._blocked:
                self._gone[name] = self._current.pop(name)
            case "replace" if name not in self._blocked:
                self._current[name] = replaced(one, status="stopped", state="ended")
                self._begin(one.content.medication, one)
            case "block":
                self._blocked.add(name)
            case _:
                self._current[name] = replaced(one, note=f"anteckning {self._turn}")

    def _begin(self, medication: object, former: StandingPrescription | None = None) -> None:
        name = f"rx-{self._number}-{self._turn}"
        references = () if former is None else (_predecessor(former),)
        self._current[name] = standing(
            name, medication=medication, dosage=self._dosage(), person=self._person, references=references
        )

    def _dosage(self) -> object:
        return dosage(f"1 tablett varje morgon, ändring {self._turn}")


def turn_of(text: str) -> int:
    """The change that a dosage text came with."""
    found = TURN.search(text)
    assert found is not None, text
    return int(found[1])


def _hidden(one: StandingPrescription) -> Withdrawn:
    over = {"ended": "ended", "cancelled": "cancelled"}.get(one.state)
    return withdrawn(one, "blocked", over=over)  # type: ignore[arg-type] # one of the two, or None


def _predecessor(former: StandingPrescription) -> Reference:
    return Reference(role="predecessor", target=Identifier(system=former.source, value=former.source_id))
