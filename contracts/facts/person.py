"""Facts about the person and the stay: identity, encounter, blocks."""

from typing import Literal

from contracts.facts.base import Content
from contracts.values import Identifier, Period, Reason


class IdentityLink(Content, frozen=True, kw_only=True):
    """Two person numbers are (``linked``) or are not (``separate``) one person. A link is a fact, never an edit.

    ``person`` is the number that goes on, ``other`` the one it takes in; ``other_patient`` is the pseudonym of ``other``.
    """

    other: Identifier
    other_patient: str
    status: Literal["linked", "separate"]
    cause: Literal["number-changed", "merged", "mistake"]


class Encounter(Content, frozen=True, kw_only=True):
    """A stay (vårdtillfälle). While an in-patient stay goes on, out-patient treatments are dormant."""

    encounter_class: Literal["inpatient", "outpatient", "home"]
    status: Literal["planned", "in-progress", "on-leave", "finished", "cancelled"]
    period: Period
    care_unit: Identifier | None = None
    care_giver: Identifier | None = None


class Block(Content, frozen=True, kw_only=True):
    """A block (spärr) on information: what it covers is not shown and not published, only that it exists.

    ``scope`` ``source`` covers a source, ``care-unit`` and ``care-giver`` a unit or organisation, ``record`` one record
    and its treatment, ``all`` everything. Unknown scope is refused at the edge (fail closed).
    """

    status: Literal["set", "lifted"]
    kind: Literal["integrity", "secrecy"]
    scope: Literal["source", "care-unit", "care-giver", "record", "all"]
    target: Identifier | None = None
    period: Period = Period()
    reason: Reason | None = None
